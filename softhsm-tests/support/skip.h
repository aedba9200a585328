#pragma once

#include <string_view>

namespace p11mime::test {

/// kSkipped is the exit status of a test program whose case was skipped and failed nowhere.
inline constexpr int kSkipped = 77;

/// skip says why the case that runs is skipped, wholly or from here on; the case then returns.
void skip(std::string_view why);

/// was_skipped says whether any was.
bool was_skipped();

}  // namespace p11mime::test
