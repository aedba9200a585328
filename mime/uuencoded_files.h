#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "mime/stream.h"

namespace p11mime::mime {

/// UuencodedFiles passes a text on and finds the files in it that are uuencoded (POSIX uuencode), as mail programs do
/// that look for them anywhere in a text: each begins behind a line "begin MODE NAME" and goes on to the next such
/// line, a line "end" or the end of the text. A line holds as many bytes as it says, whatever else is in it.
class UuencodedFiles final : public Source {
  public:
    /// Take is given what the first line says of a file, "MODE NAME" without quotes behind, and the first bytes of it;
    /// files without any are passed over.
    using Take = std::function<void(std::string_view label, ByteView front)>;

    /// `most` is how many bytes of a file `take` is given.
    UuencodedFiles(Source& from, std::size_t most, Take take) : from_(from), most_(most), take_(std::move(take)) {}
    ByteView pull() override;

  private:
    void take_line();
    void decode_line();
    void end_file();

    Source& from_;
    std::size_t most_;
    Take take_;
    std::string line_;  // the start of it
    std::string label_;
    Bytes front_;
    bool in_file_ = false;
};

}  // namespace p11mime::mime
