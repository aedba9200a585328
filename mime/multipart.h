#pragma once

#include <memory>
#include <string>

#include "mime/header.h"

namespace p11mime::mime {

/// kMaxBoundaryLength bounds a boundary parameter in bytes (RFC 2046 says 70; real mail is laxer).
inline constexpr std::size_t kMaxBoundaryLength = 200;

/// Multipart splits the body of a multipart entity (RFC 2046 section 5.1) byte for byte, as a stream. The line ending
/// before a delimiter line belongs to the delimiter. Delimiter lines may carry trailing white space. Use: read
/// preamble(), then for each true next() read part(); then read epilogue(). What is left unread is skipped. Order
/// violations are programming errors.
class Multipart {
  public:
    /// Throws Error(malformed) where the boundary is empty or too long. `body` must outlive this.
    Multipart(Window& body, std::string_view boundary);
    ~Multipart();
    Multipart(const Multipart&) = delete;
    Multipart& operator=(const Multipart&) = delete;

    Source& preamble();
    bool next();         ///< moves to the next part; false after the close delimiter, or where the body ended
    Source& part();      ///< header and body of the current part
    Source& epilogue();  ///< everything after the close delimiter line

    bool closed() const;               ///< the close delimiter was seen
    std::uint64_t part_begin() const;  ///< position in `body` of the current part's first byte
    std::uint64_t part_end() const;    ///< position just past the current part's last byte, once part() is at its end

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace p11mime::mime
