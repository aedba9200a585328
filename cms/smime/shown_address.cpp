#include "cms/smime/shown_address.h"

#include <algorithm>
#include <array>
#include <utility>

#include "mime/address.h"
#include "mime/header.h"
#include "mime/unicode.h"

namespace p11mime::cms::smime {

namespace {

bool delimits(char c) {
    constexpr std::string_view kDelimiters = "<>()[]:;,\"\\";
    return (c >= 0 && c <= ' ') || c == 0x7f || kDelimiters.find(c) != kDelimiters.npos;
}

std::string_view unquoted(std::string_view text) {
    while (text.starts_with('\''))
        text.remove_prefix(1);
    while (!text.empty() && std::string_view("'.!?").find(text.back()) != std::string_view::npos)
        text.remove_suffix(1);
    return text;
}

constexpr std::string_view kBlanks = " \t\r\n";

// without_gaps takes the blanks around "@" and "." out of a text: a reader sees an address in "ceo @ bank . example".
std::string without_gaps(std::string_view text) {
    const auto joins = [](char c) { return c == '@' || c == '.'; };
    std::string joined;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t next = std::min(text.find_first_not_of(kBlanks, i), text.size());
        const bool gap = (!joined.empty() && joins(joined.back())) || (next < text.size() && joins(text[next]));
        if (!gap) joined += text.substr(i, next - i);
        if (next < text.size()) joined += text[next];
        i = next + 1;
    }
    return joined;
}

// addresses_in is every word of a text that a reader would take for an address, wherever it stands.
std::vector<std::string> addresses_in(std::string_view text) {
    std::vector<std::string> found;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i;
        while (end < text.size() && !delimits(text[end]))
            ++end;
        const std::string_view word = unquoted(text.substr(i, end - i));
        const std::size_t at = word.rfind('@');
        if (at != word.npos && at + 1 < word.size()) found.emplace_back(word);
        i = std::max(end, i + 1);
    }
    return found;
}

// spelled_out writes the signs of an address that stand in words as themselves: "(at)" and "[dot]" with brackets, and
// with `bare` between blanks too.
std::string spelled_out(std::string_view text, bool bare) {
    constexpr std::array<std::pair<std::string_view, char>, 4> kSigns{
        {{"at", '@'}, {"@", '@'}, {"dot", '.'}, {".", '.'}}};
    constexpr std::string_view kOpening = "([{<", kClosing = ")]}>";
    const std::string lower = mime::ascii_lower(text);
    const auto after_blanks = [&](std::size_t at) {
        return std::min(lower.find_first_not_of(kBlanks, at), text.size());
    };
    std::string result;
    for (std::size_t i = 0; i < text.size();) {
        const bool blank = kBlanks.find(text[i]) != kBlanks.npos;
        const std::size_t word = after_blanks(i + 1);
        std::size_t end = blank ? word : i + 1;  // of what is written as it is
        char sign = 0;
        for (const auto& [name, meant] : kSigns) {
            const std::size_t word_end = word + name.size(), next = after_blanks(word_end);
            if (lower.compare(word, name.size(), name) != 0 || next >= text.size()) continue;
            const bool between = blank && bare && next > word_end;
            const bool enclosed = kOpening.find(text[i]) != kOpening.npos && kClosing.find(text[next]) != kClosing.npos;
            if (!between && !enclosed) continue;
            sign = meant;
            end = between ? next : next + 1;
        }
        if (sign != 0)
            result += sign;
        else
            result += text.substr(i, end - i);
        i = end;
    }
    return result;
}

// has_domain says whether what follows the "@" looks like a domain: "Jane @ Work" shows no address.
bool has_domain(std::string_view address) {
    const std::string_view domain = address.substr(address.rfind('@') + 1);
    const auto letter = [](unsigned char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80; };
    const std::size_t dot = domain.rfind('.');
    if (dot == domain.npos || domain.front() == '.' || domain.find("..") != domain.npos) return false;
    const std::string_view top = domain.substr(dot + 1);
    return top.size() > 1 && (std::all_of(top.begin(), top.end(), letter) || top.starts_with("xn--"));
}

// is_of says whether what is shown is one of the mailboxes, or the domain of one: a comment or a quote may stand before
// it.
bool is_of(const std::vector<std::string>& mailboxes, const std::string& shown) {
    if (!shown.starts_with('@')) return mime::is_among(mailboxes, shown);
    return std::any_of(mailboxes.begin(), mailboxes.end(), [&](const std::string& mailbox) {
        return mime::same_mailbox("x" + shown, "x" + mailbox.substr(mailbox.rfind('@')));
    });
}

// is_at_home_of says whether the domain of what is shown is that of one of the mailboxes, or one that it belongs to.
bool is_at_home_of(const std::vector<std::string>& mailboxes, const std::string& shown) {
    const std::string domain = mime::ascii_domain(shown.substr(shown.rfind('@') + 1));
    return std::any_of(mailboxes.begin(), mailboxes.end(), [&](const std::string& mailbox) {
        const std::string own = mime::ascii_domain(mailbox.substr(mailbox.rfind('@') + 1));
        return own == domain || own.ends_with('.' + domain);
    });
}

// seen_in is what a reader sees of a field. The ideographic full stop is a dot in domains (UTS #46).
std::string seen_in(const std::string& field_value) {
    constexpr std::string_view kFullStop = "\xe3\x80\x82";  // U+3002
    std::string text = mime::plain_letters(mime::decode_words(field_value));
    std::erase(text, '\\');  // of quoted pairs
    for (std::size_t stop = text.find(kFullStop); stop != text.npos; stop = text.find(kFullStop, stop))
        text.replace(stop, kFullStop.size(), ".");
    return text;
}

}  // namespace

std::string foreign_address(const std::string& field_value, const std::vector<std::string>& mailboxes) {
    const std::string text = seen_in(field_value);
    for (const std::string& shown : addresses_in(text))
        if (!is_of(mailboxes, shown)) return shown;
    for (const std::string& shown : addresses_in(without_gaps(spelled_out(text, false))))
        if (has_domain(shown) && !is_of(mailboxes, shown)) return shown;
    for (const std::string& shown : addresses_in(spelled_out(text, true)))
        if (has_domain(shown) && !is_of(mailboxes, shown) && !is_at_home_of(mailboxes, shown)) return shown;
    return {};
}

}  // namespace p11mime::cms::smime
