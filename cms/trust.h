#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cms/path_rules.h"
#include "cms/signing_certificate.h"
#include "cms/sources.h"

namespace p11mime::cms {

/// PolicyDemands are the inputs to certificate policy processing (RFC 5280 section 6.1.1). What certificates demand
/// themselves holds without them too.
struct PolicyDemands {
    std::vector<std::string> accepted;  ///< dotted OIDs; none: any policy
    bool explicit_policy = false;       ///< a path must be valid for one of them
    bool inhibit_mapping = false;
    bool inhibit_any_policy = false;
};

/// Trust is what a path is judged by.
struct Trust {
    std::vector<std::shared_ptr<CertificateSource>> anchors;
    std::vector<std::shared_ptr<CertificateSource>> intermediates;  ///< also asked for a missing signer's certificate
    std::shared_ptr<RevocationSource> revocation;                   ///< null: not_checked
    bool require_revocation = false;                                ///< trust only what is known not to be revoked
    std::shared_ptr<IssuerSource> issuers;  ///< for missing and for better intermediates; null: none are fetched
    std::shared_ptr<const Clock> clock;
    std::optional<Time> at;  ///< the time to judge at, now where unset
    bool stamped = false;    ///< `at` is a time-stamp's, and the certificates may have been revoked just before: what
                             ///< says otherwise must be of then or later
    std::vector<CertificateHash> stamped_certificates;  ///< that the time-stamp shows to have been there by then too
    Purpose purpose = Purpose::email;
    PolicyDemands policy;
    bool allow_weak = false;  ///< accept SHA-1 signatures and RSA under 2048 bits in the path
};

/// asking_nobody is the same trust without anything fetched: it goes by what is at hand.
Trust asking_nobody(Trust trust);

/// RevocationState is what is known of a certificate, or of all of a path together. not_offered: its issuer says that
/// it tells nothing of it (RFC 9608), and all others of the path are good.
enum class RevocationState { good, revoked, unknown, not_offered, not_checked };

/// RevokedSince is a certificate that was revoked after the time that its path was judged at.
struct RevokedSince {
    Certificate certificate;
    Time since;
    std::string reason;    ///< in plain words; may be empty
    bool orderly = false;  ///< for a reason that leaves its key as good as before
    std::size_t at = 0;    ///< which of the path it is, or has the key of
    std::string other{};   ///< as of Revoked

    std::string told() const;  ///< all of that in plain words
    std::string text() const;  ///< likewise, and that it does not count
};

/// PathVerdict is the outcome of path validation (RFC 5280, with the e-mail rules of RFC 8550).
struct PathVerdict {
    bool trusted = false;
    std::string reason;              ///< one cause in plain words with the certificate concerned; empty where trusted
    std::string hint;                ///< what could be done about it; may be empty
    std::vector<Certificate> chain;  ///< as far as it was built, end certificate first
    bool anchored = false;           ///< its last is an anchor
    std::optional<std::size_t> at_fault;  ///< which of them the reason is about, where it is not trusted
    std::optional<Certificate>
        completed;  ///< the end certificate with the key parameters that it inherits along the path, which was built
                    ///< to an anchor though it need not be trusted; nothing where it has its own
    bool weak = false;                  ///< a signature or key in the path is weak (strength, not trust)
    std::vector<std::string> policies;  ///< dotted OIDs of the policies that a trusted path is valid for, in the terms
                                        ///< of its anchor (RFC 5280 section 6.1.6); without "any policy"
    std::string policy_remark;   ///< that a trusted path is valid for no policy asked for, in plain words; else empty
    std::string purpose_remark;  ///< that a path is trusted though a certificate is not meant for e-mail, likewise
    std::size_t verifications = 0;  ///< of signatures, to find the parameters that keys inherit, for paths after the
                                    ///< first, and of evidence
    RevocationState revocation = RevocationState::not_checked;
    bool unproven = false;         ///< the time-stamp does not show that its certificates were there by then
    bool key_compromised = false;  ///< the end certificate, or another of its key, is revoked because others know that
    std::optional<Time> retired_since;  ///< the end certificate is revoked since then, its key is as good as before,
                                        ///< and what is above is not revoked
    std::string
        revocation_reason;  ///< why it is not good, naming the certificate, or what is to be known of a good one
    std::vector<RevokedSince> revoked_since;  ///< of its certificates, and of others of their keys for a compromise
};

/// validate looks for a path from `certificate` to an anchor that holds, among all that can be built, up to a limit.
/// `surplus` are further certificates, e.g. from the message, as `carried` is evidence that came along. `claimed` is
/// when the certificate is said to have been used; it changes nothing but the words of the reason.
PathVerdict validate(const Certificate& certificate, std::span<const Certificate> surplus, const Trust& trust, Use use,
                     std::optional<Time> claimed = std::nullopt, const RevocationEvidence& carried = {});

}  // namespace p11mime::cms
