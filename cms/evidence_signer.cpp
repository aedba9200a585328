#include "cms/evidence_signer.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>

#include "cms/algorithms.h"
#include "cms/rsa_pss.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kMaxCarriedSigners = 20;  // certificates that came along and are tried for one signature

// strength_reason says why a signature is not relied on; empty where it is.
std::string strength_reason(const X509_ALGOR* algorithm, const Certificate& signer, bool allow_weak) {
    int digest = NID_undef;
    const int nid = OBJ_obj2nid(algorithm->algorithm);
    if (nid == NID_rsassaPss) {
        const auto pss = read_pss(algorithm);
        if (!pss) return "is signed in a way that is not supported";
        digest = EVP_MD_get_type(evp_digest(pss->hash));
    } else if (OBJ_find_sigid_algs(nid, &digest, nullptr) != 1) {
        return "is signed in a way that is not supported";
    }
    Standing standing = Standing::ok;
    if (digest != NID_undef) {
        const Algorithm* row = find_algorithm(AlgorithmKind::digest, oid_text(OBJ_nid2obj(digest)));
        standing = row == nullptr ? Standing::refused : row->standing;
    }
    if (standing == Standing::refused) return "is signed with a broken digest";
    if (allow_weak) return {};
    if (standing == Standing::weak) return "is signed with a weak digest";
    return weak_key(X509_get0_pubkey(signer.get())) ? "is signed with a weak key" : "";
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

// path_of validates a signer's own path at a time when what it signed counts; policies and purposes are none of its.
PathVerdict path_of(const Certificate& signer, const EvidenceContext& context, Time signed_at) {
    Trust trust;
    trust.anchors = context.trust.anchors;
    trust.intermediates = context.trust.intermediates;
    trust.clock = context.trust.clock;
    trust.allow_weak = context.trust.allow_weak;
    trust.purpose = context.trust.purpose;  // of the anchor; Use::evidence has none
    trust.at = std::max(context.at, std::min(signed_at, context.trust.clock->now()));
    // The path's own certificates are a source, which no number of others pushes out.
    trust.intermediates.insert(
        trust.intermediates.begin(),
        std::make_shared<MemoryCertificates>(std::vector<Certificate>(context.path.begin(), context.path.end())));
    return validate(signer, context.surplus, trust, Use::evidence);
}

// path_reason says why a CRL's signer may not stand for it; empty where it may. The certificate of an issuer's other
// key, which has the same name, is revoked by name alone: it is often itself in the CRLs that it signs.
std::string path_reason(const Certificate& signer, const EvidenceContext& context, Time signed_at) {
    const PathVerdict path = path_of(signer, context, signed_at);
    if (!path.trusted) return path.reason;
    if (!(path.chain.back() == context.path.back())) return "it leads to another anchor";
    // Another key of the issuer is certified by the issuer or by who certified that: whoever else has its name is not
    // it.
    const bool namesake = has_name(signer, X509_get_subject_name(context.issuer.get()));
    if (namesake && path.chain.size() > 1 && !holder_on_path(path.chain[1], context))
        return "it has the issuer's name, and is certified by others";
    for (std::size_t i = 0; i + 1 < path.chain.size(); ++i) {
        if (on_path(path.chain[i], context)) continue;
        if ((i > 0 || namesake) && !holder_on_path(path.chain[i], context))
            if (std::string why = limits(path.chain[i], context); !why.empty()) return why;
        const RevocationState state = context.state(path.chain[i], path.chain[i + 1]);
        const bool enough = state == RevocationState::good || state == RevocationState::not_offered ||
                            (state == RevocationState::unknown && path.chain[i].self_issued());
        if (!enough)
            return fmt::format("{} is {}", path.chain[i].subject(),
                               state == RevocationState::revoked ? "revoked" : "not known not to be revoked");
    }
    return {};
}

// issuers_of are the certificates of the name that a CRL is issued by. What came along is last, and limited: it pushes
// out nothing else.
std::vector<Certificate> issuers_of(const Crl& crl, const EvidenceContext& context) {
    std::vector<Certificate> found;
    const auto add = [&](const Certificate& certificate) {
        if (std::find(found.begin(), found.end(), certificate) == found.end()) found.push_back(certificate);
    };
    if (has_name(context.issuer, crl.issuer_name())) add(context.issuer);
    for (const Certificate& each : context.path)
        if (has_name(each, crl.issuer_name())) add(each);
    for (const auto* sources : {&context.trust.intermediates, &context.trust.anchors})
        for (const auto& source : *sources)
            for (const Certificate& each : source->by_subject(crl.issuer_der()))
                add(each);
    const std::size_t limit = found.size() + kMaxCarriedSigners;
    for (const Certificate& each : context.surplus)
        if (found.size() < limit && has_name(each, crl.issuer_name())) add(each);
    return found;
}

// responders_of are the certificates that a response names its responder by. What came along is last, and limited: it
// pushes out nothing else.
std::vector<Certificate> responders_of(const OcspResponse& response, const EvidenceContext& context) {
    std::vector<Certificate> found;
    const auto add = [&](const Certificate& certificate) {
        if (response.names(certificate) && std::find(found.begin(), found.end(), certificate) == found.end())
            found.push_back(certificate);
    };
    add(context.issuer);
    const Bytes name = response.responder_name();
    for (const auto& source : context.trust.intermediates)
        if (!name.empty())
            for (const Certificate& each : source->by_subject(name))
                add(each);
        else if (const auto each = source->by_identifier({.key_identifier = response.responder_key()}))
            add(*each);
    const std::vector<Certificate> certificates = response.certificates();
    for (const std::span<const Certificate> carried : {std::span(certificates), context.surplus}) {
        const std::size_t limit = found.size() + kMaxCarriedSigners;
        for (const Certificate& each : carried)
            if (found.size() < limit) add(each);
    }
    return found;
}

// delegate_reason says why a responder that is not the issuer may not answer for it; empty where it may.
std::string delegate_reason(const Certificate& responder, const EvidenceContext& context, Time signed_at) {
    if (!may_sign_ocsp(responder)) return "it may not sign OCSP responses";
    const PathVerdict path = path_of(responder, context, signed_at);
    if (!path.trusted) return path.reason;
    if (path.chain.size() < 2 || !same_name_and_key(path.chain[1], context.issuer)) return "it has another issuer";
    if (has_no_check(responder)) return {};
    switch (context.state(responder, context.issuer)) {
        case RevocationState::good:
        case RevocationState::not_offered:
            return {};
        case RevocationState::revoked:
            return "it is revoked";
        default:
            return "it is not known not to be revoked";
    }
}

}  // namespace

bool has_name(const Certificate& certificate, const X509_NAME* name) {
    return X509_NAME_cmp(X509_get_subject_name(certificate.get()), name) == 0;
}

EvidenceSigner crl_signer(const Crl& crl, const EvidenceContext& context) {
    std::string reason = "nobody known has signed it";
    for (const Certificate& each : issuers_of(crl, context)) {
        ++context.verifications;
        if (!crl.signed_by(each)) continue;
        if (!may_sign_crls(each)) {
            reason = fmt::format("{} may not sign it", each.subject());
            continue;
        }
        if (const std::string weak = strength_reason(crl.signature_algorithm(), each, context.trust.allow_weak);
            !weak.empty())
            return {std::nullopt, "it " + weak};
        if (each == context.issuer) return {each, {}};
        reason = path_reason(each, context, crl.this_update());
        if (reason.empty()) return {each, {}};
        reason = fmt::format("{}, who has signed it, is not to be trusted: {}", each.subject(), reason);
    }
    return {std::nullopt, reason};
}

EvidenceSigner ocsp_signer(const OcspResponse& response, const EvidenceContext& context) {
    std::string reason = "nobody known has signed it";
    for (const Certificate& each : responders_of(response, context)) {
        ++context.verifications;
        if (!response.signed_by(each)) continue;
        if (const std::string weak = strength_reason(response.signature_algorithm(), each, context.trust.allow_weak);
            !weak.empty())
            return {std::nullopt, "it " + weak};
        if (each == context.issuer) return {each, {}};
        reason = delegate_reason(each, context, response.produced_at());
        if (reason.empty()) return {each, {}};
        reason = fmt::format("{}, who has signed it, is not to be trusted: {}", each.subject(), reason);
    }
    return {std::nullopt, reason};
}

}  // namespace p11mime::cms
