#include "cli/header_words.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/verdict.h"
#include "mime/header.h"

namespace p11mime::cli {

namespace {

using namespace cms::smime;

constexpr std::size_t kMostNamed = 20;
constexpr const char* kUncovered = "not covered by any signature";

// protected_names is what the layers around the mail's payload protect; nothing where it was not reached.
std::optional<std::vector<std::string>> protected_names(const Report& report) {
    for (const Layer& layer : report.layers)
        if (layer.covers_whole && layer.protected_headers && !signs_ciphertext(report, layer))
            return layer.protected_headers;
    return std::nullopt;
}

bool is_among(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), mime::ascii_lower(name)) != names.end();
}

// signature_words is how good the signatures over the payload are; nothing where there is none.
std::optional<std::string> signature_words(const Report& report) {
    std::optional<Tone> worst;
    for (const Layer& layer : report.layers)
        if (signs_text(report, layer)) worst = std::max(worst.value_or(Tone::plain), layer_tone(report, layer));
    if (!worst) return std::nullopt;
    if (*worst == Tone::good) return "covered by the signature";
    return *worst == Tone::bad ? "covered by a signature that is broken"
                               : "covered by a signature that is not to be relied on";
}

// written is a name as it is usually written: "Message-Id".
std::string written(std::string name) {
    bool first = true;
    for (char& c : name) {
        if (first) c = mime::ascii_upper(c);
        first = c == '-';
    }
    return name;
}

}  // namespace

std::optional<std::string> field_words(const Report& report, std::string_view name) {
    const auto names = protected_names(report);
    if (!names) return std::nullopt;
    if (!is_among(*names, name)) return kUncovered;
    const auto signature = signature_words(report);
    if (!is_among(report.confidential_headers, name)) return signature.value_or(kUncovered);
    return signature ? *signature + ", and came encrypted" : "came encrypted, but without a signature";
}

bool protects_header(const Report& report) {
    const auto names = protected_names(report);
    return names && !names->empty();
}

std::vector<std::string> header_lines(const Report& report) {
    const auto names = protected_names(report);
    const bool has_header = !report.from.empty() || report.subject || report.date;
    if (!names || !has_header) return {};
    if (names->empty()) return {fmt::format("header: {}", kUncovered)};
    std::vector<std::pair<std::string, std::vector<std::string>>> groups;
    for (const std::string& name : *names) {
        const std::string words = field_words(report, name).value_or(kUncovered);
        auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& each) { return each.first == words; });
        if (group == groups.end()) group = groups.insert(groups.end(), {words, {}});
        group->second.push_back(written(name));
    }
    std::vector<std::string> lines;
    for (auto& [words, members] : groups) {
        const std::size_t more = members.size() > kMostNamed ? members.size() - kMostNamed : 0;
        members.resize(members.size() - more);
        if (more > 0) members.push_back(fmt::format("{} more", more));
        lines.push_back(fmt::format("header: {}: {}", fmt::join(members, ", "), words));
    }
    lines.push_back(fmt::format("header: all else: {}", kUncovered));
    return lines;
}

}  // namespace p11mime::cli
