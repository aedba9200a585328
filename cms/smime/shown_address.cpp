#include "cms/smime/shown_address.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "cms/smime/spelled_address.h"
#include "mime/address.h"
#include "mime/header.h"
#include "mime/shown_text.h"
#include "mime/unicode.h"

namespace p11mime::cms::smime {

namespace {

constexpr std::array<std::string_view, 21> kQuotes{
    "'",      "\u2018", "\u2019", "\u201a", "\u201c", "\u201d", "\u201e", "\u00ab", "\u00bb", "\u2039", "\u203a",
    "\u275b", "\u275c", "\u275d", "\u275e", "\u300c", "\u300d", "\u300e", "\u300f", "\u3010", "\u3011"};

std::string_view unquoted(std::string_view text) {
    constexpr std::string_view kSignsBehind = ".!?=@";
    const auto size_of_one = [](auto is_there) -> std::size_t {
        const auto* quote = std::find_if(kQuotes.begin(), kQuotes.end(), is_there);
        return quote == kQuotes.end() ? 0 : quote->size();
    };
    const auto before = [&] { return size_of_one([&](std::string_view quote) { return text.starts_with(quote); }); };
    const auto behind = [&]() -> std::size_t {
        if (!text.empty() && kSignsBehind.find(text.back()) != std::string_view::npos) return 1;
        return size_of_one([&](std::string_view quote) { return text.ends_with(quote); });
    };
    for (std::size_t size = before(); size > 0; size = before())
        text.remove_prefix(size);
    for (std::size_t size = behind(); size > 0; size = behind())
        text.remove_suffix(size);
    return text;
}

// Word is one that a reader would take for an address.
struct Word {
    std::string text;
    bool apart;  // nothing but a blank or an opening bracket stands before it
};

// addresses_in is every such word of a text, wherever it stands.
std::vector<Word> addresses_in(std::string_view text) {
    std::vector<Word> found;
    for (std::size_t i = 0; i < text.size();) {
        std::size_t end = i;
        while (end < text.size() && !delimits(text[end]))
            ++end;
        const std::string_view word = unquoted(text.substr(i, end - i));
        const std::size_t at = word.rfind('@');
        const bool apart = i == 0 || kBlanks.find(text[i - 1]) != std::string_view::npos ||
                           kOpening.find(text[i - 1]) != std::string_view::npos;
        if (at != std::string_view::npos && at + 1 < word.size()) found.push_back({std::string(word), apart});
        i = std::max(end, i + 1);
    }
    return found;
}

std::string_view domain_of(std::string_view address) {
    return address.substr(address.rfind('@') + 1);
}

bool is_small(char c) {
    return c >= 'a' && c <= 'z';
}

bool is_capital(char c) {
    return c >= 'A' && c <= 'Z';
}

// is_house says whether a name with dots is that of a house with initials, and no domain: "B.Braun".
bool is_house(std::string_view name) {
    constexpr std::size_t kShortest = 4;  // a shorter one goes for a top-level domain
    const std::size_t dot = name.rfind('.');
    const std::string_view last = name.substr(dot + 1);
    if (last.size() < kShortest || !is_capital(last.front()) || !std::all_of(last.begin() + 1, last.end(), is_small))
        return false;
    for (std::size_t i = 0; i <= dot; ++i)
        if (i % 2 == 0 ? !is_capital(name[i]) : name[i] != '.') return false;
    return true;
}

// is_at_bluesky says whether a name is one that Bluesky gives to its users, "alice.bsky.social". No mail goes there.
bool is_at_bluesky(std::string_view name) {
    constexpr std::string_view kService = ".bsky.social";
    const std::string lower = mime::ascii_lower(name);
    const std::string_view user = std::string_view(lower).substr(0, lower.find('.'));
    return !user.empty() && std::string_view(lower).substr(user.size()) == kService &&
           std::all_of(user.begin(), user.end(),
                       [](char c) { return is_small(c) || (c >= '0' && c <= '9') || c == '-'; });
}

bool is_letter(char c) {
    return is_small(c) || is_capital(c) || static_cast<unsigned char>(c) >= 0x80;
}

// domain_part is as much of what follows the "@" as may stand in a domain.
std::string_view domain_part(std::string_view address) {
    const auto of_domain = [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
    const std::string_view domain = domain_of(address);
    return domain.substr(
        0, static_cast<std::size_t>(std::find_if_not(domain.begin(), domain.end(), of_domain) - domain.begin()));
}

// has_domain says whether what follows the "@" starts like a domain: "Jane @ Work" shows no address, and
// "ceo @ bank.example/Sales" does.
bool has_domain(std::string_view address) {
    std::string_view domain = domain_part(address);
    while (domain.ends_with('.') || domain.ends_with('-'))
        domain.remove_suffix(1);
    const std::size_t dot = domain.rfind('.');
    if (dot == std::string_view::npos || domain.front() == '.' || domain.find("..") != std::string_view::npos)
        return false;
    if (is_house(domain) || is_at_bluesky(domain)) return false;
    std::string_view top = domain.substr(dot + 1);
    if (top.starts_with("xn--")) return true;
    top = top.substr(0, top.find('-'));
    return top.size() > 1 && std::all_of(top.begin(), top.end(), is_letter);
}

// may_have_domain says so of text whose words may end elsewhere for the reader: "ceo@bank.example4" has a domain.
bool may_have_domain(std::string_view address) {
    const std::string_view domain = domain_part(address);
    if (is_house(domain) || is_at_bluesky(domain)) return false;
    for (std::size_t i = 1; i + 2 < domain.size(); ++i)
        if (domain[i] == '.' && is_letter(domain[i + 1]) && is_letter(domain[i + 2])) return true;
    return false;
}

bool is_house_of(const std::vector<std::string>& mailboxes, std::string_view name) {
    return std::any_of(mailboxes.begin(), mailboxes.end(),
                       [&](std::string_view mailbox) { return mime::equal_ignoring_case(domain_of(mailbox), name); });
}

// is_handle says whether a word is a handle, or a name at a house, and no address: "@alice_x", "@alice.bsky.social",
// "Alice@ACME". The name of a sender's own domain is none, with or without a dot.
bool is_handle(const Word& word, const std::vector<std::string>& mailboxes, bool in_name) {
    const std::string_view behind = std::string_view(word.text).substr(word.text.find('@') + 1);
    if (word.text.starts_with('@') && is_at_bluesky(behind) && (word.apart || !in_name)) return true;
    return mime::is_plain_word(behind) && !is_house_of(mailboxes, behind);
}

// has_odd_sign says whether letters follow the "@" with one beyond ASCII among them that is of no name.
bool has_odd_sign(std::string_view address) {
    const std::string_view behind = address.substr(address.find('@') + 1);
    std::string ascii(behind);
    std::erase_if(ascii, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
    return !mime::plain_punctuation(behind).starts_with('"') && mime::is_plain_word(ascii) &&
           !mime::is_plain_word(behind);
}

// is_of says whether what is shown is one of the mailboxes, or the domain of one. In a whole field, a comment or a
// quote of the sender's own address may stand before that; in a name alone it is the end of somebody else's address.
bool is_of(const std::vector<std::string>& mailboxes, const Word& shown, bool in_name) {
    if (!shown.text.starts_with('@')) return mime::is_among(mailboxes, shown.text);
    if (in_name && !shown.apart) return false;
    return std::any_of(mailboxes.begin(), mailboxes.end(), [&](const std::string& mailbox) {
        return mime::same_mailbox("x" + shown.text, "x" + mailbox.substr(mailbox.rfind('@')));
    });
}

// is_at_home_of says whether the domain of what is shown is that of one of the mailboxes, or one that it belongs to.
bool is_at_home_of(const std::vector<std::string>& mailboxes, const std::string& shown) {
    const std::string domain = mime::ascii_domain(domain_of(shown));
    return std::any_of(mailboxes.begin(), mailboxes.end(), [&](const std::string& mailbox) {
        const std::string own = mime::ascii_domain(domain_of(mailbox));
        return own == domain || own.ends_with('.' + domain);
    });
}

// is_of_sentence says whether what stands before "at" makes a sentence, and no address: "Look at booking.com", "Meet us
// at example.com". Only words that name nobody count.
bool is_of_sentence(std::string_view address) {
    constexpr std::array<std::string_view, 8> kWords{"look", "looking", "me", "us", "you", "is", "are", "working"};
    const std::string local = mime::ascii_lower(address.substr(0, address.rfind('@')));
    return std::find(kWords.begin(), kWords.end(), local) != kWords.end();
}

// seen is what a reader sees of a decoded text. Backslashes are of quoted pairs, and controls show nothing.
std::string seen(const std::string& decoded) {
    std::string shown;
    for (const char c : mime::plain_signs(decoded)) {
        const bool control = (c >= 0 && c < ' ') || c == 0x7f;
        if (c != '\\' && (!control || kBlanks.find(c) != std::string_view::npos)) shown += c;
    }
    return shown;
}

// Reading is how a text comes about: as all programs read it, or as some do. Honest names may come out broken then, and
// nothing but a domain makes an address.
enum class Reading { usual, possible };

// foreign_in looks at one text that is shown of a field, a name in it or all of it.
std::string foreign_in(const std::string& text, const std::vector<std::string>& mailboxes, bool is_name,
                       Reading reading) {
    if (is_name && mime::is_among(mailboxes, text)) return {};
    const auto foreign = [&](const Word& word) { return !is_of(mailboxes, word, is_name); };
    const auto domain = [&](const Word& word) {
        return reading == Reading::usual ? has_domain(word.text) : may_have_domain(word.text);
    };
    const auto address = [&](const Word& word) {
        return reading == Reading::usual ? !is_handle(word, mailboxes, is_name)
                                         : domain(word) || is_house_of(mailboxes, domain_of(word.text));
    };
    for (const Word& word : addresses_in(text))
        if (address(word) && foreign(word)) return word.text;
    const std::string words = with_plain_words(text), spelled = spelled_out(words, false);
    if (reading == Reading::usual)
        for (const Word& word : addresses_in(spelled))
            if (has_odd_sign(word.text) && foreign(word)) return word.text;
    const std::string close = without_gaps(spelled);
    for (const Word& word : addresses_in(close))
        if (domain(word) && foreign(word)) return word.text;
    if (is_name)
        for (const Word& word : addresses_in(with_odd_dots(close)))
            if (has_domain(word.text) && foreign(word)) return word.text;
    for (const Word& word : addresses_in(spelled_out(words, true)))
        if (domain(word) && foreign(word) && !is_at_home_of(mailboxes, word.text) && !is_of_sentence(word.text))
            return word.text;
    return {};
}

// Senders is the mailboxes of a field as they are written, and as screens show them in text of either direction.
class Senders {
  public:
    explicit Senders(const std::vector<std::string>& mailboxes) : written_(mailboxes) {
        for (const bool right_to_left : {false, true})
            for (const std::string& mailbox : mailboxes)
                shown_[right_to_left].push_back(mime::visual_order(mailbox, right_to_left).value_or(mailbox));
    }

    // foreign_in_decoded looks at a text as programs show it that leave out some blanks too.
    std::string foreign_in_decoded(const std::string& text, bool is_name, Reading reading) const {
        std::string found = foreign_on_screen(text, is_name, reading);
        const std::string closed_up = mime::without_narrow_blanks(text);
        if (found.empty() && closed_up != text) found = foreign_on_screen(closed_up, is_name, Reading::possible);
        return found;
    }

  private:
    // foreign_on_screen looks at a text as it is written, and at a name as screens show it too.
    std::string foreign_on_screen(const std::string& text, bool is_name, Reading reading) const {
        std::string found = foreign_in(seen(text), written_, is_name, reading);
        for (const bool right_to_left : {false, true}) {
            if (!is_name || !found.empty()) break;
            const std::optional<std::string> turned = mime::visual_order(text, right_to_left);
            if (!turned) break;
            found = foreign_in(seen(*turned), shown_[right_to_left], is_name, reading);
        }
        return found;
    }

    const std::vector<std::string>& written_;
    std::array<std::vector<std::string>, 2> shown_;
};

// without_inner_at writes a blank for each "@" of a field, as the addresses and names in it have their own, but for one
// at an end of a comment: "office (@) bank.example" shows an address.
std::string without_inner_at(const std::string& text) {
    std::string result = text;
    for (std::size_t at = text.find('@'); at != std::string::npos; at = text.find('@', at + 1)) {
        const std::size_t before = at == 0 ? std::string::npos : text.find_last_not_of(kBlanks, at - 1);
        const std::size_t behind = text.find_first_not_of(kBlanks, at + 1);
        const bool opens = before != std::string::npos && kOpening.find(text[before]) != std::string_view::npos;
        const bool closes = behind != std::string::npos && kClosing.find(text[behind]) != std::string_view::npos;
        if (!opens && !closes) result[at] = ' ';
    }
    return result;
}

// forms_apart is what programs read that convert each encoded word by itself, in a text and in what it decodes to.
std::vector<std::string> forms_apart(const std::string& text, const std::vector<std::string>& decoded) {
    std::vector<std::string> forms = mime::decode_words_apart(text);
    for (const std::string& form : decoded)
        if (form != text) std::ranges::copy(mime::decode_words_apart(form), std::back_inserter(forms));
    std::erase_if(forms, [&](const std::string& form) { return std::ranges::find(decoded, form) != decoded.end(); });
    return forms;
}

}  // namespace

bool turns_letters(const std::string& field_value) {
    constexpr std::string_view kOverride = "\xe2\x80\xae";  // U+202E, right-to-left override
    std::vector<std::string> forms = mime::decoded_forms(field_value);
    std::ranges::copy(forms_apart(field_value, forms), std::back_inserter(forms));
    return std::any_of(forms.begin(), forms.end(),
                       [&](const std::string& form) { return form.find(kOverride) != std::string::npos; });
}

std::string known_address_shown(const std::string& field_value, const std::vector<std::string>& known,
                                const std::vector<std::string>& mailboxes) {
    const auto shown_in = [&](const std::string& text) {
        return shown_among(known, spelled_out(with_plain_words(text), true), mailboxes);
    };
    const auto shown_to_some = [&](const std::string& form, auto text_of) {
        std::string shown = shown_in(text_of(form));
        const std::string closed_up = mime::without_narrow_blanks(form);
        return shown.empty() && closed_up != form ? shown_in(text_of(closed_up)) : shown;
    };
    const auto of_field = [](const std::string& form) { return without_inner_at(seen(form)); };
    for (const std::string& name : mime::names_beside_addresses(field_value))
        for (const std::string& form : mime::decoded_forms(name))
            if (std::string shown = shown_to_some(form, seen); !shown.empty()) return shown;
    for (const std::string& form : mime::decoded_forms(field_value))
        if (std::string shown = shown_to_some(form, of_field); !shown.empty()) return shown;
    return {};
}

std::string foreign_address(std::string field_value, const std::vector<std::string>& mailboxes) {
    std::replace(field_value.begin(), field_value.end(), '\t', ' ');  // a line may be folded at one
    const Senders senders(mailboxes);
    const auto in = [&](const std::string& text, bool is_name, Reading reading) -> std::string {
        const std::vector<std::string> forms = mime::decoded_forms(text);
        for (const std::string& form : forms)
            if (std::string shown = senders.foreign_in_decoded(form, is_name, reading); !shown.empty()) return shown;
        for (const std::string& form : forms_apart(text, forms))
            if (std::string shown = senders.foreign_in_decoded(form, is_name, Reading::possible); !shown.empty())
                return shown;
        return {};
    };
    std::string shown = in(field_value, false, Reading::usual);
    if (!shown.empty()) return shown;
    for (const std::string& name : mime::names_beside_addresses(field_value))
        if (shown = in(name, true, Reading::usual); !shown.empty()) return shown;
    for (const std::string& form : mime::closed_up_forms(field_value))
        if (shown = in(form, false, Reading::possible); !shown.empty()) return shown;
    return {};
}

}  // namespace p11mime::cms::smime
