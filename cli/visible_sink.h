#pragma once

#include <string>

#include "mime/stream.h"

namespace p11mime::cli {

/// VisibleSink passes content on to a terminal as visible() shows it, tabs and line ends as they are. Lines of any
/// length pass through in constant memory.
class VisibleSink final : public Sink {
  public:
    explicit VisibleSink(Sink& terminal) : terminal_(terminal) {}

    void push(ByteView bytes) override;
    /// finish passes on what was held back, and ends the last line: nothing of ours is said in the middle of it.
    void finish();

  private:
    void end_run(char separator);
    void pass(std::string_view text);

    Sink& terminal_;
    std::string run_;  // text between separators that was not passed on yet
    char last_ = '\n';
};

}  // namespace p11mime::cli
