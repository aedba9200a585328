// What p11mime does on each stack: the same operations on all of them.

#include <catch2/catch.hpp>

#include "softhsm-tests/stacks/operations.h"
#include "softhsm-tests/support/skip.h"
#include "softhsm-tests/support/table.h"

using namespace p11mime::test;

namespace {

void check_stack(const std::string& name, std::unique_ptr<Stack> (*start)()) {
    std::unique_ptr<Stack> stack;
    try {
        stack = start();
    } catch (const Unavailable& reason) {
        skip(name + ": " + reason.what());
        return;
    }
    Table found;
    for (const Operation& operation : operations())
        found.set(operation.name, name, outcome_of(operation, *stack));
    check_table("stacks/stacks.tsv", found);
}

}  // namespace

TEST_CASE("SoftHSM does what stacks.tsv says", "[stacks]") {
    check_stack("SoftHSM", start_softhsm);
}

TEST_CASE("SoftHSM with few mechanisms does what stacks.tsv says", "[stacks]") {
    check_stack("few mechanisms", start_poor_softhsm);
}

TEST_CASE("a PIV card through OpenSC does what stacks.tsv says", "[stacks]") {
    check_stack("PIV", start_piv_opensc);
}

TEST_CASE("a PIV card through YKCS11 does what stacks.tsv says", "[stacks]") {
    check_stack("YKCS11", start_piv_ykcs11);
}

TEST_CASE("a TPM does what stacks.tsv says", "[stacks]") {
    check_stack("TPM", start_tpm);
}

TEST_CASE("NSS softoken does what stacks.tsv says", "[stacks]") {
    check_stack("NSS", start_nss);
}

TEST_CASE("openCryptoki does what stacks.tsv says", "[stacks]") {
    check_stack("openCryptoki", start_opencryptoki);
}

TEST_CASE("a remote token does what stacks.tsv says", "[stacks]") {
    check_stack("remote", start_remote);
}

TEST_CASE("several tokens through p11-kit's proxy do what stacks.tsv says", "[stacks]") {
    check_stack("proxy", start_proxy);
}

TEST_CASE("the tokens that p11-kit has configured do what stacks.tsv says", "[stacks]") {
    check_stack("configured", start_configured);
}
