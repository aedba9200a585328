#include "cli/directories.h"

#include <fmt/format.h>

#include <algorithm>

#include "mime/codec.h"
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

bool holds_certificates(std::string_view attribute) {
    std::string name(attribute.substr(0, attribute.find(';')));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return name == "usercertificate" || name == "usersmimecertificate";
}

// certificates_in reads a line "\tATTRIBUTE:: BASE64".
std::vector<cms::Certificate> certificates_in(std::string_view line) {
    const std::size_t colons = line.find(":: ");
    if (!line.starts_with('\t') || colons == std::string_view::npos || !holds_certificates(line.substr(1, colons - 1)))
        return {};
    ViewSource text(bytes_of(line.substr(colons + 3)));
    BytesSink der;
    copy(*mime::decode(text, mime::TransferEncoding::base64), der);
    return cms::Certificate::from_file_bytes(der.bytes);
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

std::vector<cms::Certificate> read_search(std::string_view answer) {
    std::vector<cms::Certificate> found;
    while (!answer.empty() && found.size() < kMaxFound) {
        const std::size_t end = std::min(answer.find('\n'), answer.size());
        try {
            for (cms::Certificate& each : certificates_in(answer.substr(0, end)))
                if (found.size() < kMaxFound && std::find(found.begin(), found.end(), each) == found.end())
                    found.push_back(std::move(each));
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::malformed) throw;
        }
        answer.remove_prefix(std::min(end + 1, answer.size()));
    }
    return found;
}

}  // namespace p11mime::cli
