#pragma once

#include <string>

namespace p11mime::test {

/// program is the program that tests run: $P11MIME_PROGRAM, or the one that was built along with them.
std::string program();

/// is_sanitized says whether that program, or the one that a test is linked into, is an instrumented one, whose memory
/// and time say nothing: $P11MIME_SANITIZED is set.
bool is_sanitized();

}  // namespace p11mime::test
