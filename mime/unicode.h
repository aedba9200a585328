#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace p11mime::mime {

/// What ICU tells of text. It is loaded at the first call with anything to tell; each call throws Error(io) where it is
/// not installed.

/// ascii_domain is the form of a domain that is compared: labels beyond ASCII as A-labels (UTS #46, nontransitional, as
/// IDNA2008 has it), lower case. A domain that ICU refuses stays as it is. ASCII domains do without ICU.
std::string ascii_domain(std::string_view domain);

/// unicode_domain is the form of a domain that is shown: A-labels as the letters that they stand for. Domains without
/// any do without ICU.
std::string unicode_domain(std::string_view domain);

/// skeleton is the same for texts that look alike (UTS #39 section 4), letters' case aside, and what shows nothing:
/// other than ICU's, it drops Default_Ignorable_Code_Points, and dots above letters that have one.
std::string skeleton(std::string_view text);

/// ascii_skeleton is the skeleton of an ASCII text, without ICU.
std::string ascii_skeleton(std::string_view text);
/// is_picture_of says whether one ASCII address looks like another, without ICU: labels that are written in capitals
/// look like those of the other in capitals, where "I" is "l", "1" and "|", and "L" is none of those ("ClTY" is
/// "CITY").
bool is_picture_of(std::string_view address, std::string_view other);
/// without_marks leaves of each letter what it is without accents, dots and other marks.
std::string without_marks(std::string_view text);

/// mixes_scripts says whether text has letters of scripts that no language writes together (UTS #39 section 5.2, highly
/// restrictive), letters that nobody writes names with, or marks that do not show. ASCII does without ICU.
bool mixes_scripts(std::string_view text);

/// plain_letters is a text with compatibility forms as the letters that they stand for (NFKC: a wide "@" as "@") and
/// without characters that show nothing (Default_Ignorable_Code_Point). ASCII does without ICU.
std::string plain_letters(std::string_view text);

/// without_case is the same for texts that differ in nothing but letters' case, how letters with marks are composed,
/// compatibility forms and what shows nothing (NFKC_Casefold). ASCII does without ICU.
std::string without_case(std::string_view text);

/// is_plain_word says whether all of a text is letters, marks, pictures, ASCII digits and what names have between them
/// ("_-&+'", the middle dot of Katakana), and none of them could go for a dot, as that below a consonant before another
/// letter could, or a mark of another script between two letters. ASCII does without ICU.
bool is_plain_word(std::string_view text);

/// starts_with_capital says whether the first character of a text is a capital letter. ASCII does without ICU.
bool starts_with_capital(std::string_view text);

/// is_general_top says whether a label is one of the general top-level domains of RFC 1591, in whatever letters' case.
bool is_general_top(std::string_view label);

/// is_ascii says whether text has no byte beyond ASCII.
bool is_ascii(std::string_view text);

}  // namespace p11mime::mime
