#pragma once

#include "softhsm-tests/matrix/peer.h"
#include "softhsm-tests/matrix/recipient_rows.h"
#include "softhsm-tests/matrix/signature_rows.h"

namespace p11mime::test::matrix {

/// GpgsmHome is a GnuPG home of its own that trusts the people's CA and has their keys; its agent ends with it.
class GpgsmHome {
  public:
    static constexpr const char* kName = "gpgsm";

    explicit GpgsmHome(const People& people);
    ~GpgsmHome();
    GpgsmHome(const GpgsmHome&) = delete;
    GpgsmHome& operator=(const GpgsmHome&) = delete;

    /// run gives gpgsm a passphrase, by default that of its keys.
    Outcome run(const Arguments& arguments, const std::string& passphrase = kPassphrase) const;

  private:
    static constexpr const char* kPassphrase = "x";

    void import(const People& people, const Person& person) const;
    std::string keygrip(const std::string& email) const;
    Outcome run_here(Arguments arguments, const std::string& input) const;

    std::string home_;
};

/// GpgsmSignatures is gpgsm; clear rows are bare signatures.
class GpgsmSignatures final : public ProgramWith<SignatureRow, GpgsmHome> {
  public:
    using ProgramWith::ProgramWith;
    std::span<const Reason> reasons() const override;

  private:
    std::string read_one(const SignatureRow& row, const std::string& file) override;
    std::string write_one(const SignatureRow& row, const std::string& file) override;
};

/// GpgsmRecipients is gpgsm with RSA PKCS#1 v1.5, and passwords, which it reads alone; ECDH as an example.
class GpgsmRecipients final : public ProgramWith<RecipientRow, GpgsmHome> {
  public:
    using ProgramWith::ProgramWith;
    std::span<const Reason> reasons() const override;
    std::string not_run(const RecipientRow& row) const override;

  private:
    std::string read_one(const RecipientRow& row, const std::string& file) override;
    std::string write_one(const RecipientRow& row, const std::string& file) override;
};

}  // namespace p11mime::test::matrix
