#include "cms/evidence_signer.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>

#include "cms/algorithms.h"
#include "cms/candidate_paths.h"
#include "cms/encode.h"
#include "cms/memory_certificates.h"
#include "cms/rsa_pss.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kMaxCarriedSigners = 20;  // certificates that came along and are tried for one signature
constexpr std::size_t kMaxSignerPaths = 8;      // tried for one signer
constexpr int kLeastSecurityBits = 80;          // of a key, as RSA with 1024 bits; others can be had for little

// Strength is why a signature is not relied on, with no reason where it is. One that is broken is worth nothing:
// anybody may have made it.
struct Strength {
    bool broken = false;
    std::string reason = {};
};

Strength strength_of(const X509_ALGOR* algorithm, const Certificate& signer, bool allow_weak) {
    int digest = NID_undef;
    const int nid = OBJ_obj2nid(algorithm->algorithm);
    if (nid == NID_rsassaPss) {
        const auto pss = read_pss(algorithm);
        if (!pss) return {true, "it is signed in a way that is not supported"};
        digest = EVP_MD_get_type(evp_digest(pss->hash));
    } else if (OBJ_find_sigid_algs(nid, &digest, nullptr) != 1) {
        return {true, "it is signed in a way that is not supported"};
    }
    Standing standing = Standing::ok;
    if (digest != NID_undef) {
        const Algorithm* row = find_algorithm(AlgorithmKind::digest, oid_text(OBJ_nid2obj(digest)));
        standing = row == nullptr ? Standing::refused : row->standing;
    }
    if (standing == Standing::refused) return {true, "it is signed with a broken digest"};
    if (EVP_PKEY_get_security_bits(X509_get0_pubkey(signer.get())) < kLeastSecurityBits)
        return {true, "it is signed with a key that anybody can break"};
    if (allow_weak) return {};
    if (standing == Standing::weak) return {false, "it is signed with a weak digest"};
    return {false, weak_key(X509_get0_pubkey(signer.get())) ? "it is signed with a weak key" : ""};
}

bool may_sign_crls(const Certificate& certificate) {
    return (X509_get_key_usage(certificate.get()) & KU_CRL_SIGN) != 0;
}

bool on_path(const Certificate& certificate, const EvidenceContext& context) {
    return std::find(context.path.begin(), context.path.end(), certificate) != context.path.end();
}

bool holder_on_path(const Certificate& certificate, const EvidenceContext& context) {
    return std::any_of(context.path.begin(), context.path.end(),
                       [&](const Certificate& each) { return same_name_and_key(each, certificate); });
}

// limits says why an authority on a signer's path is not one that may stand for all of the anchor's; empty where it
// may.
std::string limits(const Certificate& authority, const EvidenceContext& context) {
    if (context.trust.purpose == Purpose::email && !authority.allows_email())
        return fmt::format("{} is not meant for e-mail", authority.subject());
    if (X509_get_ext_by_NID(authority.get(), NID_name_constraints, -1) >= 0)
        return fmt::format("{} may only certify some names", authority.subject());
    return {};
}

// SignerStanding is how a signer is judged: at which time, whether it must be known not to be revoked, whether its
// certificate came along, and whether weak keys and digests on its path count.
struct SignerStanding {
    Time at;
    bool must_be_known;
    bool came_along;
    bool allow_weak;
};

// trust_of is what a signer's own path is judged by; policies and purposes are none of its.
Trust trust_of(const EvidenceContext& context, const SignerStanding& standing) {
    Trust trust;
    trust.anchors = context.trust.anchors;
    trust.intermediates = context.trust.intermediates;
    trust.clock = context.trust.clock;
    trust.allow_weak = standing.allow_weak;
    trust.purpose = context.trust.purpose;  // of the anchor; Use::evidence has none
    trust.at = standing.at;
    // The path's own certificates are a source, which no number of others pushes out.
    trust.intermediates.insert(
        trust.intermediates.begin(),
        std::make_shared<MemoryCertificates>(std::vector<Certificate>(context.path.begin(), context.path.end())));
    return trust;
}

bool enough(RevocationState state, bool must_be_known) {
    return state == RevocationState::good || state == RevocationState::not_offered ||
           (state == RevocationState::unknown && !must_be_known);
}

std::string not_enough(RevocationState state) {
    return state == RevocationState::revoked ? "revoked" : "not known not to be revoked";
}

// Candidate is a certificate that may have signed evidence.
struct Candidate {
    Certificate certificate;
    bool came_along;  // with the message
};

// Those found are each there once.
void add_candidate(std::vector<Candidate>& found, const Certificate& certificate, bool came_along) {
    const auto there = [&](const Candidate& each) { return each.certificate == certificate; };
    if (std::none_of(found.begin(), found.end(), there)) found.push_back({certificate, came_along});
}

// named are the certificates of a name. What came along is last, and limited: it pushes out nothing else.
std::vector<Candidate> named(const X509_NAME* name, const EvidenceContext& context) {
    std::vector<Candidate> found;
    const auto add = [&](const Certificate& certificate) { add_candidate(found, certificate, false); };
    if (has_name(context.issuer, name)) add(context.issuer);
    for (const Certificate& each : context.path)
        if (has_name(each, name)) add(each);
    const Bytes der = encode(name, i2d_X509_NAME);
    for (const auto* sources : {&context.trust.intermediates, &context.trust.anchors})
        for (const auto& source : *sources)
            for (const Certificate& each : source->by_subject(der))
                add(each);
    const std::size_t limit = found.size() + kMaxCarriedSigners;
    for (const Certificate& each : context.surplus)
        if (found.size() < limit && has_name(each, name)) add_candidate(found, each, true);
    return found;
}

// Obstacle is why a path of a CRL's signer does not let it stand for the CRL, and which certificate of it is in the
// way.
struct Obstacle {
    std::size_t at;
    std::string reason;
};

// depends_on says whether an authority is the certificate that is judged, or one below it.
bool depends_on(const Certificate& authority, const EvidenceContext& context) {
    if (same_name_and_key(authority, context.certificate)) return true;
    for (const Certificate& each : context.path) {
        if (each == context.certificate) return false;
        if (same_name_and_key(each, authority)) return on_path(context.certificate, context);
    }
    return false;
}

// authority_obstacle finds one that may not stand for all of the anchor's, or is not known not to be revoked, among the
// certificates that are not on the certificate's own path. The first `unlimited` may be of any purpose.
std::optional<Obstacle> authority_obstacle(const std::vector<Certificate>& path, const EvidenceContext& context,
                                           bool must_be_known, std::size_t unlimited) {
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
        if (i > 0 && depends_on(path[i], context)) return Obstacle{i, "it is certified by whom it tells of"};
        if (on_path(path[i], context)) continue;
        if (i >= unlimited && !holder_on_path(path[i], context))
            if (std::string why = limits(path[i], context); !why.empty()) return Obstacle{i, why};
        const RevocationState state = context.state(path[i], path[i + 1]);
        if (!enough(state, must_be_known && !path[i].self_issued()))
            return Obstacle{i, fmt::format("{} is {}", path[i].subject(), not_enough(state))};
    }
    return std::nullopt;
}

// is_above says whether the issuer leads to an anchor that its own path does not end at, as one that is an anchor
// itself or was certified by several may.
bool is_above(const Certificate& anchor, const EvidenceContext& context, const SignerStanding& standing) {
    Trust trust = trust_of(context, standing);
    trust.anchors = {std::make_shared<MemoryCertificates>(std::vector{anchor})};
    for (const auto& [each, came_along] : named(X509_get_subject_name(context.issuer.get()), context)) {
        if (!same_name_and_key(each, context.issuer)) continue;
        const PathVerdict path = validate(each, context.surplus, trust, Use::evidence);
        context.work.add(path.chain.size() + path.verifications);
        const bool limited = std::any_of(path.chain.begin(), path.chain.end(), [&](const Certificate& authority) {
            return !(authority == anchor) && !on_path(authority, context) && !limits(authority, context).empty();
        });
        if (path.trusted && !limited && !authority_obstacle(path.chain, context, standing.must_be_known, 0))
            return true;
    }
    return false;
}

// obstacle_on finds the first on a trusted path, which leads to the anchor that the certificate's own does, or to
// another that its issuer is below. One that was renewed with another key, without a certificate by the old one (RFC
// 4210 section 4.4), is the same where it is an anchor too. The certificate of an issuer's other key, which has the
// same name, is revoked by name alone: it is often itself in the CRLs that it signs.
std::optional<Obstacle> obstacle_on(const std::vector<Certificate>& path, const EvidenceContext& context,
                                    const SignerStanding& standing) {
    if (!has_name(path.back(), X509_get_subject_name(context.path.back().get())) &&
        !is_above(path.back(), context, standing))
        return Obstacle{path.size() - 1, "it leads to another anchor"};
    // Another key of the issuer is certified by the issuer or by who certified that: whoever else has its name is not
    // it. Who issues CRLs for others may be certified by anybody, who may have certified a namesake too: whose
    // certificate the sender of a message chose may revoke alone.
    const bool namesake = has_name(path.front(), X509_get_subject_name(context.issuer.get()));
    const bool by_others = path.size() > 2 && !holder_on_path(path[1], context);
    if (namesake && by_others) return Obstacle{1, "it has the issuer's name, and is certified by others"};
    if (standing.came_along && standing.must_be_known && by_others)
        return Obstacle{1, "it came along, and is certified by others than who certified the issuer"};
    return authority_obstacle(path, context, standing.must_be_known, namesake ? 0 : 1);
}

// path_reason says why a CRL's signer may not stand for it; empty where one of its paths lets it.
std::string path_reason(const Certificate& signer, const EvidenceContext& context, const SignerStanding& standing) {
    Trust trust = trust_of(context, standing);
    auto [anchors, untrusted] = find_candidates(signer, context.surplus, trust.anchors, trust.intermediates);
    // An anchor that is not the right one may be on the way to that. Nothing that came along pushes it out.
    untrusted.insert(untrusted.begin(), anchors.begin(), anchors.end());
    std::string reason;
    for (std::size_t tried = 0; tried < kMaxSignerPaths; ++tried) {
        trust.anchors = {std::make_shared<MemoryCertificates>(anchors)};
        trust.intermediates = {std::make_shared<MemoryCertificates>(untrusted)};
        const PathVerdict path = validate(signer, {}, trust, Use::evidence);
        context.work.add(path.chain.size() + path.verifications);
        if (!path.trusted) return reason.empty() ? path.reason : reason;
        const auto obstacle = obstacle_on(path.chain, context, standing);
        if (!obstacle) return {};
        if (reason.empty()) reason = obstacle->reason;
        auto& there = obstacle->at + 1 == path.chain.size() ? anchors : untrusted;
        const auto in_the_way = std::find(there.begin(), there.end(), path.chain[obstacle->at]);
        if (in_the_way == there.end()) break;
        there.erase(in_the_way);
    }
    return reason;
}

// responders_of are the certificates that a response names its responder by. What came along is last, and limited: it
// pushes out nothing else.
std::vector<Candidate> responders_of(const OcspResponse& response, const EvidenceContext& context, bool carried) {
    std::vector<Candidate> found;
    const auto add = [&](const Certificate& certificate, bool came_along = false) {
        if (response.names(certificate)) add_candidate(found, certificate, came_along);
    };
    add(context.issuer);
    const Bytes name = response.responder_name();
    for (const auto& source : context.trust.intermediates)
        if (!name.empty())
            for (const Certificate& each : source->by_subject(name))
                add(each);
        else
            for (const Certificate& each : source->by_identifier({.key_identifier = response.responder_key()}))
                add(each);
    const auto add_some = [&](std::span<const Certificate> certificates, bool came_along) {
        const std::size_t limit = found.size() + kMaxCarriedSigners;
        for (const Certificate& each : certificates)
            if (found.size() < limit) add(each, came_along);
    };
    add_some(response.certificates(), carried);
    add_some(context.surplus, true);
    return found;
}

// delegate_reason says why a responder that is not the issuer may not answer for it; empty where it may.
std::string delegate_reason(const Certificate& responder, const EvidenceContext& context,
                            const SignerStanding& standing) {
    if (!may_sign_ocsp(responder)) return "it may not sign OCSP responses";
    const PathVerdict path = validate(responder, context.surplus, trust_of(context, standing), Use::evidence);
    context.work.add(path.chain.size() + path.verifications);
    if (!path.trusted) return path.reason;
    if (path.chain.size() < 2 || !same_name_and_key(path.chain[1], context.issuer)) return "it has another issuer";
    if (has_no_check(responder)) return {};
    const RevocationState state = context.state(responder, context.issuer);
    return enough(state, standing.must_be_known) ? "" : "it is " + not_enough(state);
}

// judged is a certificate that has signed evidence at a time, as `reason_of` says. Who does not count now may have been
// somebody then, and what is weak is worth that much: either revokes alone.
template <class ReasonOf>
EvidenceSigner judged(const Candidate& candidate, const EvidenceContext& context, Time signed_at,
                      const ReasonOf& reason_of) {
    const auto& [signer, came_along] = candidate;
    const Time then = std::min(signed_at, context.trust.clock->now());
    const SignerStanding now{std::max(context.at, then), true, came_along, context.trust.allow_weak};
    std::string reason = reason_of(signer, context, now);
    if (reason.empty()) return {signer, {}};
    reason = fmt::format("{}, who has signed it, is not to be trusted: {}", signer.subject(), reason);
    if (!reason_of(signer, context, {then, false, came_along, true}).empty()) return {std::nullopt, reason};
    return {signer, reason};
}

// signer_among is the first of some certificates that has signed evidence and may. `may_not` says why one may not that
// has; `judge_signer` judges one that is not the issuer. What is weak is heard as far as it revokes.
template <class Evidence, class MayNot, class JudgeSigner>
EvidenceSigner signer_among(const std::vector<Candidate>& candidates, const Evidence& evidence,
                            const EvidenceContext& context, const MayNot& may_not, const JudgeSigner& judge_signer) {
    EvidenceSigner found{std::nullopt, "nobody known has signed it"};
    for (const auto& [each, came_along] : candidates) {
        if (came_along && !context.work.may_try(each)) continue;
        context.work.add(1);
        if (!evidence.signed_by(each)) continue;
        auto [broken, weakness] = strength_of(evidence.signature_algorithm(), each, context.trust.allow_weak);
        if (broken) return {std::nullopt, weakness};
        const std::string forbidden = may_not(each);
        if (each == context.issuer) return {each, forbidden.empty() ? weakness : forbidden};
        if (!forbidden.empty()) {
            if (!found.certificate) found.reason = forbidden;
            continue;
        }
        const std::size_t before = context.work.verifications();
        EvidenceSigner signer = judge_signer(Candidate{each, came_along});
        if (came_along) context.work.add_carried(context.work.verifications() - before);
        if (signer.reason.empty()) signer.reason = weakness;
        if (signer.certificate && signer.reason.empty()) return signer;
        if (!found.certificate) found = std::move(signer);
    }
    return found;
}

}  // namespace

bool has_name(const Certificate& certificate, const X509_NAME* name) {
    return X509_NAME_cmp(X509_get_subject_name(certificate.get()), name) == 0;
}

EvidenceSigner crl_signer(const Crl& crl, const EvidenceContext& context) {
    const auto judge = [&](const Candidate& each) { return judged(each, context, crl.this_update(), path_reason); };
    const auto may_not = [](const Certificate& each) {
        return may_sign_crls(each) ? "" : fmt::format("{} may not sign it", each.subject());
    };
    return context.work.once(crl, {context.certificate, context.issuer, context.of_signer}, [&] {
        return signer_among(named(crl.issuer_name(), context), crl, context, may_not, judge);
    });
}

EvidenceSigner ocsp_signer(const OcspResponse& response, const EvidenceContext& context, bool carried) {
    const auto judge = [&](const Candidate& each) {
        return judged(each, context, response.produced_at(), delegate_reason);
    };
    return context.work.once(response, {context.certificate, context.issuer, context.of_signer}, [&] {
        return signer_among(
            responders_of(response, context, carried), response, context, [](const Certificate&) { return ""; }, judge);
    });
}

}  // namespace p11mime::cms
