#pragma once

#include <string>

#include "cms/content_info.h"

namespace p11mime::cms {

/// CompressedDataReader reads CompressedData (RFC 3274 section 1.1) as a stream: the constructor up to the content,
/// then compressed(), then finish().
class CompressedDataReader {
  public:
    /// The reader stands before the structure. Throws Error(malformed).
    explicit CompressedDataReader(BerReader& reader);

    const std::string& content_type() const { return encapsulated_->type(); }  ///< dotted OID
    const std::string& algorithm_name() const { return algorithm_name_; }      ///< also where it is not supported
    bool supported() const { return supported_; }
    Source& compressed();  ///< throws Error(malformed) "unsupported algorithm NAME"

    void finish();

  private:
    BerReader& reader_;
    std::string algorithm_name_;
    bool supported_ = false;
    std::optional<EncapsulatedContent> encapsulated_;
};

}  // namespace p11mime::cms
