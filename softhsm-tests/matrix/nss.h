#pragma once

#include "softhsm-tests/matrix/peer.h"
#include "softhsm-tests/matrix/recipient_rows.h"
#include "softhsm-tests/matrix/signature_rows.h"

namespace p11mime::test::matrix {

/// NssDatabase is an NSS database that trusts the people's CA for mail and has their keys.
class NssDatabase {
  public:
    static constexpr const char* kName = "nss";

    explicit NssDatabase(const People& people);

    /// cmsutil runs the program on the database.
    Outcome cmsutil(const Arguments& arguments) const;

  private:
    std::string directory_;
};

/// NssSignatures is cmsutil; clear rows are bare signatures.
class NssSignatures final : public ProgramWith<SignatureRow, NssDatabase> {
  public:
    using ProgramWith::ProgramWith;
    std::span<const Reason> reasons() const override;

  private:
    std::string read_one(const SignatureRow& row, const std::string& file) override;
    std::string write_one(const SignatureRow& row, const std::string& file) override;
};

/// NssRecipients is cmsutil with RSA PKCS#1 v1.5 and ECDH.
class NssRecipients final : public ProgramWith<RecipientRow, NssDatabase> {
  public:
    using ProgramWith::ProgramWith;
    std::span<const Reason> reasons() const override;
    std::string not_run(const RecipientRow& row) const override;

  private:
    std::string read_one(const RecipientRow& row, const std::string& file) override;
    std::string write_one(const RecipientRow& row, const std::string& file) override;
};

}  // namespace p11mime::test::matrix
