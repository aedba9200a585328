#pragma once

#include "softhsm-tests/matrix/peer.h"
#include "softhsm-tests/matrix/recipient_rows.h"
#include "softhsm-tests/matrix/signature_rows.h"

namespace p11mime::test::matrix {

/// OpenSslSignatures is `openssl cms` with keys in files; clear rows are multipart/signed.
class OpenSslSignatures final : public Program<SignatureRow> {
  public:
    explicit OpenSslSignatures(const People& people) : people_(people) {}
    std::string name() const override { return "openssl"; }
    std::span<const Reason> reasons() const override;

  private:
    std::string read_one(const SignatureRow& row, const std::string& file) override;
    std::string write_one(const SignatureRow& row, const std::string& file) override;

    const People& people_;
};

/// OpenSslRecipients is `openssl cms` with keys in files.
class OpenSslRecipients final : public Program<RecipientRow> {
  public:
    explicit OpenSslRecipients(const People& people) : people_(people) {}
    std::string name() const override { return "openssl"; }
    std::span<const Reason> reasons() const override;

  private:
    std::string read_one(const RecipientRow& row, const std::string& file) override;
    std::string write_one(const RecipientRow& row, const std::string& file) override;

    const People& people_;
};

}  // namespace p11mime::test::matrix
