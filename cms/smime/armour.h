#pragma once

#include <string>

#include "mime/window.h"

namespace p11mime::cms::smime {

/// PemSource gives out the base64 between the armour lines of a PEM block (RFC 7468). Throws Error(malformed) where its
/// end line is missing or has another label, and where anything but white space follows.
class PemSource final : public Source {
  public:
    explicit PemSource(Window& from) : from_(from) {}
    ByteView pull() override;

  private:
    void take_begin_line();
    void take_end_line();

    Window& from_;
    std::string end_line_;
    enum class State { before, inside, after } state_ = State::before;
};

}  // namespace p11mime::cms::smime
