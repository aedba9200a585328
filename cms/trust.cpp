#include "cms/trust.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <map>
#include <set>

#include "cms/algorithms.h"
#include "cms/encode.h"
#include "cms/inherited_key.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kMaxCandidates = 200;  // certificates looked at for one path
constexpr int kMaxPathLength = 20;

using StoreHandle = Handle<X509_STORE, X509_STORE_free>;
using StoreContext = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;
void free_stack(STACK_OF(X509) * stack) {
    sk_X509_free(stack);
}
using BorrowedStack = Handle<STACK_OF(X509), free_stack>;

// Candidates is what a path may be built from.
struct Candidates {
    std::vector<Certificate> anchors;
    std::vector<Certificate> untrusted;
};

// find_candidates follows issuer names upwards and asks every source for them.
Candidates find_candidates(const Certificate& certificate, std::span<const Certificate> surplus, const Trust& trust) {
    Candidates found;
    std::multimap<Bytes, const Certificate*> by_subject;
    for (const Certificate& each : surplus)
        by_subject.emplace(each.subject_der(), &each);
    std::set<Bytes> asked;
    std::vector<Certificate> queue{certificate};
    for (std::size_t i = 0; i < queue.size() && queue.size() < kMaxCandidates; ++i) {
        const Bytes issuer = queue[i].issuer_der();
        if (!asked.insert(issuer).second) continue;
        for (const auto& source : trust.anchors)
            for (Certificate& each : source->by_subject(issuer)) {
                found.anchors.push_back(each);
                queue.push_back(std::move(each));
            }
        std::vector<Certificate> intermediates;
        for (const auto& source : trust.intermediates)
            for (Certificate& each : source->by_subject(issuer))
                intermediates.push_back(std::move(each));
        const auto [first, last] = by_subject.equal_range(issuer);
        for (auto each = first; each != last && intermediates.size() < kMaxCandidates; ++each)
            intermediates.push_back(*each->second);
        for (Certificate& each : intermediates) {
            found.untrusted.push_back(each);
            queue.push_back(std::move(each));
        }
    }
    // An end certificate may itself be an anchor; sources are asked for it by its own name.
    for (const auto& source : trust.anchors)
        for (Certificate& each : source->by_subject(certificate.subject_der()))
            if (each == certificate) found.anchors.push_back(std::move(each));
    return found;
}

std::string display(const Certificate& certificate) {
    const std::string subject = certificate.subject();
    return subject.empty() ? "serial " + certificate.serial_hex() : subject;
}

bool lacks_issuer(int error) {
    return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY || error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
           error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

// path_reason says why OpenSSL refused a path, in plain words.
std::string path_reason(int error, const Certificate& at) {
    const std::string who = display(at);
    if (lacks_issuer(error)) return fmt::format("the issuer of {} ({}) is neither trusted nor known", who, at.issuer());
    switch (error) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return fmt::format("the certificate of {} has ended on {}", who, format_time(at.not_after()));
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return fmt::format("the certificate of {} is not valid before {}", who, format_time(at.not_before()));
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return fmt::format("the self-signed certificate of {} is not trusted", who);
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            return fmt::format("the root {} is not trusted", who);
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
            return fmt::format("the signature on the certificate of {} is wrong", who);
        case X509_V_ERR_INVALID_CA:
        case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
            return fmt::format("{} may not issue certificates", who);
        case X509_V_ERR_PATH_LENGTH_EXCEEDED:
            return fmt::format("{} may not issue certificates this far down the path", who);
        case X509_V_ERR_PERMITTED_VIOLATION:
        case X509_V_ERR_EXCLUDED_VIOLATION:
            return fmt::format("{} carries a name that a certificate authority above it may not certify", who);
        default:
            return fmt::format("{}: {}", who, X509_verify_cert_error_string(error));
    }
}

std::vector<Certificate> built_chain(X509_STORE_CTX* context, const Certificate& certificate) {
    std::vector<Certificate> chain;
    STACK_OF(X509)* stack = X509_STORE_CTX_get0_chain(context);
    for (int i = 0; i < sk_X509_num(stack); ++i) {
        X509* each = sk_X509_value(stack, i);
        X509_up_ref(each);
        chain.emplace_back(X509Handle(each));
    }
    if (chain.empty()) chain.push_back(certificate);
    return chain;
}

StoreHandle store_of(const std::vector<Certificate>& anchors) {
    StoreHandle store(X509_STORE_new());
    if (!store) throw std::bad_alloc();
    for (const Certificate& each : anchors)
        X509_STORE_add_cert(store.get(), each.get());
    return store;
}

bool signed_with(const Certificate& certificate, Standing standing) {
    int digest = NID_undef;
    if (X509_get_signature_info(certificate.get(), &digest, nullptr, nullptr, nullptr) != 1 || digest == NID_undef)
        return false;
    const Algorithm* row = find_algorithm(AlgorithmKind::digest, oid_text(OBJ_nid2obj(digest)));
    return row != nullptr && row->standing == standing;
}

bool is_anchor(const Certificate& certificate, const std::vector<Certificate>& anchors) {
    return std::find(anchors.begin(), anchors.end(), certificate) != anchors.end();
}

// weak_link names the first weak signature or key of a path; an anchor's own signature proves nothing and is not looked
// at.
std::string weak_link(const std::vector<Certificate>& chain, const std::vector<Certificate>& anchors) {
    for (const Certificate& each : chain) {
        if (!is_anchor(each, anchors) && signed_with(each, Standing::weak))
            return fmt::format("the certificate of {} is signed with a weak digest", display(each));
        const EVP_PKEY* key = X509_get0_pubkey(each.get());
        if (key != nullptr && weak_key(key))
            return fmt::format("{} has a weak key ({})", display(each), each.key_type());
    }
    return {};
}

// purpose_reason checks what RFC 8550 section 4.4 asks of the extensions; OpenSSL's smimesign purpose is stricter than
// it.
std::string purpose_reason(const std::vector<Certificate>& chain, Purpose purpose, Use use) {
    const Certificate& end = chain.front();
    if (use == Use::signing && !end.allows_signing())
        return fmt::format("the key usage of the certificate of {} does not allow signing", display(end));
    if (use == Use::encryption && !end.allows_encryption())
        return fmt::format("the key usage of the certificate of {} does not allow encryption", display(end));
    if (purpose == Purpose::any) return {};
    for (const Certificate& each : chain)
        if (!each.allows_email()) return fmt::format("the certificate of {} is not meant for e-mail", display(each));
    return {};
}

BorrowedStack stack_of(const std::vector<Certificate>& certificates, const InheritedKeys& inherited) {
    BorrowedStack stack(sk_X509_new_null());
    for (const Certificate& each : certificates)
        sk_X509_push(stack.get(), inherited.usable(each).get());
    return stack;
}

// revocation_of asks for each certificate below the anchor.
void check_revocation(PathVerdict& verdict, const Trust& trust, Time at) {
    if (!trust.revocation || verdict.chain.size() < 2) return;
    verdict.revocation = RevocationState::good;
    for (std::size_t i = 0; i + 1 < verdict.chain.size(); ++i) {
        const RevocationState state = trust.revocation->state(verdict.chain[i], verdict.chain[i + 1], at);
        if (state == RevocationState::good) continue;
        verdict.revocation = state;
        verdict.revocation_reason = display(verdict.chain[i]);
        if (state != RevocationState::revoked) continue;
        verdict.trusted = false;
        verdict.reason = fmt::format("the certificate of {} is revoked", display(verdict.chain[i]));
        return;
    }
}

}  // namespace

PathVerdict validate(const Certificate& certificate, std::span<const Certificate> surplus, const Trust& trust,
                     Use use) {
    const Time at = trust.at.value_or(trust.clock->now());
    const Candidates candidates = find_candidates(certificate, surplus, trust);
    const StoreHandle store = store_of(candidates.anchors);
    const InheritedKeys inherited(certificate, candidates.untrusted, candidates.anchors);
    const BorrowedStack untrusted = stack_of(candidates.untrusted, inherited);
    const Certificate& end = inherited.usable(certificate);
    const StoreContext context(X509_STORE_CTX_new());
    require(context && X509_STORE_CTX_init(context.get(), store.get(), end.get(), untrusted.get()) == 1,
            "cannot validate a certificate path");
    X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_time(parameters, at.time_since_epoch().count());
    X509_VERIFY_PARAM_set_depth(parameters, kMaxPathLength);
    X509_VERIFY_PARAM_set_auth_level(parameters, 0);  // strength is judged below, by the algorithm table
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);

    PathVerdict verdict;
    verdict.verifications = inherited.tries();
    const bool built = X509_verify_cert(context.get()) == 1;
    verdict.chain = built_chain(context.get(), certificate);
    ERR_clear_error();
    if (!built) {
        const int error = X509_STORE_CTX_get_error(context.get());
        const Certificate* incomplete = inherited.incomplete();
        if (incomplete != nullptr && lacks_issuer(error)) {
            verdict.reason =
                fmt::format("the key of {} takes its parameters from that of {}, which is neither trusted nor known",
                            display(*incomplete), incomplete->issuer());
            return verdict;
        }
        X509* where = X509_STORE_CTX_get_current_cert(context.get());
        if (where != nullptr) X509_up_ref(where);
        verdict.reason = path_reason(error, where == nullptr ? certificate : Certificate(X509Handle(where)));
        return verdict;
    }
    if (const Certificate* stranger = inherited.stranger(verdict.chain)) {
        verdict.reason =
            fmt::format("{} has a key without parameters, which another issuer's key has", display(*stranger));
        return verdict;
    }
    if (end.get() != certificate.get()) verdict.completed = end;
    for (const Certificate& each : verdict.chain)
        if (!is_anchor(each, candidates.anchors) && signed_with(each, Standing::refused))
            verdict.reason = fmt::format("the certificate of {} is signed with a broken digest", display(each));
    if (verdict.reason.empty()) verdict.reason = purpose_reason(verdict.chain, trust.purpose, use);
    verdict.trusted = verdict.reason.empty();

    const std::string weak = weak_link(verdict.chain, candidates.anchors);
    verdict.weak = !weak.empty();
    if (verdict.trusted && verdict.weak && !trust.allow_weak) {
        verdict.trusted = false;
        verdict.reason = weak;
    }
    for (Certificate& each : verdict.chain)
        each = inherited.original(each);
    if (verdict.trusted) check_revocation(verdict, trust, at);
    return verdict;
}

std::vector<Certificate> MemoryCertificates::by_subject(ByteView name_der) {
    std::vector<Certificate> found;
    for (const Certificate& each : certificates_) {
        const Bytes subject = each.subject_der();
        if (std::equal(subject.begin(), subject.end(), name_der.begin(), name_der.end())) found.push_back(each);
    }
    return found;
}

std::optional<Certificate> MemoryCertificates::by_identifier(const RecipientIdentifier& identifier) {
    const auto match = std::find_if(certificates_.begin(), certificates_.end(),
                                    [&](const Certificate& each) { return identifier.matches(each); });
    return match == certificates_.end() ? std::nullopt : std::optional(*match);
}

}  // namespace p11mime::cms
