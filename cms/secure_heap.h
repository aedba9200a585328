#pragma once

#include <string>

namespace p11mime {

/// init_secure_heap sets aside locked memory for SecretBytes, once, before OpenSSL is used in any way. Where the system
/// refuses (RLIMIT_MEMLOCK), secrets live in ordinary memory that is wiped when freed, as is whatever OpenSSL frees
/// from then on.
void init_secure_heap();

/// openssl_version is the version of the OpenSSL that runs, e.g. "OpenSSL 3.0.22 25 Aug 2026".
std::string openssl_version();

}  // namespace p11mime
