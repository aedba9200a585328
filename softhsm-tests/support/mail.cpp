#include "softhsm-tests/support/mail.h"

#include <strings.h>

#include <stdexcept>
#include <vector>

namespace p11mime::test {

namespace {

/// Split is a mail's header fields, each with its line ends, and the rest from the empty line on.
struct Split {
    std::vector<std::string_view> fields;
    std::string_view rest;
};

Split split(std::string_view mail) {
    Split result;
    while (!mail.empty()) {
        std::size_t end = mail.find('\n');
        end = end == std::string_view::npos ? mail.size() : end + 1;
        const std::string_view line = mail.substr(0, end);
        if (line == "\n" || line == "\r\n") break;
        if ((line.front() == ' ' || line.front() == '\t') && !result.fields.empty()) {
            std::string_view& last = result.fields.back();
            last = {last.data(), last.size() + line.size()};
        } else {
            result.fields.push_back(line);
        }
        mail.remove_prefix(end);
    }
    result.rest = mail;
    return result;
}

bool has_name(std::string_view field, std::string_view name) {
    return field.size() > name.size() && field[name.size()] == ':' &&
           strncasecmp(field.data(), name.data(), name.size()) == 0;
}

}  // namespace

std::string mail(std::string_view from, std::string_view to, std::string_view entity) {
    std::string text = "From: ";
    text.append(from).append("\r\nTo: ").append(to);
    text.append(
        "\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= from the field\r\n"
        "Date: Tue, 04 Mar 2025 10:15:00 +0100\r\n"
        "Message-ID: <20250304.1@example.gov>\r\n"
        "X-Folded: one\r\n two\r\n"
        "MIME-Version: 1.0\r\n");
    return text.append(entity);
}

std::string entity_of(std::string_view mail) {
    const Split parts = split(mail);
    std::string text;
    for (const std::string_view one : parts.fields)
        if (strncasecmp(one.data(), "Content-", 8) == 0) text.append(one);
    return text.append(parts.rest);
}

std::string field(std::string_view mail, std::string_view name) {
    for (const std::string_view one : split(mail).fields) {
        if (!has_name(one, name)) continue;
        std::string value;
        for (const char c : one.substr(name.size() + 1))
            if (c != '\r' && c != '\n') value += c;
        const std::size_t begin = value.find_first_not_of(" \t");
        return begin == std::string::npos ? "" : value.substr(begin);
    }
    return "";
}

std::string body_of(std::string_view mail) {
    const std::string_view rest = split(mail).rest;
    const std::size_t end = rest.find('\n');
    return std::string(end == std::string_view::npos ? "" : rest.substr(end + 1));
}

std::string with_lf(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n') result += text[i];
    return result;
}

std::string with_crlf(std::string_view text) {
    std::string result;
    for (const char c : with_lf(text)) {
        if (c == '\n') result += '\r';
        result += c;
    }
    return result;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    if (at == std::string::npos) throw std::runtime_error("not found: " + std::string(from));
    return text.replace(at, from.size(), to);
}

}  // namespace p11mime::test
