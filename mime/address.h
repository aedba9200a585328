#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace p11mime::mime {

/// Address is one mailbox of an address field.
struct Address {
    std::string display_name;  ///< UTF-8, encoded words decoded; "" where there is none
    std::string mailbox;       ///< "local@domain", comments and white space dropped, quotes kept only where needed
};

/// parse_addresses reads an address list (RFC 5322 section 3.4, groups and obsolete forms too). What is no address is
/// left out.
std::vector<Address> parse_addresses(std::string_view field_value);

/// unreadable_addresses gives what parse_addresses leaves out: each entry of an address list that is no address, as it
/// stands there.
std::vector<std::string> unreadable_addresses(std::string_view field_value);

/// names_beside_addresses gives the display names, names of groups and comments of an address list, quoted pairs
/// resolved and encoded words as they are.
std::vector<std::string> names_beside_addresses(std::string_view field_value);

/// normal_mailbox is a mailbox (RFC 5321 section 4.1.2) with quotes kept only where needed, as in an Address; nothing
/// where the text as a whole is no mailbox: names, comments, routes and groups belong to header fields alone.
std::optional<std::string> normal_mailbox(std::string_view text);

/// with_ascii_domain is a mailbox with A-labels where its domain is beyond ASCII.
std::string with_ascii_domain(std::string_view mailbox);

/// same_mailbox compares two mailboxes: the domain without case, A-labels and U-labels alike (RFC 9598 section 5), and
/// the local part without case for ASCII letters, as mail systems in the field do (RFC 5280 section 7.5 has it exact).
bool same_mailbox(std::string_view a, std::string_view b);

/// is_among says whether a mailbox is the same as one of several.
bool is_among(const std::vector<std::string>& mailboxes, std::string_view mailbox);

/// is_mailbox says whether text is one plain "local@domain".
bool is_mailbox(std::string_view text);

/// decode_words decodes RFC 2047 encoded words to UTF-8; unknown charsets and broken words stay as they are. The result
/// may hold any character, control characters included.
std::string decode_words(std::string_view field_value);

/// decode_words_loosely decodes what decode_words leaves and mail programs decode all the same: words with blanks, with
/// broken ends or with characters that do not belong there, words that were cut within a character. What is in no known
/// charset stays as its bytes are; what is not valid in its charset does too, and follows once more, behind a blank,
/// with U+FFFD for each such byte: programs show the one or the other.
std::string decode_words_loosely(std::string_view field_value);

/// decoded_forms is what programs make of the words of a text: what decode_words and decode_words_loosely give, each
/// once, and the same of that where there are words in it: gateways and pages decode one after the other.
std::vector<std::string> decoded_forms(std::string_view field_value);

/// decode_words_apart is what programs read that convert each word by itself, as RFC 2047 section 6.2 has it: joined to
/// its neighbours, a word may have a character that its own letters are not to be seen in. U+FFFD stands for what is
/// not valid. The bytes of words in a charset that hides_ascii are looked at in a second text.
std::vector<std::string> decode_words_apart(std::string_view field_value);

/// closed_up_forms is a field as programs read it that take out what breaks its words up, each form once and none as it
/// stands: controls, and blanks before an encoded word wherever one went before; then comments and quotes too.
std::vector<std::string> closed_up_forms(std::string_view field_value);

/// unreadable_charset is the charset of an encoded word, as decode_words_loosely reads them, that cannot be converted,
/// or is one in which programs that do not know it see other addresses (is_shared). Words that name no charset, or
/// "unknown-8bit" (RFC 1428), do not count: their bytes are all there is. Nothing where all can be read.
std::optional<std::string> unreadable_charset(std::string_view field_value);

/// has_odd_word says whether an encoded word in base64 has anything but its letters and, at its end, the padding that
/// its size asks for, or none, or one in the Q encoding anything but hexadecimal digits behind a "=": programs differ
/// on what they pass over, and on what they read behind it.
bool has_odd_word(std::string_view field_value);

/// in_utf8 is text of a header in UTF-8: bytes that are none are taken for windows-1252, as mail programs do.
std::string in_utf8(std::string_view header_text);

/// encode_words writes text, as in_utf8 takes it, in ASCII that can be folded (make_field): what is not plain, or a
/// word of more than 512 bytes, becomes encoded words (RFC 2047).
std::string encode_words(std::string_view header_text);

/// encode_phrase writes all of a text, as in_utf8 takes it, as encoded words: in a display name or a comment plain
/// signs could have a meaning of their own.
std::string encode_phrase(std::string_view header_text);

/// encode_names writes an address list, as in_utf8 takes it, so that it can be folded: display names, names of groups
/// and comments beyond ASCII as encoded words, all else as it stands, in UTF-8 where an address is beyond ASCII.
std::string encode_names(std::string_view field_value);

/// parse_date reads an RFC 5322 date and gives RFC 3339 in UTC, or "" where it is none.
std::string parse_date(std::string_view field_value);

}  // namespace p11mime::mime
