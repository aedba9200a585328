#include "cli/directories.h"

#include <fmt/format.h>

#include <algorithm>

#include "mime/address.h"
#include "mime/error.h"
#include "mime/header.h"

namespace p11mime::cli {

namespace {

// A character that stands for itself in a URL and in a filter alike.
bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '@';
}

// filter_value writes a value for a filter (RFC 4515 section 3), whose backslashes a URL writes as %5c.
std::string filter_value(std::string_view value) {
    std::string text;
    for (const char c : value)
        text += is_plain(c) ? std::string(1, c) : fmt::format("%5c{:02x}", static_cast<unsigned char>(c));
    return text;
}

// filter_for finds an address, whose domain a directory has as A-labels: "mail" is ASCII (RFC 4524 section 2.16). Some
// have it as it is shown all the same.
std::string filter_for(std::string_view address) {
    const auto has = [](std::string_view mailbox) { return fmt::format("(mail={})", filter_value(mailbox)); };
    const std::string ascii = mime::with_ascii_domain(address);
    return ascii == address ? has(address) : fmt::format("(%7c{}{})", has(ascii), has(address));
}

// Names of attributes are compared without case (RFC 4512 section 2.5.1).
bool holds_certificates(const std::string& attribute, Holder holder) {
    const std::string name = mime::ascii_lower(attribute);
    if (holder == Holder::authority) return name == "cacertificate";
    return name == "usercertificate" || name == "usersmimecertificate";
}

bool holds_crls(const std::string& attribute) {
    const std::string name = mime::ascii_lower(attribute);
    return name == "certificaterevocationlist" || name == "authorityrevocationlist" || name == "deltarevocationlist";
}

}  // namespace

std::string search_url(const std::string& directory, std::string_view address) {
    const bool ldap = directory.starts_with("ldap://") || directory.starts_with("ldaps://");
    const std::size_t host = directory.find("//") + 2;
    const std::size_t base = directory.find('/', host);
    if (!ldap || base == std::string::npos || base == host || base + 1 == directory.size() ||
        directory.find('?') != std::string::npos)
        throw Error(ErrorKind::usage, fmt::format("'{}' is no directory to search", directory),
                    "one looks like ldap://ldap.example.gov/dc=example,dc=gov");
    return fmt::format("{}?userCertificate,userSMIMECertificate?sub?{}", directory, filter_for(address));
}

FoundCertificates certificates_of(std::span<const DirectoryEntry> entries, Holder holder) {
    FoundCertificates found;
    const auto take = [&](cms::Certificate& certificate) {
        std::vector<cms::Certificate>& all = found.certificates;
        if (std::find(all.begin(), all.end(), certificate) != all.end()) return;
        all.size() < kMaxFound ? all.push_back(std::move(certificate)) : void(++found.left_out);
    };
    for (const DirectoryEntry& entry : entries)
        for (const auto& [attribute, value] : entry.values) {
            if (!holds_certificates(attribute, holder)) continue;
            try {
                for (cms::Certificate& each : cms::Certificate::from_file_bytes(value))
                    take(each);
            } catch (const Error& error) {
                if (error.kind() != ErrorKind::malformed) throw;
                ++found.broken;
            }
        }
    return found;
}

FoundCrls crls_of(std::span<const DirectoryEntry> entries) {
    FoundCrls found;
    for (const DirectoryEntry& entry : entries)
        for (const auto& [attribute, value] : entry.values) {
            if (!holds_crls(attribute)) continue;
            try {
                found.crls.push_back(cms::Crl::from_der(value));
            } catch (const Error& error) {
                if (error.kind() != ErrorKind::malformed) throw;
                ++found.broken;
            }
        }
    return found;
}

}  // namespace p11mime::cli
