#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mime/stream.h"

namespace p11mime::mime {

/// NearDelimiters passes on a part of a multipart and looks there for lines that some programs take for a delimiter,
/// although Multipart does not: with more behind the boundary (to the letter of RFC 2046 section 5.1.1 no more is
/// compared), between bare CRs, or with the boundary that programs read which end it sooner.
class NearDelimiters final : public Source {
  public:
    /// `sooner` is what boundary_cut_short gave.
    NearDelimiters(Source& from, std::string_view boundary, std::string_view sooner)
        : from_(from), boundary_(boundary), sooner_(sooner) {}
    ByteView pull() override;

    /// count is how many such lines were passed on.
    std::uint64_t count() const { return count_; }

  private:
    enum class End { lf, crlf, cr, none };  // of a line; none is that of the part

    void add(std::string_view text);
    void end_line(End end);
    bool delimits(std::string_view boundary) const;

    Source& from_;
    std::string boundary_, sooner_;
    std::string line_;         // its start, no longer than it takes to tell
    bool goes_on_ = false;     // the line has more than that, and not blanks alone
    bool ends_in_cr_ = false;  // which is a line end of its own unless an LF follows
    bool behind_cr_ = false;   // the line starts behind such a CR
    std::uint64_t count_ = 0;
};

}  // namespace p11mime::mime
