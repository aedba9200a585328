#include "cms/smime/spelled_address.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "mime/address.h"
#include "mime/header.h"
#include "mime/shown_text.h"
#include "mime/unicode.h"

namespace p11mime::cms::smime {

namespace {

bool is_small_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_of_word(char c) {
    return is_small_or_digit(c) || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

// Squeezed is the letters, digits and "@" of a text, and what stands before each of them and behind the last.
struct Squeezed {
    explicit Squeezed(std::string_view text) {
        std::string gap;
        for (const char c : mime::ascii_lower(mime::plain_punctuation(text))) {
            if (!is_of_word(c) && c != '@') {
                gap += c;
                continue;
            }
            letters += c;
            gaps.push_back(std::exchange(gap, {}));
        }
        gaps.push_back(std::move(gap));
    }

    bool has_words_at(std::size_t begin, std::size_t size) const {
        const std::size_t end = begin + size;
        return (begin == 0 || !gaps[begin].empty()) && (end == letters.size() || !gaps[end].empty());
    }

    std::string letters;
    std::vector<std::string> gaps;
};

std::string squeezed(std::string_view address) {
    std::string letters = mime::ascii_lower(address);
    std::erase_if(letters, [](char c) { return !is_of_word(c) && c != '@'; });
    return letters;
}

// OwnStretch is where a text shows one of the sender's own addresses, in what Squeezed makes of it.
struct OwnStretch {
    std::size_t begin, size;
    bool exact;  // as it is written, blanks around the "@" aside
};

// own_stretch looks for an address at a place of a text. Blanks may stand anywhere in it, and anything for the dots of
// its domain; without a "-" of its own it would be somebody else's.
std::optional<OwnStretch> own_stretch(const Squeezed& text, std::size_t begin, const Squeezed& own) {
    OwnStretch stretch{begin, own.letters.size(), true};
    bool in_domain = false;
    for (std::size_t i = 1; i < own.letters.size(); ++i) {
        in_domain = in_domain || own.letters[i - 1] == '@';
        const std::string &shown = text.gaps[begin + i], &written = own.gaps[i];
        if (shown == written) continue;
        std::string close = shown;
        std::erase_if(close, [](char c) { return kBlanks.find(c) != std::string_view::npos; });
        const bool beside_at = own.letters[i - 1] == '@' || own.letters[i] == '@';
        const bool goes_for_dot = in_domain && written == "." && !shown.empty();
        if (close != written && !goes_for_dot) return std::nullopt;
        stretch.exact = stretch.exact && beside_at && close == written;
    }
    return stretch;
}

// Shown is a text, and where it shows the sender's own addresses.
class Shown {
  public:
    Shown(std::string_view text, const std::vector<std::string>& own) : text_(text) {
        for (const std::string& mailbox : own) {
            const Squeezed address(mailbox);
            if (address.letters.empty()) continue;
            for_each(address.letters, [&](std::size_t at) {
                if (const auto stretch = own_stretch(text_, at, address)) own_.push_back(*stretch);
                return false;
            });
        }
    }

    /// has says whether letters stand there as words of their own, and are not of an address of the sender's.
    bool has(std::string_view letters) const {
        return for_each(letters, [&](std::size_t at) {
            return text_.has_words_at(at, letters.size()) && std::ranges::none_of(own_, [&](const OwnStretch& own) {
                       const bool same = at == own.begin && letters.size() == own.size;
                       return same || (own.exact && at >= own.begin && at + letters.size() <= own.begin + own.size);
                   });
        });
    }

  private:
    template <class Found>
    bool for_each(std::string_view letters, Found found) const {
        for (std::size_t at = text_.letters.find(letters); at != std::string::npos;
             at = text_.letters.find(letters, at + 1))
            if (found(at)) return true;
        return false;
    }

    Squeezed text_;
    std::vector<OwnStretch> own_;
};

// is_of_word_before says whether an "a" behind a text, in brackets or raised, is of the word there, as in "M\u00aaJ.
// P\u00e9rez" and "1\u00aaB": behind a capital alone, or no more than two digits.
bool is_of_word_before(std::string_view text) {
    constexpr std::size_t kLongest = 2;
    std::size_t size = 0;
    while (size < text.size() && size <= kLongest && !delimits(text[text.size() - size - 1]))
        ++size;
    if (size == 0 || size > kLongest) return false;
    const std::string_view word = text.substr(text.size() - size);
    const bool capital = size == 1 && word[0] >= 'A' && word[0] <= 'Z';
    return capital || std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// without_outer_brackets takes brackets off that stand around others: those at the end of what is written, and those in
// a text from a place on, which it gives behind them.
std::size_t without_outer_brackets(std::string& written, std::string_view text, std::size_t end) {
    for (;;) {
        const std::size_t before = written.find_last_not_of(kBlanks), behind = text.find_first_not_of(kBlanks, end);
        if (before == std::string::npos || behind == std::string_view::npos ||
            kOpening.find(written[before]) == std::string_view::npos ||
            kClosing.find(text[behind]) == std::string_view::npos)
            return end;
        written.resize(before);
        end = behind + 1;
    }
}

// abbreviation_dot is where the dot of an abbreviation or an initial stands that is the first word from a place on, and
// has another word behind it that does not go on in small letters ("(a) J. Gil"), and beyond ASCII has a capital; the
// end of the text for none.
std::size_t abbreviation_dot(std::string_view text, std::size_t begin) {
    constexpr std::size_t kLongest = 64;
    const std::size_t size = text.substr(begin, kLongest).find_first_of(kBlanks);
    if (size == std::string_view::npos || size == 0) return text.size();
    const std::size_t end = begin + size, next = text.find_first_not_of(kBlanks, end);
    if (next == std::string_view::npos || text[end - 1] != '.' || is_small_or_digit(text[next])) return text.size();
    const bool beyond_ascii = static_cast<unsigned char>(text[next]) >= 0x80;
    return beyond_ascii && !mime::starts_with_capital(text.substr(next)) ? text.size() : end - 1;
}

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
    // Small letters that UTS #39 has look like "a"; a capital in brackets stands for Austria.
    constexpr std::array<std::string_view, 4> kLikeA{"\u0251", "\u03b1", "\u0430", "\u237a"};
    constexpr std::array<std::string_view, 2> kWords{"at", "dot"};
    if (mime::is_ascii(text)) return std::string(text);
    const std::string bracketed = mime::plain_brackets(text);
    text = bracketed;
    std::string plain;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i;
        while (end < text.size() && !delimits(text[end]) && text[end] != '{' && text[end] != '}')
            ++end;
        const std::string_view word = text.substr(i, end - i);
        const std::string skeleton = mime::is_ascii(word) ? std::string() : mime::skeleton(word);
        const auto* meant = std::find(kWords.begin(), kWords.end(), skeleton);
        if (std::find(kLikeA.begin(), kLikeA.end(), word) != kLikeA.end())
            plain += 'a';
        else
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
    std::size_t no_dot = text.size();
    std::string result;
    for (std::size_t i = 0; i < text.size();) {
        const bool blank = kBlanks.find(text[i]) != std::string_view::npos;
        const std::size_t word = after_blanks(i + 1);
        std::size_t end = blank ? word : i + 1;  // of what is written as it is
        char sign = 0;
        for (const auto& [name, meant] : kSigns) {
            const std::size_t word_end = word + name.size(), next = after_blanks(word_end);
            if (lower.compare(word, name.size(), name) != 0 || next >= text.size()) continue;
            const bool is_a = name == "a";
            if (is_a && text[word] != 'a') continue;  // "(A)" stands for Austria
            const bool between = blank && bare && next > word_end && !is_a;
            const bool enclosed =
                kOpening.find(text[i]) != std::string_view::npos && kClosing.find(text[next]) != std::string_view::npos;
            if (!between && (!enclosed || (is_a && is_of_word_before(text.substr(0, i))))) continue;
            sign = meant;
            end = between ? next : next + 1;
            if (enclosed && !between) end = without_outer_brackets(result, text, end);
            // The dot in "Sr(a). Dr. Gil" is of the word before.
            if (is_a && text.substr(end).starts_with('.') && after_blanks(end + 1) > end + 1) ++end;
            if (is_a) no_dot = abbreviation_dot(text, after_blanks(end));
        }
        if (sign != 0)
            result += sign;
        else if (i != no_dot)
            result += text.substr(i, end - i);
        i = end;
    }
    return result;
}

std::string with_odd_dots(std::string_view written) {
    const std::string plain = mime::plain_punctuation(written);
    std::string_view text = plain;
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
    std::vector<Shown> forms{Shown(text, own)};
    if (!mime::is_ascii(text)) {
        std::vector<std::string> bare_own;
        std::ranges::transform(own, std::back_inserter(bare_own), mime::without_marks);
        forms.emplace_back(mime::without_marks(text), bare_own);
    }
    const auto found = std::ranges::find_if(addresses, [&](const std::string& address) {
        const std::string letters = squeezed(address);
        return std::ranges::any_of(forms, [&](const Shown& form) { return form.has(letters); }) &&
               !mime::is_among(own, address);
    });
    return found == addresses.end() ? std::string() : *found;
}

}  // namespace p11mime::cms::smime
