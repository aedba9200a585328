#include "cms/smime/spelled_address.h"

#include <algorithm>
#include <array>
#include <utility>

#include "mime/header.h"
#include "mime/unicode.h"

namespace p11mime::cms::smime {

namespace {

constexpr std::string_view kClosing = ")]}>";

bool is_small_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_of_word(char c) {
    return is_small_or_digit(c) || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

// Squeezed is the letters, digits and "@" of a text, and which of them begin or end a word.
struct Squeezed {
    explicit Squeezed(std::string_view text) {
        bool apart = true;
        for (const char c : mime::ascii_lower(text)) {
            const bool kept = is_of_word(c) || c == '@';
            if (kept) {
                letters += c;
                begins.push_back(apart);
                ends.push_back(false);
            }
            if (!kept && !ends.empty()) ends.back() = true;
            apart = !kept;
        }
        if (!ends.empty()) ends.back() = true;
    }

    bool has_words(std::string_view words) const {
        for (std::size_t at = letters.find(words); at != std::string::npos; at = letters.find(words, at + 1))
            if (begins[at] && ends[at + words.size() - 1]) return true;
        return false;
    }

    std::string letters;
    std::vector<bool> begins, ends;
};

// odd_dot_size is the size of what goes for a dot at the front of a text behind a domain; 0 where nothing does.
std::size_t odd_dot_size(std::string_view domain, std::string_view text) {
    constexpr std::string_view kSigns = ",;:";
    const std::size_t blanks = std::min(text.find_first_not_of(kBlanks), text.size());
    const std::size_t size = blanks > 0 ? blanks : !text.empty() && kSigns.find(text[0]) != std::string_view::npos;
    const std::string_view behind = text.substr(size);
    const std::string_view top = behind.substr(
        0, static_cast<std::size_t>(std::find_if_not(behind.begin(), behind.end(), is_of_word) - behind.begin()));
    const auto is_small = [](std::string_view label) {
        return label.size() > 1 && std::all_of(label.begin(), label.end(), is_small_or_digit);
    };
    const std::size_t next = behind.find_first_not_of(kBlanks, top.size());
    const bool goes_on = next != std::string_view::npos && is_of_word(behind[next]);
    if (size == 0 || goes_on) return 0;
    if (blanks > 0) return mime::is_general_top(top) && is_small(top) ? size : 0;
    const bool stands_alone = top.size() == behind.size() || behind[top.size()] != '.';
    const std::string_view last_label = domain.substr(domain.rfind('.') + 1);
    const bool is_small_pair = text[0] == ',' && is_small(last_label) && is_small(top);
    return stands_alone && (mime::is_general_top(top) || is_small_pair) ? size : 0;
}

}  // namespace

bool delimits(char c) {
    constexpr std::string_view kDelimiters = "<>()[]:;,\"\\";
    return (c >= 0 && c <= ' ') || c == 0x7f || kDelimiters.find(c) != std::string_view::npos;
}

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

std::string with_plain_words(std::string_view text) {
    constexpr std::array<std::string_view, 2> kWords{"at", "dot"};
    if (mime::is_ascii(text)) return std::string(text);
    std::string plain;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i;
        while (end < text.size() && !delimits(text[end]) && text[end] != '{' && text[end] != '}')
            ++end;
        const std::string_view word = text.substr(i, end - i);
        const std::string skeleton = mime::is_ascii(word) ? std::string() : mime::skeleton(word);
        const auto* meant = std::find(kWords.begin(), kWords.end(), skeleton);
        plain += meant == kWords.end() ? word : *meant;
        if (end < text.size()) plain += text[end];
        i = end + 1;
    }
    return plain;
}

std::string spelled_out(std::string_view text, bool bare) {
    constexpr std::array<std::pair<std::string_view, char>, 5> kSigns{
        {{"at", '@'}, {"@", '@'}, {"a", '@'}, {"dot", '.'}, {".", '.'}}};
    const std::string lower = mime::ascii_lower(text);
    const auto after_blanks = [&](std::size_t at) {
        return std::min(lower.find_first_not_of(kBlanks, at), text.size());
    };
    std::string result;
    for (std::size_t i = 0; i < text.size();) {
        const bool blank = kBlanks.find(text[i]) != std::string_view::npos;
        const std::size_t word = after_blanks(i + 1);
        std::size_t end = blank ? word : i + 1;  // of what is written as it is
        char sign = 0;
        for (const auto& [name, meant] : kSigns) {
            const std::size_t word_end = word + name.size(), next = after_blanks(word_end);
            if (lower.compare(word, name.size(), name) != 0 || next >= text.size()) continue;
            if (name == "a" && text[word] != 'a') continue;  // "(A)" stands for Austria
            const bool between = blank && bare && next > word_end && name != "a";
            const bool enclosed =
                kOpening.find(text[i]) != std::string_view::npos && kClosing.find(text[next]) != std::string_view::npos;
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

std::string with_odd_dots(std::string_view text) {
    std::string result;
    for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@')) {
        std::size_t end = at + 1;
        while (end < text.size() && (is_of_word(text[end]) || text[end] == '-' || text[end] == '.'))
            ++end;
        result += text.substr(0, end);
        const std::string_view domain = text.substr(at + 1, end - at - 1);
        text.remove_prefix(end);
        const std::size_t size = domain.empty() ? 0 : odd_dot_size(domain, text);
        if (size == 0) continue;
        result += '.';
        text.remove_prefix(size);
    }
    return result + std::string(text);
}

std::string shown_among(const std::vector<std::string>& addresses, std::string_view text,
                        const std::vector<std::string>& own) {
    if (text.find('@') == std::string_view::npos) return {};
    const Squeezed shown(text), bare(mime::without_marks(text));
    const auto is_own = [&](const std::string& letters) {
        return std::ranges::any_of(own,
                                   [&](const std::string& mailbox) { return Squeezed(mailbox).letters == letters; });
    };
    const auto found = std::ranges::find_if(addresses, [&](const std::string& address) {
        const std::string letters = Squeezed(address).letters;
        return (shown.has_words(letters) || bare.has_words(letters)) && !is_own(letters);
    });
    return found == addresses.end() ? std::string() : *found;
}

}  // namespace p11mime::cms::smime
