#pragma once

#include <array>
#include <string>
#include <string_view>

#include "mime/stream.h"

namespace p11mime::cms::smime {

/// LabelWatch passes on an entity and looks, in its headers and in all that is in it, for the labels of what is
/// encrypted: the types and names of S/MIME (RFC 8551 section 3.2) and of OpenPGP (RFC 3156 section 4), of the last
/// with a type that says nothing.
class LabelWatch final : public Source {
  public:
    explicit LabelWatch(Source& from) : from_(from) {}
    ByteView pull() override;

    /// found says whether there is one in what was pulled so far.
    bool found() const { return found_ || (octets_ && openpgp_name_); }

  private:
    void look_at(std::string_view text);

    Source& from_;
    std::string end_;  // of what was pulled, where a label may go on
    bool found_ = false;
    bool octets_ = false;
    bool openpgp_name_ = false;
};

}  // namespace p11mime::cms::smime
