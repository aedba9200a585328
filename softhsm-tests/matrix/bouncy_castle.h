#pragma once

#include "softhsm-tests/matrix/peer.h"
#include "softhsm-tests/matrix/signature_rows.h"

namespace p11mime::test::matrix {

/// BouncyCastleSignatures is the Java program; clear rows are bare signatures.
class BouncyCastleSignatures final : public Peer<SignatureRow> {
  public:
    explicit BouncyCastleSignatures(const People& people) : people_(people) {}
    std::string name() const override { return "bc"; }
    std::span<const Reason> reasons() const override;
    std::vector<std::string> read(const std::vector<Task<SignatureRow>>& tasks) override;
    std::vector<std::string> write(const std::vector<Task<SignatureRow>>& tasks) override;

  private:
    const People& people_;
};

}  // namespace p11mime::test::matrix
