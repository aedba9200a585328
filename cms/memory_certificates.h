#pragma once

#include <utility>
#include <vector>

#include "cms/sources.h"

namespace p11mime::cms {

/// MemoryCertificates is a CertificateSource over a list.
class MemoryCertificates final : public CertificateSource {
  public:
    explicit MemoryCertificates(std::vector<Certificate> certificates) : certificates_(std::move(certificates)) {}
    std::vector<Certificate> by_subject(ByteView name_der) override;
    std::vector<Certificate> by_identifier(const RecipientIdentifier& identifier) override;

  private:
    std::vector<Certificate> certificates_;
};

}  // namespace p11mime::cms
