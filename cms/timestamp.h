#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "cms/signer_info.h"
#include "cms/trust.h"

namespace p11mime::cms {

/// kMaxTimestampBytes is how long a TSTInfo may be; a token is an attribute, which has limits of its own.
inline constexpr std::size_t kMaxTimestampBytes = 64 * 1024;

/// TimestampVerdict is what holds of an RFC 3161 time-stamp token.
struct TimestampVerdict {
    Integrity integrity = Integrity::not_checked;  ///< valid: from a trusted authority, over what it is attached to
    std::string reason;                            ///< why it is not valid
    std::string hint;                              ///< what could make it count; may be empty
    std::optional<Time> time;                      ///< what it stamped was there by then; claimed where it is not valid
    std::optional<Certificate> authority;          ///< its signer, where the certificate is there
    std::size_t verifications = 0;                 ///< of signatures
};

/// judge_timestamp judges a token (DER of ContentInfo) over bytes by RFC 3161 section 2.4.2 and RFC 5816: its
/// signature, what it is over, and the authority's certificate, which is for time-stamps alone, trusted for them now or
/// at `trust.at`, and was valid at the time that the token tells; `carried` is evidence of revocation, and
/// `beside` are certificates, that came along beside what the token holds itself. Without trust it says what the token
/// claims.
TimestampVerdict judge_timestamp(ByteView token, ByteView stamped, const Trust* trust,
                                 const RevocationEvidence& carried = {}, std::span<const Certificate> beside = {});

/// TimestampSource sends a request (DER of TimeStampReq) to a time-stamping authority and gives its answer. Implemented
/// in cli/. Throws Error(io).
class TimestampSource {
  public:
    virtual ~TimestampSource() = default;
    virtual Bytes answer(ByteView request) = 0;
    /// took is told of the token that an answer held, over what, once that is known to be what was asked for.
    virtual void took(ByteView /*token*/, ByteView /*stamped*/) {}
};

/// get_timestamp has bytes stamped and gives the token (DER of ContentInfo). Throws Error(io) where the authority
/// refuses, or its answer is for something else or does not verify.
Bytes get_timestamp(ByteView stamped, TimestampSource& authority);

}  // namespace p11mime::cms
