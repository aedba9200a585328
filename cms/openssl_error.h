#pragma once

#include <string>

#include "mime/error.h"

namespace p11mime::cms {

/// openssl_reason takes the last reason off OpenSSL's error queue, in its words, and empties the queue; "unknown
/// reason" where it is empty.
std::string openssl_reason();

/// require throws Error(kind) with `what` and OpenSSL's reason where an OpenSSL call has failed.
void require(bool ok, const char* what, ErrorKind kind = ErrorKind::malformed);

}  // namespace p11mime::cms
