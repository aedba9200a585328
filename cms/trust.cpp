#include "cms/trust.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "cms/best_path.h"
#include "cms/candidate_paths.h"
#include "cms/compromised_since.h"
#include "cms/distribution_points.h"
#include "cms/distrust.h"
#include "cms/inherited_key.h"
#include "cms/key_holder.h"
#include "cms/missing_issuer.h"
#include "cms/revocation.h"
#include "cms/verify_path.h"
#include "cms/ways_up.h"

namespace p11mime::cms {

namespace {

// just_before a time that may be the first of all, as that of a certificate whose end cannot be read is.
Time just_before(Time time) {
    return time == Time::min() ? time : time - std::chrono::seconds(1);
}

constexpr std::size_t kMaxPaths = 32;       // tried for one certificate
constexpr int kMaxFetchedIssuers = 12;      // two bridges above three authorities, and some ways that end at each
constexpr std::size_t kMaxOfKeyWork = 100;  // verifications for what came along of one key of a path

// Message is what came along with a certificate.
struct Message {
    std::span<const Certificate> certificates;
    const RevocationEvidence& evidence;
    std::optional<Time> claimed;  // when it is said to have been used
};

PathVerdict refused(PathVerdict verdict, const Fault& fault) {
    verdict.trusted = false;
    verdict.reason = fault.reason;
    verdict.hint = fault.hint;
    verdict.at_fault = fault.at;
    return verdict;
}

std::vector<Certificate> certificates_of(const CandidatePaths& paths, const CandidatePaths::Path& path) {
    std::vector<Certificate> chain;
    for (const std::size_t index : path)
        chain.push_back(paths[index]);
    return chain;
}

// named_alike are the certificates of a certificate's name that the user has.
std::vector<Certificate> named_alike(const Certificate& certificate, const Trust& trust) {
    std::vector<Certificate> found;
    for (const auto& source : trust.intermediates)
        for (Certificate& each : source->by_subject(certificate.subject_der()))
            found.push_back(std::move(each));
    return found;
}

// compromised_key finds a key of a path below its anchor that others know, as the revocation of another certificate of
// that key tells: whatever is not revoked of it is worth no more.
std::optional<Fault> compromised_key(PathVerdict& verdict, const Trust& trust, const Message& message);

// revoked_anchor finds that an issuer of a path's anchor, which is trusted by itself, has revoked it: who vouched for
// it once did not so for ever.
std::optional<Fault> revoked_anchor(PathVerdict& verdict, const Trust& trust, const Message& message);

// Judge judges the paths of one certificate. `alone`: whether it is revoked, and others know its key, is to be told,
// for which other certificates of the keys on them are not looked at, nor counts how it looks itself, that it is an
// anchor, or what those above demand of its use: who revoked it knows.
class Judge {
  public:
    Judge(const InheritedKeys& inherited, const Candidates& candidates, const Trust& trust, Use use,
          const Message& message, bool alone)
        : inherited_(inherited),
          candidates_(candidates),
          trust_(trust),
          use_(use),
          time_{trust.at.value_or(trust.clock->now()), trust.at.has_value(), message.claimed},
          message_(message),
          alone_(alone) {}

    /// judge fills in all of the verdict but what other paths cost; `fault` is why it is not trusted.
    PathVerdict judge(const std::vector<Certificate>& path, std::optional<Fault>& fault) const {
        PathVerdict verdict;
        verdict.chain = as_they_came(path);
        verdict.anchored = true;
        VerifiedPath verified;
        fault = issuer_key_fault(path);
        if (!fault) fault = stranger(path);
        if (!fault) {
            // What policies an authority demands below it is of what is signed by users, not of what tells of
            // revocation.
            const bool demands = !alone_ && use_ != Use::evidence;
            verified = verify_path(path, demands ? &trust_.policy : nullptr, trust_.purpose, time_);
            fault = std::move(verified.fault);
        }
        if (fault && !looks_back_)
            if (auto told = revoked_before_end(path, verdict)) fault = std::move(told);
        if (fault) return refused(std::move(verdict), *fault);
        if (path.front().get() != verdict.chain.front().get()) verdict.completed = path.front();
        const auto weak = weak_link(path);
        verdict.weak = weak.has_value();
        fault = alone_ ? vouching_fault(path) : path_fault(path);
        if (!fault) fault = distrust_fault(path, candidates_, trust_.purpose, use_);
        if (!fault) fault = purpose_fault(path, trust_.purpose, use_);
        if (!fault && !trust_.allow_weak) fault = weak;
        // Who may not certify a name tells nothing of whoever has it.
        const bool of_looks = fault && fault->at == 0 && fault->scope != Fault::Scope::path;
        if (fault && !(alone_ && of_looks)) return refused(std::move(verdict), *fault);
        const std::optional<Fault> as_it_looks = std::move(fault);
        verdict.trusted = true;
        verdict.policies = std::move(verified.policies);
        if (verified.off_policy)
            verdict.policy_remark = fmt::format(
                "the certificate of {} does not follow a policy that --policy names; --explicit-policy demands it",
                display_name(path.front()));
        if (trust_.purpose == Purpose::any)
            if (const auto off_purpose = purpose_fault(path, Purpose::email, use_))
                verdict.purpose_remark = fmt::format("{}; --purpose any accepts it", off_purpose->reason);
        fault = revocation_fault(verdict);
        if (!alone_) {
            const std::size_t doubtful = below_compromised(verdict.revoked_since);
            if (!fault) fault = unproven(verdict, trust_);
            if (!fault && doubtful > 0) fault = revocation_fault(verdict, doubtful);
        }
        if (fault && of_authority(*fault))
            fault->hint =
                "if it was renewed, " + ways_to_certificate(path[fault->at - 1], trust_, "its new certificate");
        if (!fault) fault = as_it_looks;
        return fault ? refused(std::move(verdict), *fault) : verdict;
    }

  private:
    std::vector<Certificate> as_they_came(const std::vector<Certificate>& path) const {
        std::vector<Certificate> chain;
        for (const Certificate& each : path)
            chain.push_back(inherited_.original(each));
        return chain;
    }

    // revocation_fault fills in what is known of revocation, `doubtful` being as for check_revocation.
    std::optional<Fault> revocation_fault(PathVerdict& verdict, std::size_t doubtful = 0) const {
        verdict.revoked_since.clear();
        auto fault = check_revocation(verdict, message_.certificates, trust_, message_.evidence, doubtful);
        if ((fault && !verdict.retired_since) || !trust_.revocation || alone_) return fault;
        if (auto compromised = compromised_key(verdict, trust_, message_)) return compromised;
        if (auto revoked = revoked_anchor(verdict, trust_, message_)) return revoked;
        return fault;
    }

    // revoked_before_end finds that a path which has ended was revoked, as far as what is at hand tells: for a key that
    // others know, as whoever has it may claim any date for a signature, or by the date that is claimed.
    std::optional<Fault> revoked_before_end(const std::vector<Certificate>& path, PathVerdict& verdict) const {
        const auto ended = std::ranges::min_element(path, {}, &Certificate::not_after);
        if (!trust_.revocation || ended->not_after() > time_.at) return std::nullopt;
        auto fault = revoked_by(just_before(ended->not_after()), true, path, verdict);
        if (!fault && held_when_claimed(path, time_)) fault = revoked_by(*time_.claimed, false, path, verdict);
        if (fault)
            fault->reason += fmt::format("; the certificate of {} has ended on {}", display_name(*ended),
                                         format_time(ended->not_after()));
        return fault;
    }

    // revoked_by finds that a path was revoked by a time, with `for_key` for a key that others know.
    std::optional<Fault> revoked_by(Time time, bool for_key, const std::vector<Certificate>& path,
                                    PathVerdict& verdict) const {
        Trust before = asking_nobody(trust_);
        before.at = time;
        before.stamped = false;
        before.require_revocation = false;
        before.policy = {};
        std::optional<Fault> fault;
        Judge then(inherited_, candidates_, before, use_, message_, alone_);
        then.looks_back_ = true;
        const PathVerdict found = then.judge(path, fault);
        verdict.verifications += path.size() + found.verifications;
        if (found.revocation != RevocationState::revoked || (for_key && fault->scope != Fault::Scope::key))
            return std::nullopt;
        verdict.revocation = found.revocation;
        verdict.revocation_reason = found.revocation_reason;
        verdict.key_compromised = found.key_compromised;
        return fault;
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
    const Candidates& candidates_;
    const Trust& trust_;
    Use use_;
    JudgedTime time_;
    const Message& message_;
    bool alone_;
    bool looks_back_ = false;  // judges a path that has ended, at a time before
};

// exclude takes out of the paths to come what would have the same fault.
void exclude(CandidatePaths& paths, const CandidatePaths::Path& path, const Fault& fault) {
    switch (fault.scope) {
        case Fault::Scope::certificate:
            return paths.exclude(path[fault.at]);
        case Fault::Scope::key:
            return paths.exclude_key(path[fault.at]);
        case Fault::Scope::link:
            if (fault.at + 1 < path.size()) paths.exclude_link(path[fault.at], path[fault.at + 1]);
            return;
        case Fault::Scope::path:
            return;
    }
}

// Attempt is what came of the paths that could be built, and the certificates whose issuers may make better ones.
struct Attempt {
    PathVerdict verdict;
    std::vector<Certificate> may_ask;
};

// Asked is a certificate whose issuers were asked for, and why there are none.
struct Asked {
    Certificate certificate;
    Missing missing;

    bool names_server() const { return !issuer_urls(certificate).empty(); }
};

// tell_why adds to a path that ends without an issuer why that could not be had.
void tell_why(PathVerdict& verdict, const Missing& missing) {
    verdict.reason = unknown_issuer(verdict.chain.back(), missing.why);
    if (!missing.remedy.empty()) verdict.hint = fmt::format("{}; {}", missing.remedy, verdict.hint);
}

// validate_with looks for a path among what is there. With `signatures`, issuers may be asked for.
Attempt validate_with(const Certificate& certificate, const Message& message, const Trust& trust, Use use,
                      IssuerSignatures* signatures = nullptr, bool alone = false) {
    Candidates candidates = find_candidates(certificate, message.certificates, trust.anchors, trust.intermediates);
    if (alone) std::erase(candidates.anchors, certificate);
    const InheritedKeys inherited(certificate, candidates.untrusted, candidates.anchors);
    const Time at = trust.at.value_or(trust.clock->now());
    CandidatePaths paths(certificate, candidates, inherited, at);
    const Judge judge(inherited, candidates, trust, use, message, alone);

    BestPath best;
    std::size_t verifications = inherited.tries() + paths.verifications();
    for (std::size_t tried = 0; tried < kMaxPaths && !best.settled(); ++tried) {
        const auto path = paths.next();
        if (!path) break;
        if (tried > 0) verifications += path->size() - 1;
        std::optional<Fault> fault;
        PathVerdict verdict = judge.judge(certificates_of(paths, *path), fault);
        verifications += std::exchange(verdict.verifications, 0);
        if (fault) exclude(paths, *path, *fault);
        best.offer(std::move(verdict), fault);
    }
    Attempt attempt;
    bool mendable = best.mendable();
    CandidatePaths::Path way;
    if (!best.found() || best.by_namesake()) way = WaysUp(paths, at).most_telling();
    if (best.found() && (way.empty() || paths.leads_up(way.back()))) {
        attempt.verdict = std::move(*best.found());
    } else {
        PathVerdict without_path;
        for (const Certificate& each : certificates_of(paths, way))
            without_path.chain.push_back(inherited.original(each));
        Fault fault = fault_without_path(without_path.chain, inherited, paths.has_namesake(way.back()), trust);
        fault.at = without_path.chain.size() - 1;
        attempt.verdict = refused(std::move(without_path), fault);
        mendable = true;
    }
    if (mendable && signatures != nullptr)
        for (const Certificate& each : WaysUp(paths, at, signatures).askable())
            attempt.may_ask.push_back(inherited.original(each));
    attempt.verdict.verifications += verifications;
    return attempt;
}

// for_its_revocation is what a certificate is judged by to know whether it is revoked.
Trust for_its_revocation(Trust trust) {
    trust.require_revocation = false;
    trust.policy = {};
    trust.allow_weak = true;
    return trust;
}

std::optional<Fault> compromised_key(PathVerdict& verdict, const Trust& trust, const Message& message) {
    std::size_t spent = 0;
    // told_by says whether one of some certificates of a key on the path tells so, with as many verifications at most.
    const auto told_by = [&](std::span<const Certificate> others, std::size_t at, std::size_t limit) {
        const Certificate& on_path = verdict.chain[at];
        const Bytes key = on_path.spki_der();
        for (const Certificate& other : others) {
            if (spent >= limit) break;
            if (other == on_path || other.spki_der() != key || !tells_of_holder(other, false, on_path)) continue;
            Trust of_other = for_its_revocation(trust);
            const Time last = just_before(other.not_after());
            if (last < trust.at.value_or(trust.clock->now())) of_other.at = last;
            const PathVerdict found = validate_with(other, message, of_other, Use::evidence, nullptr, true).verdict;
            spent += found.chain.size() + found.verifications;
            if (!tells_of_holder(other, is_limited(found.chain), on_path)) continue;
            for (const RevokedSince& each : found.revoked_since)
                if (each.certificate == other && !each.orderly) {
                    verdict.revoked_since.push_back(each);
                    verdict.revoked_since.back().at = at;
                }
            if (!found.key_compromised) continue;
            verdict.revocation = RevocationState::revoked;
            verdict.revocation_reason =
                fmt::format("others may know the key of {}, which another certificate has (of {}, serial {}): {}",
                            display_name(on_path), other.issuer(), other.serial_hex(), found.revocation_reason);
            verdict.retired_since.reset();
            return true;
        }
        return false;
    };
    std::optional<Fault> fault;
    for (std::size_t i = 0; i + 1 < verdict.chain.size() && !fault; ++i) {
        // However many came along, they cost little.
        if (told_by(named_alike(verdict.chain[i], trust), i, std::numeric_limits<std::size_t>::max()) ||
            told_by(message.certificates, i, spent + kMaxOfKeyWork)) {
            verdict.key_compromised = i == 0;
            fault = Fault{verdict.revocation_reason, {}, Fault::Scope::key, i};
        }
    }
    verdict.verifications += spent;
    return fault;
}

std::optional<Fault> revoked_anchor(PathVerdict& verdict, const Trust& trust, const Message& message) {
    const Certificate anchor = verdict.chain.back();
    const std::size_t at = verdict.chain.size() - 1;
    if (anchor.self_issued()) return std::nullopt;
    const PathVerdict found =
        validate_with(anchor, message, for_its_revocation(trust), Use::evidence, nullptr, true).verdict;
    verdict.verifications += found.chain.size() + found.verifications;
    for (RevokedSince each : found.revoked_since) {
        if (!(each.certificate == anchor)) continue;
        each.at = at;
        verdict.revoked_since.push_back(std::move(each));
    }
    if (found.revocation != RevocationState::revoked || found.at_fault != 0) return std::nullopt;
    verdict.revocation = RevocationState::revoked;
    verdict.revocation_reason = found.revocation_reason + ", though it is trusted by itself";
    verdict.key_compromised = at == 0 && found.key_compromised;
    verdict.retired_since = at == 0 ? found.retired_since : std::nullopt;
    const auto scope = found.key_compromised ? Fault::Scope::key : Fault::Scope::certificate;
    return Fault{verdict.revocation_reason, {}, scope, at};
}

// AtHand is a source that asks nobody.
class AtHand final : public RevocationSource {
  public:
    explicit AtHand(std::shared_ptr<RevocationSource> source) : source_(std::move(source)) {}
    RevocationEvidence at_hand(const Certificate& certificate, const Certificate& issuer) override {
        return source_->at_hand(certificate, issuer);
    }
    void begin() override { source_->begin(); }
    bool asks() const override { return false; }
    RevocationEvidence fetch(const Certificate&, const Certificate&, From, const Tells&) override {
        return {
            .missing = {{"no CRL and no OCSP response for it is at hand, and no server is asked about a signature that "
                         "does not verify"}}};
    }
    RevocationEvidence fetch_delta(const Certificate&, const std::optional<Crl>&, const Tells&) override { return {}; }
    void keep(ByteView der, Time until) override { source_->keep(der, until); }
    void remember(const Certificate& revoked, bool limited, const Telling& telling, Time until) override {
        source_->remember(revoked, limited, telling, until);
    }

  private:
    std::shared_ptr<RevocationSource> source_;
};

}  // namespace

std::string RevokedSince::told() const {
    if (!other.empty())
        return fmt::format("others may know the key of {}, as {} is revoked since {} ({})", display_name(certificate),
                           other, format_time(since), reason);
    return fmt::format("the certificate of {} is revoked since {}{}", display_name(certificate), format_time(since),
                       reason.empty() ? "" : fmt::format(" ({})", reason));
}

std::string RevokedSince::text() const {
    return fmt::format("{}, after the time that counts", told());
}

Trust asking_nobody(Trust trust) {
    trust.issuers = nullptr;
    if (trust.revocation) trust.revocation = std::make_shared<AtHand>(std::move(trust.revocation));
    return trust;
}

PathVerdict validate(const Certificate& certificate, std::span<const Certificate> surplus, const Trust& trust, Use use,
                     std::optional<Time> claimed, const RevocationEvidence& carried) {
    std::vector<Certificate> known(surplus.begin(), surplus.end());
    std::vector<Asked> asked;
    IssuerSignatures signatures;
    const auto attempt_with_known = [&] {
        return validate_with(certificate, {known, carried, claimed}, trust, use, trust.issuers ? &signatures : nullptr);
    };
    Attempt attempt = attempt_with_known();
    while (trust.issuers) {
        const auto next = std::ranges::find_if(attempt.may_ask, [&](const Certificate& each) {
            return std::ranges::find(asked, each, &Asked::certificate) == asked.end();
        });
        if (next == attempt.may_ask.end()) break;
        if (!issuer_urls(*next).empty() && std::ranges::count_if(asked, &Asked::names_server) >= kMaxFetchedIssuers) {
            asked.push_back(
                {*next, {fmt::format("no more than {} issuers are fetched for one certificate", kMaxFetchedIssuers)}});
            continue;
        }
        IssuerSource::Found found = trust.issuers->issuers_of(*next);
        const std::vector<Certificate>& issuers = found.certificates;
        asked.push_back({*next, issuers.empty() ? std::move(found.missing) : Missing{}});
        if (issuers.empty()) continue;
        // No number of those that came along pushes out what was asked for.
        std::erase_if(known, [&](const Certificate& each) { return std::ranges::count(issuers, each) != 0; });
        known.insert(known.begin(), issuers.begin(), issuers.end());
        const std::size_t verifications = attempt.verdict.verifications;
        attempt = attempt_with_known();
        attempt.verdict.verifications += verifications;
    }
    PathVerdict& verdict = attempt.verdict;
    verdict.verifications += signatures.verifications();
    const auto last = std::ranges::find(asked, verdict.chain.back(), &Asked::certificate);
    if (!verdict.trusted && last != asked.end() && !last->missing.why.empty()) tell_why(verdict, last->missing);
    return std::move(verdict);
}

}  // namespace p11mime::cms
