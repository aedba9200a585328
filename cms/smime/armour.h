#pragma once

#include <string>

#include "mime/window.h"

namespace p11mime::cms::smime {

/// PemSource gives out the base64 between the armour lines of the first PEM block (RFC 7468). Throws Error(malformed)
/// where its end line is missing.
class PemSource final : public Source {
  public:
    explicit PemSource(Window& from) : from_(from) {}
    ByteView pull() override;

  private:
    Window& from_;
    enum class State { before, inside, after } state_ = State::before;
};

}  // namespace p11mime::cms::smime
