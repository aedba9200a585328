#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace p11mime::mime {

/// What a reader's eyes make of text on a screen. ICU is loaded at the first text beyond ASCII; each call throws
/// Error(io) where it is not installed.

/// plain_signs is plain_letters of a text with the signs of addresses as themselves, and blanks that count as letters
/// (those of Hangul and Braille) as blanks. What looks like a dot (UTS #39's confusables and round pictures) is one
/// between characters that are no blanks, unless both are of a script that it is used in, Latin aside: the dot between
/// words of Katakana is none, nor is that in Catalan's "l·l". A raised or framed "a" that stands where an "@" would is
/// "(a)", and a framed one that has no letters on both sides "@", but not among other letters in circles. Of the marks
/// on a letter no more than 30 are looked at. ASCII does without ICU.
std::string plain_signs(std::string_view text);

/// plain_brackets is a text with round brackets for those beyond ASCII, plain_punctuation one with a quotation mark for
/// each character beyond ASCII that is of no word, and a blank for a blank. ASCII does without ICU.
std::string plain_brackets(std::string_view text);
std::string plain_punctuation(std::string_view text);

/// without_narrow_blanks leaves out of a text what keeps words apart for some programs and readers only: tabs and line
/// ends, blanks narrower than that of ASCII, and those that count as letters of Hangul. Does without ICU.
std::string without_narrow_blanks(std::string_view text);

/// visual_order is text as a screen shows it from left to right (UAX #9) where the text around it runs from left to
/// right, or `right_to_left`; nothing where all of it is written from left to right.
std::optional<std::string> visual_order(std::string_view text, bool right_to_left);

}  // namespace p11mime::mime
