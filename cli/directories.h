#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/fetch.h"
#include "cms/certificate.h"
#include "cms/crl.h"

namespace p11mime::cli {

/// search_url is an LDAP URL (RFC 4516) that asks a directory for the certificates of an address. `directory` is the
/// URL of where it searches: "ldap://ldap.example.gov/dc=example,dc=gov". Throws Error(usage) where that is none.
std::string search_url(const std::string& directory, std::string_view address);

/// certificates_of gives the certificates in a directory's answer, each once: people's, in userCertificate (RFC 4523)
/// and userSMIMECertificate (RFC 2798 section 2.8), or authorities', in cACertificate (RFC 4523).
inline constexpr std::size_t kMaxFound = 100;
struct FoundCertificates {
    std::vector<cms::Certificate> certificates;  ///< kMaxFound at most
    std::size_t broken = 0;                      ///< values that are none
    std::size_t left_out = 0;                    ///< beyond the limit
};
enum class Holder { person, authority };
FoundCertificates certificates_of(std::span<const DirectoryEntry> entries, Holder holder = Holder::person);

/// crls_of gives the CRLs in a directory's answer (RFC 4523), and how many there are broken.
struct FoundCrls {
    std::vector<cms::Crl> crls;
    std::size_t broken = 0;
};
FoundCrls crls_of(std::span<const DirectoryEntry> entries);

}  // namespace p11mime::cli
