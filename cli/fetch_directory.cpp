#include <algorithm>

#include "cli/fetch.h"
#include "mime/codec.h"
#include "mime/error.h"
#include "mime/stream.h"

namespace p11mime::cli {

namespace {

bool starts_with_scheme(std::string_view url, std::string_view scheme) {
    return url.size() > scheme.size() && std::equal(scheme.begin(), scheme.end(), url.begin(), [](char a, char b) {
               return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
           });
}

Bytes decoded(std::string_view base64) {
    ViewSource source(bytes_of(base64));
    return read_all(*mime::decode(source, mime::TransferEncoding::base64), base64.size(), "a directory's answer");
}

// A line is TAB, attribute, ": " and text, or ":: " and base64.
DirectoryEntry::Value value_of(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) throw Error(ErrorKind::malformed, "a directory's answer is malformed");
    const std::string_view attribute = line.substr(0, colon);
    std::string_view rest = line.substr(colon + 1);
    const bool encoded = rest.starts_with(":");
    if (encoded) rest.remove_prefix(1);
    if (rest.starts_with(" ")) rest.remove_prefix(1);
    return {std::string(attribute.substr(0, attribute.find(';'))), encoded ? decoded(rest) : to_bytes(bytes_of(rest))};
}

}  // namespace

bool is_directory_url(std::string_view url) {
    return starts_with_scheme(url, "ldap://") || starts_with_scheme(url, "ldaps://");
}

std::vector<DirectoryEntry> directory_entries(std::string_view text) {
    constexpr std::string_view kName = "DN: ";
    std::vector<DirectoryEntry> entries;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.starts_with(kName))
            entries.push_back({std::string(line.substr(kName.size())), {}});
        else if (line.starts_with("\t") && !entries.empty())
            entries.back().values.push_back(value_of(line.substr(1)));
        else if (!line.empty())
            throw Error(ErrorKind::malformed, "a directory's answer is malformed");
    }
    return entries;
}

}  // namespace p11mime::cli
