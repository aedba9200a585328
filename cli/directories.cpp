#include "cli/directories.h"

#include <fmt/format.h>

#include <algorithm>

#include "mime/error.h"

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

bool holds_certificates(std::string name) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return name == "usercertificate" || name == "usersmimecertificate";
}

std::vector<cms::Certificate> certificates_in(const DirectoryEntry::Value& value) {
    if (!holds_certificates(value.attribute)) return {};
    try {
        return cms::Certificate::from_file_bytes(value.value);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) throw;
        return {};
    }
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
    return fmt::format("{}?userCertificate,userSMIMECertificate?sub?(mail={})", directory, filter_value(address));
}

std::vector<cms::Certificate> certificates_of(std::span<const DirectoryEntry> entries) {
    std::vector<cms::Certificate> found;
    for (const DirectoryEntry& entry : entries)
        for (const DirectoryEntry::Value& value : entry.values)
            for (cms::Certificate& each : certificates_in(value))
                if (found.size() < kMaxFound && std::find(found.begin(), found.end(), each) == found.end())
                    found.push_back(std::move(each));
    return found;
}

}  // namespace p11mime::cli
