#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cms/certificate.h"
#include "cms/crl.h"

namespace p11mime::cms {

/// OcspAnswer is what a response tells of one certificate (RFC 6960 section 4.2.1, SingleResponse).
struct OcspAnswer {
    enum class Status { good, revoked, unknown };
    Status status = Status::unknown;
    Time since{};        ///< of revoked: the earlier of revocation and invalidity date
    std::string reason;  ///< in plain words; empty where none is given
    Cause cause = Cause::other;
    bool on_hold = false;  ///< revoked, and may come back (certificateHold)
    Time this_update{};
    std::optional<Time> next_update;
    std::optional<Time> keeps_ended_since;  ///< archive cutoff (section 4.4.4)
};

/// kMaxOcspAnswers is how many certificates a response may tell of.
inline constexpr int kMaxOcspAnswers = 1000;

/// OcspResponse is a successful OCSP response (RFC 6960 section 4.2.1) as a value; copies share it. Its signature is
/// not checked here.
class OcspResponse {
  public:
    /// from_der parses an OCSPResponse. Throws Error(malformed), also where it holds no answer, with the status in
    /// plain words, or too many.
    static OcspResponse from_der(ByteView der);

    const Bytes& der() const;
    Time produced_at() const;
    /// defect is why the response cannot be used: a critical extension that is not known, dates that are none.
    const std::string& defect() const;
    std::vector<Certificate> certificates() const;  ///< that came along

    /// answers are those whose certificate identifier fits the certificate and its issuer's name and key.
    std::vector<OcspAnswer> answers(const Certificate& certificate, const Certificate& issuer) const;
    /// nonce compares the response's with that of the request (DER of an OCSPRequest).
    enum class Nonce { same, absent, other };
    Nonce nonce(ByteView request) const;

    /// A response names its responder by the name (DER) or by the SHA-1 of the bits of the key; the other is empty.
    Bytes responder_name() const;
    Bytes responder_key() const;
    bool names(const Certificate& signer) const;
    /// signed_by says whether it names `signer` and the signature verifies with its key.
    bool signed_by(const Certificate& signer) const;
    const X509_ALGOR* signature_algorithm() const;

  private:
    struct State;
    explicit OcspResponse(std::shared_ptr<const State> state) : state_(std::move(state)) {}

    std::shared_ptr<const State> state_;
};

/// ocsp_request is the DER of an OCSPRequest for one certificate, with a fresh nonce of 32 bytes (RFC 9654).
Bytes ocsp_request(const Certificate& certificate, const Certificate& issuer);

/// may_sign_ocsp says whether a certificate is for signing OCSP responses by name (id-kp-OCSPSigning) and by its key
/// usage; has_no_check whether its issuer says that it need not be looked for on a CRL (id-pkix-ocsp-nocheck).
bool may_sign_ocsp(const Certificate& certificate);
bool has_no_check(const Certificate& certificate);

}  // namespace p11mime::cms
