#include "cms/trust.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>

#include "cms/candidate_paths.h"
#include "cms/inherited_key.h"
#include "cms/verify_path.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kMaxPaths = 32;  // tried for one certificate

// revocation_of asks for each certificate below the anchor.
void check_revocation(PathVerdict& verdict, const Trust& trust, Time at) {
    if (!trust.revocation || verdict.chain.size() < 2) return;
    verdict.revocation = RevocationState::good;
    for (std::size_t i = 0; i + 1 < verdict.chain.size(); ++i) {
        const RevocationState state = trust.revocation->state(verdict.chain[i], verdict.chain[i + 1], at);
        if (state == RevocationState::good) continue;
        verdict.revocation = state;
        verdict.revocation_reason = display_name(verdict.chain[i]);
        if (state != RevocationState::revoked) continue;
        verdict.trusted = false;
        verdict.reason = fmt::format("the certificate of {} is revoked", display_name(verdict.chain[i]));
        return;
    }
}

PathVerdict refused(PathVerdict verdict, const Fault& fault) {
    verdict.trusted = false;
    verdict.reason = fault.reason;
    verdict.hint = fault.hint;
    return verdict;
}

std::vector<Certificate> certificates_of(const CandidatePaths& paths, const CandidatePaths::Path& path) {
    std::vector<Certificate> chain;
    for (const std::size_t index : path)
        chain.push_back(paths[index]);
    return chain;
}

Fault without_parameters(const Certificate& certificate, std::string hint = {}) {
    return {fmt::format("the key of {} takes its parameters from that of {}, which is neither trusted nor known",
                        display_name(certificate), certificate.issuer()),
            std::move(hint)};
}

// fault_without_path says why no path leads to an anchor, `chain` being the way up that there is.
Fault fault_without_path(const std::vector<Certificate>& chain, const InheritedKeys& inherited) {
    constexpr const char* kHint = "add its root with --ca or 'p11mime certs trust' if you know that it is right";
    if (const Certificate* incomplete = inherited.incomplete()) return without_parameters(*incomplete, kHint);
    const Certificate& last = chain.back();
    const std::string who = display_name(last);
    if (!last.self_issued())
        return {fmt::format("the issuer of {} ({}) is neither trusted nor known", who, last.issuer()), kHint};
    if (chain.size() == 1) return {fmt::format("the self-signed certificate of {} is not trusted", who), kHint};
    return {fmt::format("the root {} is not trusted", who), kHint};
}

// Judge judges the paths of one certificate.
class Judge {
  public:
    Judge(const InheritedKeys& inherited, const Trust& trust, Use use, std::optional<Time> claimed)
        : inherited_(inherited),
          trust_(trust),
          use_(use),
          at_(trust.at.value_or(trust.clock->now())),
          claimed_(claimed) {}

    /// judge fills in all of the verdict but what other paths cost; `fault` is why it is not trusted.
    PathVerdict judge(const std::vector<Certificate>& path, std::optional<Fault>& fault) const {
        PathVerdict verdict;
        verdict.chain = as_they_came(path);
        VerifiedPath verified;
        fault = oversized_issuer(path);
        if (!fault) fault = stranger(path);
        if (!fault) {
            verified = verify_path(path, trust_.policy, at_, claimed_);
            fault = std::move(verified.fault);
        }
        if (fault) return refused(std::move(verdict), *fault);
        if (path.front().get() != verdict.chain.front().get()) verdict.completed = path.front();
        const auto weak = weak_link(path);
        verdict.weak = weak.has_value();
        fault = path_fault(path);
        if (!fault) fault = purpose_fault(path, trust_.purpose, use_);
        if (!fault && !trust_.allow_weak) fault = weak;
        if (fault) return refused(std::move(verdict), *fault);
        verdict.trusted = true;
        verdict.policies = std::move(verified.policies);
        check_revocation(verdict, trust_, at_);
        if (!verdict.trusted) fault = Fault{verdict.reason, verdict.hint};
        return verdict;
    }

  private:
    std::vector<Certificate> as_they_came(const std::vector<Certificate>& path) const {
        std::vector<Certificate> chain;
        for (const Certificate& each : path)
            chain.push_back(inherited_.original(each));
        return chain;
    }

    std::optional<Fault> stranger(const std::vector<Certificate>& path) const {
        const auto lacking = std::find_if(path.begin(), path.end(), lacks_parameters);
        if (lacking != path.end()) return without_parameters(*lacking);
        const Certificate* found = inherited_.stranger(path);
        if (found == nullptr) return std::nullopt;
        return Fault{
            fmt::format("{} has a key without parameters, which another issuer's key has", display_name(*found))};
    }

    const InheritedKeys& inherited_;
    const Trust& trust_;
    Use use_;
    Time at_;
    std::optional<Time> claimed_;
};

// exclude takes out of the paths to come what would have the same fault.
void exclude(CandidatePaths& paths, const CandidatePaths::Path& path, const Fault& fault) {
    switch (fault.scope) {
        case Fault::Scope::certificate:
            return paths.exclude(path[fault.at]);
        case Fault::Scope::link:
            if (fault.at + 1 < path.size()) paths.exclude_link(path[fault.at], path[fault.at + 1]);
            return;
        case Fault::Scope::path:
            return;
    }
}

}  // namespace

PathVerdict validate(const Certificate& certificate, std::span<const Certificate> surplus, const Trust& trust, Use use,
                     std::optional<Time> claimed) {
    const Candidates candidates = find_candidates(certificate, surplus, trust.anchors, trust.intermediates);
    const InheritedKeys inherited(certificate, candidates.untrusted, candidates.anchors);
    CandidatePaths paths(certificate, candidates, inherited, trust.at.value_or(trust.clock->now()));
    const Judge judge(inherited, trust, use, claimed);

    // The first path that fails tells why, unless it fails for an issuer of the name that has not issued anything.
    std::optional<PathVerdict> failed;
    bool by_namesake = false;
    std::size_t verifications = inherited.tries() + paths.comparisons() / 100;
    for (std::size_t tried = 0; tried < kMaxPaths; ++tried) {
        const auto path = paths.next();
        if (!path) break;
        if (tried > 0) verifications += path->size() - 1;
        std::optional<Fault> fault;
        PathVerdict verdict = judge.judge(certificates_of(paths, *path), fault);
        if (!failed || verdict.trusted || by_namesake) {
            by_namesake = fault && fault->scope == Fault::Scope::link;
            failed = std::move(verdict);
        }
        if (!fault) break;
        exclude(paths, *path, *fault);
    }
    if (!failed) {
        PathVerdict without_path;
        for (const Certificate& each : certificates_of(paths, paths.farthest()))
            without_path.chain.push_back(inherited.original(each));
        const Fault fault = fault_without_path(without_path.chain, inherited);
        failed = refused(std::move(without_path), fault);
        failed->incomplete = !failed->chain.back().self_issued();
    }
    failed->verifications = verifications;
    return *failed;
}

std::vector<Certificate> MemoryCertificates::by_subject(ByteView name_der) {
    const Byte* data = name_der.data();
    const NameHandle name(d2i_X509_NAME(nullptr, &data, static_cast<long>(name_der.size())));
    ERR_clear_error();
    std::vector<Certificate> found;
    if (!name) return found;
    for (const Certificate& each : certificates_)
        if (X509_NAME_cmp(X509_get_subject_name(each.get()), name.get()) == 0) found.push_back(each);
    return found;
}

std::optional<Certificate> MemoryCertificates::by_identifier(const RecipientIdentifier& identifier) {
    const auto match = std::find_if(certificates_.begin(), certificates_.end(),
                                    [&](const Certificate& each) { return identifier.matches(each); });
    return match == certificates_.end() ? std::nullopt : std::optional(*match);
}

}  // namespace p11mime::cms
