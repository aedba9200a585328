#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "mime/header.h"

namespace p11mime::mime {

/// kMaxBoundaryLength bounds a boundary parameter in bytes (RFC 2046 says 70; real mail is laxer).
inline constexpr std::size_t kMaxBoundaryLength = 200;

/// kMaxTransportPadding bounds the white space after a boundary (RFC 2046 section 5.1.1) in bytes: with more the line
/// is no delimiter.
inline constexpr std::size_t kMaxTransportPadding = 1024;

/// is_boundary says whether a boundary can delimit: neither empty nor too long, and no line end in it.
bool is_boundary(std::string_view boundary);

/// Multipart splits the body of a multipart entity (RFC 2046 section 5.1) byte for byte, as a stream. The line ending
/// before a delimiter line belongs to the delimiter. Delimiter lines may carry trailing white space.
/// No more than a delimiter line is ever held. Use: read preamble(), then for each true next() read part(); then read
/// epilogue(). What is left unread is skipped; a source that is not current is at its end.
class Multipart {
  public:
    /// Throws Error(malformed) where the boundary is none (is_boundary). `body` must outlive this.
    Multipart(Window& body, std::string_view boundary);
    ~Multipart();
    Multipart(const Multipart&) = delete;
    Multipart& operator=(const Multipart&) = delete;

    Source& preamble();
    bool next();         ///< moves to the next part; false after the close delimiter, or where the body ended
    Source& part();      ///< header and body of the current part
    Source& epilogue();  ///< everything after the close delimiter line

    /// delimiter is the delimiter line that the last next() passed, as it stood, with the line ending before it that
    /// belongs to it; empty where the body ended without one.
    std::string_view delimiter() const;

    bool closed() const;               ///< the close delimiter was seen
    std::uint64_t part_begin() const;  ///< position in `body` of the current part's first byte
    std::uint64_t part_end() const;    ///< position just past the current part's last byte, once part() is at its end

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace p11mime::mime
