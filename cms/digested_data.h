#pragma once

#include <optional>
#include <string>

#include "cms/algorithms.h"
#include "cms/content_info.h"

namespace p11mime::cms {

/// DigestedDataReader reads DigestedData (RFC 5652 section 7) as a stream: the constructor up to the content, then
/// content(), then finish().
class DigestedDataReader {
  public:
    /// The reader stands before the structure. Throws Error(malformed).
    explicit DigestedDataReader(BerReader& reader);

    const std::string& content_type() const { return encapsulated_->type(); }  ///< dotted OID
    const std::string& algorithm_name() const { return algorithm_name_; }      ///< also where it is not supported
    const Algorithm* algorithm() const { return algorithm_; }                  ///< null where it is not supported
    Source& content() { return require_content(*encapsulated_); }

    void finish();
    const Bytes& digest() const { return digest_; }

  private:
    BerReader& reader_;
    std::string algorithm_name_;
    const Algorithm* algorithm_ = nullptr;
    std::optional<EncapsulatedContent> encapsulated_;
    Bytes digest_;
};

}  // namespace p11mime::cms
