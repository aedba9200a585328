#pragma once

#include <string>

#include "cms/timestamp.h"
#include "softhsm-tests/support/cms_bench.h"

namespace p11mime::test {

/// timestamping_spec is the certificate of a time-stamping authority.
CertificateSpec timestamping_spec(const std::string& name = "Stamper");

/// OpensslTimestamps is a time-stamping authority: `openssl ts -reply` with a key.
class OpensslTimestamps final : public cms::TimestampSource {
  public:
    /// `options` are lines of its configuration that replace the usual ones: "digests = sha512".
    OpensslTimestamps(const CmsBench& bench, const SoftwareKey& key, const std::string& options = "");
    /// answer gives openssl's answer; std::runtime_error where it has none.
    Bytes answer(ByteView request) override;

  private:
    const CmsBench& bench_;
    std::string configuration_;
};

}  // namespace p11mime::test
