#pragma once

#include <string>

#include "mime/stream.h"

namespace p11mime::mime {

/// HiddenFields passes on text that no header block stands at the start of, and looks there, up to the first empty
/// line, for a line that starts a field From, Sender, MIME-Version or Content-*: programs that pass over what is no
/// field, or take a CR for a line end, go by that field.
class HiddenFields final : public Source {
  public:
    explicit HiddenFields(Source& from) : from_(from) {}
    ByteView pull() override;

    /// found says whether there is one in what was pulled so far.
    bool found() const { return found_; }

  private:
    enum class At { start, name, colon, rest };  // of a line; before the colon may be blanks

    void look_at(char c);

    Source& from_;
    At at_ = At::start;
    std::string name_;        // in front of the colon, no longer than it takes to tell
    std::size_t behind_ = 2;  // count of what follows the last LF; the text does not start behind one
    char last_ = 0;
    bool found_ = false;
    bool ended_ = false;
};

}  // namespace p11mime::mime
