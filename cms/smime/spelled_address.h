#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace p11mime::cms::smime {

/// Ways to write an address so that people read it and programs do not.

inline constexpr std::string_view kBlanks = " \t\r\n", kOpening = "([{<", kClosing = ")]}>";

/// delimits says whether a character ends a word of a field.
bool delimits(char c);

/// without_gaps takes the blanks around "@" and "." out of a text: a reader sees an address in "ceo @ bank . example".
std::string without_gaps(std::string_view text);

/// with_plain_words writes "at", "a" and "dot" in the letters of ASCII where others look like them, and any brackets as
/// those of ASCII.
std::string with_plain_words(std::string_view text);

/// spelled_out writes the signs of an address that stand in words as themselves: "(at)", "(a)" and "[dot]" with
/// brackets, and with `bare` those of several letters between blanks too. "(a)" is of many honest names: it is no sign
/// behind a capital alone or an ordinal, and behind it an abbreviation before another name loses its dot, so that it
/// goes for no domain ("Director(a) J. Gil").
std::string spelled_out(std::string_view text, bool bare);

/// with_odd_dots writes a dot where something else stands before the last label of a domain, which must end the word:
/// a comma between small letters ("ceo@bank,example"), one of ",;:" before a general top-level domain, or blanks before
/// such a domain in small letters ("ceo@bank gov").
std::string with_odd_dots(std::string_view text);

/// shown_among is which of some addresses a text shows, whatever stands between its letters and in place of its dots,
/// and whatever marks are on them; "" for none. What it shows must be words of their own, and no part of one of `own`
/// that is written out. One of `own` with blanks in it, or something else for the dots of its domain, is none either.
std::string shown_among(const std::vector<std::string>& addresses, std::string_view text,
                        const std::vector<std::string>& own);

}  // namespace p11mime::cms::smime
