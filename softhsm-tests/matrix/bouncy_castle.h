#pragma once

#include "softhsm-tests/matrix/peer.h"
#include "softhsm-tests/matrix/recipient_rows.h"
#include "softhsm-tests/matrix/signature_rows.h"

namespace p11mime::test::matrix {

/// BouncyCastleSignatures is the Java program; clear rows are bare signatures.
class BouncyCastleSignatures final : public Peer<SignatureRow> {
  public:
    explicit BouncyCastleSignatures(const People& people) : people_(people) {}
    std::string name() const override { return "bc"; }
    std::span<const Reason> reasons() const override;
    Done run(const std::vector<Task<SignatureRow>>& to_read, const std::vector<Task<SignatureRow>>& to_write) override;

  private:
    const People& people_;
};

/// BouncyCastleRecipients is EnvelopedData and AuthEnvelopedData by Bouncy Castle.
class BouncyCastleRecipients : public Peer<RecipientRow> {
  public:
    explicit BouncyCastleRecipients(const People& people) : BouncyCastleRecipients(people, "") {}
    std::string name() const override { return "bc"; }
    std::span<const Reason> reasons() const override;
    Done run(const std::vector<Task<RecipientRow>>& to_read, const std::vector<Task<RecipientRow>>& to_write) override;

  protected:
    /// `how` follows "encrypt" and "decrypt" in what the jobs are called.
    BouncyCastleRecipients(const People& people, std::string how) : people_(people), how_(std::move(how)) {}

  private:
    const People& people_;
    std::string how_;
};

/// HandmadeRecipients is the same by the Java program itself, with ASN.1 classes and the JDK's primitives alone: for
/// X25519, X448 and ChaCha20-Poly1305, which no CMS program or library in Debian 12 knows.
class HandmadeRecipients final : public BouncyCastleRecipients {
  public:
    explicit HandmadeRecipients(const People& people) : BouncyCastleRecipients(people, "-by-hand") {}
    std::string name() const override { return "by hand"; }
    std::string not_run(const RecipientRow& row) const override;
};

}  // namespace p11mime::test::matrix
