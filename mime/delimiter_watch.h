#pragma once

#include <string>
#include <utility>

#include "mime/stream.h"

namespace p11mime::mime {

/// DelimiterWatch passes a body on and looks for a line in it that would delimit parts if it were a multipart with that
/// boundary. No line does so with an empty one.
class DelimiterWatch final : public Source {
  public:
    DelimiterWatch(Source& from, std::string boundary) : from_(from), delimiter_("--" + std::move(boundary)) {}
    ByteView pull() override;

    /// found says whether there is one in what was pulled so far.
    bool found() const { return found_; }

  private:
    Source& from_;
    std::string delimiter_;
    std::string start_;  // of the line, no longer than it takes to tell
    bool found_ = false;
};

}  // namespace p11mime::mime
