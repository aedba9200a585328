#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "mime/address.h"
#include "mime/base64.h"
#include "mime/base64_groups.h"
#include "mime/charset.h"
#include "mime/codec.h"
#include "mime/error.h"
#include "mime/header.h"
#include "mime/hex.h"
#include "mime/text.h"

namespace p11mime::mime {

namespace {

// Word is one encoded word (RFC 2047 section 2), its text decoded to the bytes of its charset.
struct Word {
    std::string_view raw;
    std::string charset;
    std::string bytes;
};

std::optional<std::string> q_decoded(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '_') {
            bytes += ' ';
        } else if (text[i] != '=') {
            bytes += text[i];
        } else {
            const auto byte = hex_byte(text.substr(i + 1));
            if (!byte) return std::nullopt;
            bytes += static_cast<char>(*byte);
            i += 2;
        }
    }
    return bytes;
}

// Missing padding is forgiven: some mailers leave it out.
std::optional<std::string> b_decoded(std::string_view text) {
    std::string padded(text);
    while (padded.size() % 4 > 1)
        padded += '=';
    try {
        Base64Decoder decoder;
        std::string bytes(Base64Decoder::decoded_size(padded.size()), '\0');
        bytes.resize(decoder.decode(bytes_of(padded), reinterpret_cast<Byte*>(bytes.data())));
        decoder.finish();
        return bytes;
    } catch (const Error&) {
        return std::nullopt;
    }
}

// The encoded word at the front of text, which starts with "=?"; nothing where it is broken.
std::optional<Word> word_at(std::string_view text) {
    const std::size_t charset_end = text.find('?', 2);
    if (charset_end == std::string_view::npos || text.size() < charset_end + 3 || text[charset_end + 2] != '?')
        return std::nullopt;
    const std::size_t begin = charset_end + 3;
    const std::size_t end = text.find('?', begin);
    if (end == std::string_view::npos || !text.substr(end).starts_with("?=")) return std::nullopt;
    const std::string_view raw = text.substr(0, end + 2);
    if (std::any_of(raw.begin(), raw.end(), is_space)) return std::nullopt;

    const std::string_view charset = text.substr(2, charset_end - 2);
    const std::string_view encoded = text.substr(begin, end - begin);
    const char encoding = text[charset_end + 1];
    std::optional<std::string> bytes;
    if (encoding == 'Q' || encoding == 'q') bytes = q_decoded(encoded);
    if (encoding == 'B' || encoding == 'b') bytes = b_decoded(encoded);
    if (!bytes) return std::nullopt;
    return Word{raw, ascii_lower(charset.substr(0, charset.find('*'))), std::move(*bytes)};
}

// Run is a row of encoded words with nothing but white space between them, which is then no part of the text (RFC 2047
// section 6.2). Mailers split characters between words, so words of one charset are converted together.
class Run {
  public:
    bool empty() const { return words_.empty(); }
    void add(Word word) { words_.push_back(std::move(word)); }

    std::string text() const {
        std::string text;
        bool after_decoded = false;
        for (std::size_t begin = 0, end = 0; begin < words_.size(); begin = end) {
            std::string bytes;
            for (; end < words_.size() && words_[end].charset == words_[begin].charset; ++end)
                bytes += words_[end].bytes;
            if (const auto together = to_utf8(words_[begin].charset, bytes)) {
                text += (after_decoded ? "" : gap(begin)) + *together;
                after_decoded = true;
                continue;
            }
            for (std::size_t i = begin; i < end; ++i) {
                const auto alone = to_utf8(words_[i].charset, words_[i].bytes);
                text += (alone && after_decoded ? "" : gap(i)) + alone.value_or(std::string(words_[i].raw));
                after_decoded = alone.has_value();
            }
        }
        return text;
    }

  private:
    // The white space before a word of the run; it is kept beside a word that could not be decoded.
    std::string gap(std::size_t index) const {
        if (index == 0) return {};
        const std::string_view before = words_[index - 1].raw;
        const char* const begin = before.data() + before.size();
        return {begin, words_[index].raw.data()};
    }

    std::vector<Word> words_;
};

bool all_space(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_space);
}

}  // namespace

std::string decode_words(std::string_view field_value) {
    std::string text;
    Run run;
    std::size_t done = 0;
    for (std::size_t at = field_value.find("=?"); at != std::string_view::npos;) {
        std::optional<Word> word = word_at(field_value.substr(at));
        if (!word) {
            at = field_value.find("=?", at + 2);
            continue;
        }
        const std::string_view gap = field_value.substr(done, at - done);
        if (run.empty() || !all_space(gap)) {
            text += run.text();
            text += gap;
            run = {};
        }
        done = at + word->raw.size();
        at = field_value.find("=?", done);
        run.add(std::move(*word));
    }
    text += run.text();
    text += field_value.substr(done);
    return text;
}

namespace {

std::string q_loosely(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = text[i] == '=' ? hex_byte(text.substr(i + 1)) : std::nullopt;
        bytes += byte ? static_cast<char>(*byte) : text[i] == '_' ? ' ' : text[i];
        if (byte) i += 2;
    }
    return bytes;
}

std::string b_loosely(std::string_view text) {
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;  // of bits at hand
    for (const char c : text) {
        const std::size_t value = kBase64Alphabet.find(c);
        if (c == '=') count = 0;
        if (value == std::string_view::npos) continue;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes += static_cast<char>(bits >> count & 0xff);
    }
    return bytes;
}

// LooseWord is what goes for an encoded word, and the words of its charset and encoding behind it.
struct LooseWord {
    std::string charset;
    char encoding;     // 'q' or 'b'
    std::string text;  // encoded
    std::size_t size;  // of the word as it stands; the last of them where it is several

    std::string bytes() const { return encoding == 'q' ? q_loosely(text) : b_loosely(text); }
    std::string decoded() const {
        const std::string bytes = this->bytes();
        if (const auto strictly = to_utf8(charset, bytes)) return *strictly;
        const auto loosely = to_utf8_loosely(charset, bytes);
        return loosely ? bytes + " " + *loosely : bytes;
    }
};

// The loose word at the front of text, which starts with "=?"; one without an end goes to the end.
std::optional<LooseWord> loose_word_at(std::string_view text) {
    const std::size_t charset_end = text.find('?', 2);
    if (charset_end == std::string_view::npos || text.size() < charset_end + 3 || text[charset_end + 2] != '?')
        return std::nullopt;
    const std::string encoding = ascii_lower(text.substr(charset_end + 1, 1));
    if (encoding != "q" && encoding != "b") return std::nullopt;
    const std::size_t begin = charset_end + 3, end = text.find("?=", begin);
    const std::string charset = ascii_lower(trim(text.substr(2, charset_end - 2)));
    return LooseWord{charset.substr(0, charset.find('*')), encoding.front(),
                     std::string(text.substr(begin, end == std::string_view::npos ? end : end - begin)),
                     end == std::string_view::npos ? text.size() : end + 2};
}

}  // namespace

std::string decode_words_loosely(std::string_view field_value) {
    std::string text;
    std::optional<LooseWord> held;
    std::size_t done = 0;
    for (std::size_t at = field_value.find("=?"); at != std::string_view::npos;) {
        std::optional<LooseWord> word = loose_word_at(field_value.substr(at));
        if (!word) {
            at = field_value.find("=?", at + 2);
            continue;
        }
        const std::string_view gap = field_value.substr(done, at - done);
        done = at + word->size;
        at = field_value.find("=?", done);
        if (held && all_space(gap) && held->charset == word->charset && held->encoding == word->encoding) {
            held->text += word->text;
            continue;
        }
        if (held) text += held->decoded();
        if (!held || !all_space(gap)) text += gap;
        held = std::move(word);
    }
    if (held) text += held->decoded();
    text += field_value.substr(done);
    return text;
}

std::vector<std::string> decoded_forms(std::string_view field_value) {
    constexpr std::size_t kMostTimes = 3;
    std::vector<std::string> forms;
    const auto add = [&](std::string_view text) {
        for (const std::string& form : {decode_words(text), decode_words_loosely(text)})
            if (std::find(forms.begin(), forms.end(), form) == forms.end()) forms.push_back(form);
    };
    add(field_value);
    for (std::size_t time = 1, begin = 0; time < kMostTimes; ++time)
        for (const std::size_t end = forms.size(); begin < end; ++begin)
            add(std::string(forms[begin]));
    return forms;
}

std::vector<std::string> decode_words_apart(std::string_view field_value) {
    std::string converted, with_bytes;
    const auto add = [&](std::string_view text) {
        converted += text;
        with_bytes += text;
    };
    std::size_t done = 0;
    for (std::size_t at = field_value.find("=?"); at != std::string_view::npos;) {
        const std::optional<LooseWord> word = loose_word_at(field_value.substr(at));
        if (!word) {
            at = field_value.find("=?", at + 2);
            continue;
        }
        const std::string_view gap = field_value.substr(done, at - done);
        if (done == 0 || !all_space(gap)) add(gap);
        const std::string bytes = word->bytes();
        const std::string text = to_utf8_loosely(word->charset, bytes).value_or(bytes);
        converted += text;
        with_bytes += hides_ascii(word->charset) ? bytes : text;
        done = at + word->size;
        at = field_value.find("=?", done);
    }
    add(field_value.substr(done));
    if (converted == with_bytes) return {converted};
    return {converted, with_bytes};
}

std::optional<std::string> unreadable_charset(std::string_view field_value) {
    // Programs differ on where a broken word ends, so one may start within another.
    for (std::size_t at = field_value.find("=?"); at != std::string_view::npos; at = field_value.find("=?", at + 2)) {
        const std::optional<LooseWord> word = loose_word_at(field_value.substr(at));
        const bool is_named = word && !word->charset.empty() && word->charset != "unknown-8bit";
        if (is_named && !is_shared(word->charset)) return word->charset;
    }
    return std::nullopt;
}

bool has_odd_word(std::string_view field_value) {
    const auto is_odd_q = [](std::string_view text) {
        for (std::size_t at = text.find('='); at != std::string_view::npos; at = text.find('=', at + 1))
            for (const char c : text.substr(at + 1, 2))
                if (hex_value(c) < 0) return true;
        return false;
    };
    const auto is_odd_base64 = [](std::string_view text) {
        const std::size_t letters = text.find_last_not_of('=') + 1, padding = text.size() - letters;
        return text.substr(0, letters).find_first_not_of(kBase64Alphabet) != std::string_view::npos ||
               (padding == 0 ? letters % 4 == 1 : padding > 2 || text.size() % 4 != 0);
    };
    for (std::size_t at = field_value.find("=?"); at != std::string_view::npos; at = field_value.find("=?", at + 2)) {
        const std::optional<LooseWord> word = loose_word_at(field_value.substr(at));
        if (word && (word->encoding == 'b' ? is_odd_base64(word->text) : is_odd_q(word->text))) return true;
    }
    return false;
}

namespace {

// The size of the character at the front of UTF-8; 0 where there is none.
std::size_t character_size(std::string_view text) {
    constexpr std::array<char32_t, 5> kFirstOfSize{0, 0, 0x80, 0x800, 0x10000};
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (byte(0) < 0x80) return 1;
    const std::size_t size = byte(0) < 0xe0 ? 2 : byte(0) < 0xf0 ? 3 : 4;
    if (byte(0) < 0xc0 || byte(0) > 0xf4 || size > text.size()) return 0;
    char32_t code = byte(0) & 0x7fU >> size;
    for (std::size_t i = 1; i < size; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) return 0;
        code = code << 6 | (byte(i) & 0x3fU);
    }
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    return code >= kFirstOfSize[size] && code <= 0x10ffff && !surrogate ? size : 0;
}

// The letters of windows-1252, as UTF-8; what it leaves out are controls, as in ISO 8859-1.
std::array<std::string, 256> windows_1252() {
    std::array<std::string, 256> letters;
    for (std::size_t i = 0; i < letters.size(); ++i) {
        const char byte = static_cast<char>(i);
        const auto letter = to_utf8("windows-1252", {&byte, 1});
        letters[i] = letter ? *letter : to_utf8("iso-8859-1", {&byte, 1}).value();
    }
    return letters;
}

bool is_plain(std::string_view word) {
    constexpr std::size_t kMostUnfolded = 512;  // a longer one might not go into a line of 998 bytes with a name
    return word.size() <= kMostUnfolded && word.find("=?") == std::string_view::npos &&
           std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

std::string in_utf8(std::string_view header_text) {
    if (std::all_of(header_text.begin(), header_text.end(), [](char c) { return c >= 0; }))
        return std::string(header_text);
    static const std::array<std::string, 256> kLetters = windows_1252();
    std::string text;
    while (!header_text.empty()) {
        const std::size_t size = character_size(header_text);
        if (size == 0)
            text += kLetters[static_cast<unsigned char>(header_text.front())];
        else
            text += header_text.substr(0, size);
        header_text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return text;
}

namespace {

// as_words is UTF-8 as a row of encoded words.
std::string as_words(std::string_view text) {
    constexpr std::size_t kMaxWordBytes = 45;  // in base64 within the 75 characters of RFC 2047 section 2
    std::string encoded;
    while (!text.empty()) {
        std::size_t size = 0;
        while (size < text.size()) {
            const std::size_t more = character_size(text.substr(size));
            if (size + more > kMaxWordBytes) break;
            size += more;
        }
        encoded += (encoded.empty() ? "" : " ") + ("=?utf-8?B?" + base64_text(bytes_of(text.substr(0, size))) + "?=");
        text.remove_prefix(size);
    }
    return encoded;
}

}  // namespace

std::string encode_words(std::string_view header_text) {
    const std::string text = in_utf8(header_text);
    std::string encoded;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find(' ', at), text.size());
        const std::string_view word = std::string_view(text).substr(at, end - at);
        if (at > 0) encoded += ' ';
        // All the rest goes into one row of encoded words: white space between two of them is no part of the text.
        if (!is_plain(word)) return encoded + as_words(std::string_view(text).substr(at));
        encoded += word;
        at = end + 1;
    }
    return encoded;
}

std::string encode_phrase(std::string_view header_text) {
    return as_words(in_utf8(header_text));
}

}  // namespace p11mime::mime
