#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cms/certificate.h"

namespace p11mime::cli {

/// search_url is an LDAP URL (RFC 4516) that asks a directory for the certificates of an address. `directory` is the
/// URL of where it searches: "ldap://ldap.example.gov/dc=example,dc=gov". Throws Error(usage) where that is none.
std::string search_url(const std::string& directory, std::string_view address);

/// read_search gives the certificates in what libcurl makes of a search's answer: a line for each entry's name, then
/// one for each value, which is in base64 behind two colons. Values of both attributes for certificates count:
/// userCertificate (RFC 4523) and userSMIMECertificate (RFC 2798 section 2.8). What is none is passed over. At most
/// kMaxFound are given.
inline constexpr std::size_t kMaxFound = 100;
std::vector<cms::Certificate> read_search(std::string_view answer);

}  // namespace p11mime::cli
