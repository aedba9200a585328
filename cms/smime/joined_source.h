#pragma once

#include <string>
#include <utility>

#include "mime/stream.h"

namespace p11mime::cms::smime {

/// JoinedSource gives out a header and then a body.
class JoinedSource final : public Source {
  public:
    JoinedSource(std::string header, Source& body) : header_(std::move(header)), body_(body) {}
    ByteView pull() override {
        if (std::exchange(begun_, true) || header_.empty()) return body_.pull();
        return bytes_of(header_);
    }

  private:
    std::string header_;
    Source& body_;
    bool begun_ = false;
};

}  // namespace p11mime::cms::smime
