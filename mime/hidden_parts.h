#pragma once

#include <string>

#include "mime/stream.h"

namespace p11mime::mime {

/// HiddenParts passes on what is before the first part of a multipart or after its end, and looks there for a line that
/// starts with "--" and a field Content-* on a line behind it: programs that read the boundary in another way, or go on
/// after the end, find a part there. With `behind_end` the end is such a line.
class HiddenParts final : public Source {
  public:
    explicit HiddenParts(Source& from, bool behind_end = false) : from_(from), dashed_(behind_end) {}
    ByteView pull() override;

    /// found says whether there is one in what was pulled so far.
    bool found() const { return found_; }

  private:
    void look_at(char c);

    Source& from_;
    std::string start_;  // of the line, no longer than it takes to tell
    bool dashed_;
    bool found_ = false;
};

}  // namespace p11mime::mime
