#pragma once

#include <string>
#include <vector>

#include "softhsm-tests/stacks/stack.h"

namespace p11mime::test {

/// Operation is a row of the table: something that p11mime does with a token.
struct Operation {
    std::string name;
    void (*run)(Stack& stack);
};

/// operations are all of them, in the order in which they are done: what changes the token comes last.
const std::vector<Operation>& operations();

/// outcome_of does an operation and says what came of it, as a cell: "ok", or in p11mime's words why not.
std::string outcome_of(const Operation& operation, Stack& stack);

}  // namespace p11mime::test
