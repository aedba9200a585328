#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mime/window.h"

namespace p11mime::mime {

enum class LineEnding { crlf, lf };

/// line_end is the bytes of a line ending.
std::string_view line_end(LineEnding ending);

/// kMaxHeaderBytes and kMaxHeaderFields bound one header block; longer ones are malformed.
inline constexpr std::size_t kMaxHeaderBytes = 1024 * 1024;
inline constexpr std::size_t kMaxHeaderFields = 10'000;

/// Field is one header field, byte-exact.
struct Field {
    std::string name;  ///< as written, without the colon
    std::string raw;   ///< the whole field as it stood: name, colon, folded lines, final line ending

    /// value is the body of the field, unfolded (RFC 5322 section 2.2.3) and without surrounding white space.
    std::string value() const;
};

/// Header is a header block, byte-exact: raw() of what read_header returned is what it read.
struct Header {
    std::vector<Field> fields;
    std::string end;  ///< the empty line that ended the block, as it stood; empty where the input ended first

    const Field* find(std::string_view name) const;  ///< the first field of that name (case-insensitive), or null
    std::vector<const Field*> all(std::string_view name) const;  ///< every field of that name, in order
    std::string value_or_empty(std::string_view name) const;     ///< value() of find(name), or ""
    std::string raw() const;                                     ///< the fields and the empty line
    LineEnding ending() const;                                   ///< of the first line; crlf for an empty block
};

/// read_header consumes a header block and its empty line. An mbox "From " line before the first field is dropped if
/// `skip_from_line`, unless it has a CR inside. A line that is no field and no continuation ends in Error(malformed),
/// as do the limits.
Header read_header(Window& from, bool skip_from_line = false);

/// header_oddity says what in a header block, as it stood, lets programs differ on where its fields end: a CR that is
/// no part of a CRLF, which some take for a line end, a line of white space alone (RFC 5322 section 3.2.2), or white
/// space before a colon (section 4.5), which some take for the end of the header; "" where there is none.
std::string_view header_oddity(std::string_view raw);

/// without_blank_ends takes off a header block, as it stood, a line of blanks, or a CR before a CRLF, that ends a
/// field: relays leave such ends. Behind a line of blanks, which no program is known to take for the end of the header,
/// all fields must have usual names. Some do so at a CR too many, and show what follows as text: nothing but a
/// Message-ID, a MIME-Version and a transfer encoding, each on one line, may follow it. No Content-Type may: a program
/// that misses it shows all of the mail as text, what is not signed too. Otherwise all stays.
std::string without_blank_ends(std::string_view raw);

/// looks_like_header says whether the bytes at the front of an input could be a header block: a field name (RFC 5322
/// ftext) and a colon, or an empty line if `allow_empty`, or an mbox "From " line followed by a field.
bool looks_like_header(ByteView front, bool allow_empty);

/// before_header names what keeps an input from starting with the header that follows: a byte order mark, empty lines
/// or an mbox line that was quoted (">From "). "" where nothing of that is there, or no header follows.
std::string before_header(ByteView front);

/// make_field builds a field, folded at 78 columns where the value has white space to fold at, ending in `ending`. The
/// value must already be ASCII; line breaks in it become blanks.
Field make_field(std::string_view name, std::string_view value, LineEnding ending);

/// is_mime_field says whether a field belongs to the MIME entity rather than the transport header: Content-* (RFC
/// 2045).
bool is_mime_field(std::string_view name);

/// equal_ignoring_case compares ASCII letters without case, other bytes exactly.
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// ascii_lower lowers ASCII letters and leaves other bytes alone.
std::string ascii_lower(std::string_view text);
char ascii_lower(char c);
/// ascii_upper is the capital of an ASCII letter, and any other byte as it is.
char ascii_upper(char c);

}  // namespace p11mime::mime
