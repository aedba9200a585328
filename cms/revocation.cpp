#include "cms/revocation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cms/key_holder.h"
#include "cms/weigh_crls.h"
#include "cms/weigh_responses.h"

namespace p11mime::cms {

namespace {

struct Outcome {
    RevocationState state = RevocationState::unknown;
    std::string text = {};
    std::string remedy = {};                 // where it is unknown, as of Missing
    bool outdated = false;                   // newer evidence may tell otherwise
    bool key_compromised = false;            // as of PathVerdict, of this certificate
    std::optional<Time> retired_since = {};  // likewise
    std::optional<Revoked> later = {};       // after the judged time
    bool starved = false;                    // as of RevocationEvidence
};

// DeltaPlace is of which CRLs the delta CRLs are, and where: those of one scope have the same there.
using DeltaPlace = std::pair<Bytes, std::vector<Alternatives>>;

DeltaPlace delta_place(const std::optional<Crl>& base) {
    return base ? DeltaPlace{base->scope(), base->freshest_urls()} : DeltaPlace{};
}

// Judge judges certificates on a path, or below it: one that has signed evidence is judged by what its issuer signs
// itself, so that nobody vouches for himself.
class Judge {
  public:
    Judge(std::span<const Certificate> path, std::span<const Certificate> surplus, const Trust& trust,
          const RevocationEvidence& carried, EvidenceWork& work, bool of_signer)
        : path_(path),
          surplus_(surplus),
          trust_(trust),
          carried_(carried),
          work_(work),
          of_signer_(of_signer),
          now_(trust.clock->now()),
          at_(trust.at.value_or(now_)) {}

    // How is how to judge a certificate: what came along is `doubtful` and makes nothing good, servers are asked.
    struct How {
        bool doubtful = false;
        bool ask = true;
    };

    Outcome judge(const Certificate& certificate, const Certificate& issuer, How how) {
        how_ = how;
        RevocationSource& source = *trust_.revocation;
        const bool not_offered = offers_no_revocation(certificate);
        RevocationEvidence own = source.at_hand(certificate, issuer);
        Weighed weighed = weigh(certificate, issuer, own);
        const auto tells = [&](const RevocationEvidence& answer) {
            return weigh(certificate, issuer, answer, {}).answered();
        };
        using From = RevocationSource::From;
        for (const From from : {From::responders, From::distribution_points}) {
            if (!how.ask || not_offered || weighed.settled()) break;
            own.add(source.fetch(certificate, issuer, from, tells));
            weighed = weigh(certificate, issuer, own);
        }
        const auto wants_delta = [&](const Weighed& so_far) {
            return so_far.wants_delta() ||
                   (!so_far.own.decided() && !not_offered && !freshest_urls(certificate).empty());
        };
        std::string no_delta = "no delta CRL that counts is at hand";
        std::vector<DeltaPlace> asked;
        const auto fetch_changes = [&](const std::optional<Crl>& base) {
            const DeltaPlace place = delta_place(base);
            asked.push_back(place);
            const auto changes = source.fetch_delta(certificate, base, [&](const RevocationEvidence& answer) {
                RevocationEvidence together = own;
                together.add(answer);
                const Weighed so_far = weigh(certificate, issuer, together);
                return !wants_delta(so_far) || std::ranges::count(so_far.bases(), place, delta_place) == 0;
            });
            if (!changes.missing.empty()) no_delta = most_telling(changes.missing).why;
            own.add(changes);
            weighed = weigh(certificate, issuer, own);
        };
        // What is fetched may have, and name, others.
        const auto fetch_all_changes = [&] {
            while (how.ask && wants_delta(weighed)) {
                const auto bases = weighed.bases();
                const auto next = std::ranges::find_if(bases, [&](const std::optional<Crl>& base) {
                    return std::ranges::count(asked, delta_place(base)) == 0;
                });
                if (next == bases.end() || asked.size() == kMaxPoints) break;
                fetch_changes(*next);
            }
        };
        fetch_all_changes();
        if (how.ask && weighed.all.superseded && !weighed.settled() && !not_offered) {
            own.add(source.fetch(certificate, issuer, From::distribution_points, tells));
            weighed = weigh(certificate, issuer, own);
            fetch_all_changes();
        }
        if (how.ask) keep(certificate, weighed);
        if (not_offered && !weighed.all.decided() && !weighed.all.held()) return {RevocationState::not_offered, {}};
        Outcome outcome = conclude(weighed, own);
        if (outcome.state == RevocationState::good) heed_lack(outcome, weighed.all, lack_of_delta(weighed), no_delta);
        return outcome;
    }

  private:
    // Weighed is what all evidence says together, and what the user's own says. A message's sender chooses what it
    // carries: that can show that a certificate is revoked, but keeps nobody from asking whether it is, for what
    // reason, nor what has changed since.
    struct Weighed {
        Finding own;
        Finding all;

        bool settled() const { return own.settled() && (all.revoked() ? own.revoked() : all.settled()); }
        // bases are the CRLs to ask for what has changed since, the user's own first; where there are none, nothing.
        std::vector<std::optional<Crl>> bases() const {
            std::vector<std::optional<Crl>> both(own.without_delta.begin(), own.without_delta.end());
            both.insert(both.end(), all.without_delta.begin(), all.without_delta.end());
            if (both.empty()) both.emplace_back();
            return both;
        }
        bool wants_delta() const {
            const bool lacks = !own.without_delta.empty() || !all.without_delta.empty();
            return lacks && !own.key_compromised() && !(own.answered_good && own.of_the_time() && own.settled());
        }
        Finding::Lack lack_of_delta() const { return std::max(own.lack_of_delta, all.lack_of_delta); }
    };

    // lack_of_delta says whether something may have changed that a delta CRL would tell: there is none, not even one
    // from before the CRL that is known.
    Finding::Lack lack_of_delta(const Weighed& weighed) const {
        const bool all_told = at_ < now_ && weighed.all.of_the_time();
        return weighed.wants_delta() && !all_told ? weighed.lack_of_delta() : Finding::Lack::none;
    }

    // Who demands to know has asked in vain, unless there is nobody to ask.
    void heed_lack(Outcome& outcome, const Finding& finding, Finding::Lack lack, const std::string& why) const {
        if (lack == Finding::Lack::none) return;
        const bool demanded =
            trust_.require_revocation && trust_.revocation->asks() && lack == Finding::Lack::at_server;
        if (demanded) outcome.state = RevocationState::unknown;
        if (demanded || outcome.text.empty())
            outcome.text = fmt::format("{} not to be revoked as of {}, and what has changed since could not be had: {}",
                                       demanded ? "it was known" : "known", format_time(finding.good_as_of()), why);
    }

    // What a server told of a hold is remembered until another tells that it was lifted, and that then, lest what told
    // of the hold is all that is left. What was put on hold after the judged time may be so still.
    void keep(const Certificate& certificate, const Weighed& weighed) const {
        for (const auto& [der, until] : weighed.all.kept)
            trust_.revocation->keep(der, until);
        const auto released = weighed.own.revoked_later() ? std::nullopt : weighed.own.released();
        for (const auto& [telling, until] : weighed.all.revoking)
            if (!released || !telling.revoked.on_hold || telling.of >= *released)
                trust_.revocation->remember(certificate, is_limited(path_), telling, until);
        if (released) trust_.revocation->forget_holds(certificate, *released, weighed.own.needed_until());
    }

    Weighed weigh(const Certificate& certificate, const Certificate& issuer, const RevocationEvidence& own) const {
        const Finding by_own = weigh(certificate, issuer, own, {});
        const bool carries_nothing = carried_.crls.empty() && carried_.ocsp.empty();
        return {by_own, carries_nothing ? by_own : weigh(certificate, issuer, own, carried_)};
    }

    Finding weigh(const Certificate& certificate, const Certificate& issuer, const RevocationEvidence& own,
                  const RevocationEvidence& carried) const {
        const EvidenceContext context{trust_,
                                      surplus_,
                                      path_,
                                      certificate,
                                      issuer,
                                      at_,
                                      [this](const Certificate& signer, const Certificate& its_issuer) {
                                          return state_of_signer(signer, its_issuer);
                                      },
                                      of_signer_,
                                      how_.doubtful,
                                      work_};
        Finding finding(certificate, at_, now_);
        weigh_responses(certificate, context, own.ocsp, carried.ocsp, finding);
        weigh_crls(certificate, context, own, carried, finding);
        for (const Telling& telling : own.remembered)
            finding.heed_remembered(telling);
        if (own.released) finding.heed_released(*own.released);
        finding.weigh_doubts();
        return finding;
    }

    // Where others may know its key since, evidence that it has signed may bear any date.
    RevocationState state_of_signer(const Certificate& signer, const Certificate& issuer) const {
        if (of_signer_) return RevocationState::unknown;
        const Outcome outcome = Judge(path_, surplus_, trust_, carried_, work_, true).judge(signer, issuer, how_);
        const bool known_since = outcome.later && outcome.later->cause != Cause::orderly;
        return known_since && outcome.state != RevocationState::revoked ? RevocationState::unknown : outcome.state;
    }

    Outcome conclude(const Weighed& weighed, const RevocationEvidence& own) const {
        const Finding& finding = weighed.all;
        if (finding.revoked()) {
            Outcome outcome{.state = RevocationState::revoked,
                            .text = finding.revoked_text(),
                            .outdated = finding.hold_ended(),
                            .key_compromised = finding.key_compromised()};
            // Who revokes a certificate may tell later that others know its key, and a message's sender chooses what
            // was told before that.
            if (finding.revoked_of_the_time() || (weighed.own.revoked() && !trust_.require_revocation))
                outcome.retired_since = finding.retired_since();
            else if (finding.retired_since())
                outcome.text += ", and what tells so is too old to tell whether others know its key";
            return outcome;
        }
        if (finding.good()) {
            // Whoever took a key may send along what told of it before it was revoked, and have the signature stamped.
            const bool too_old = trust_.stamped && !of_signer_ && finding.earlier();
            return {.state = too_old ? RevocationState::unknown : RevocationState::good,
                    .text = finding.good_remark(),
                    .later = finding.revoked_later()};
        }
        const Missing missing =
            own.missing.empty() ? Missing{"no CRL and no OCSP response for it is at hand"} : most_telling(own.missing);
        std::string why = finding.unknown_reason();
        if (why.empty())
            why = missing.why;
        else if (finding.notes.empty() && trust_.revocation->asks() && !own.missing.empty())
            why += "; " + missing.why;
        return {.state = RevocationState::unknown,
                .text = why,
                .remedy = missing.remedy,
                .later = finding.revoked_later(),
                .starved = own.starved};
    }

    std::span<const Certificate> path_;
    std::span<const Certificate> surplus_;
    const Trust& trust_;
    const RevocationEvidence& carried_;
    EvidenceWork& work_;
    bool of_signer_;
    How how_;
    Time now_;
    Time at_;
};

// judged is what is known of each certificate of a path below its anchor. Those above come first, and nobody is asked
// about what is below one that is revoked, unless its key is as good as before: whoever has that may have made what is
// below, and chosen its servers. Nor is anything kept of that.
std::vector<Outcome> judged(std::span<const Certificate> path, Judge& judge, std::size_t doubtful) {
    std::vector<Outcome> outcomes(path.size() - 1);
    bool ask = true;
    for (std::size_t i = outcomes.size(); i-- > 0;) {
        outcomes[i] = judge.judge(path[i], path[i + 1], {.doubtful = i < doubtful, .ask = ask});
        if (outcomes[i].state == RevocationState::revoked && !outcomes[i].retired_since) ask = false;
    }
    return outcomes;
}

// with_later is what is to be known of a path, what was revoked after the judged time first.
std::string with_later(const PathVerdict& verdict, const std::string& why) {
    std::vector<std::string> parts;
    for (const RevokedSince& each : verdict.revoked_since)
        parts.push_back(each.text());
    if (!why.empty()) parts.push_back(why);
    return fmt::to_string(fmt::join(parts, "; "));
}

// unknown_reason is why it is not known of any certificate of a path whether it is revoked.
std::string unknown_reason(const Certificate& certificate, const std::string& why) {
    return fmt::format("whether the certificate of {} is revoked is not known: {}", display_name(certificate), why);
}

// has_server says whether a certificate names a server that would tell of it.
bool has_server(const Certificate& certificate) {
    const auto points = crl_urls(certificate);
    return std::ranges::any_of(ocsp_urls(certificate), names_server) ||
           std::ranges::any_of(points,
                               [](const Alternatives& urls) { return std::ranges::any_of(urls, names_server); });
}

// ways_to_evidence is what could be done about that, `remedy` being what the servers' answers suggest.
std::string ways_to_evidence(const Certificate& certificate, const RevocationSource& source,
                             const std::string& remedy) {
    constexpr const char* kFile = "--crl FILE adds a CRL";
    if (!has_server(certificate)) return kFile;
    const std::string ask = !source.asks()   ? "--revocation online asks its servers"
                            : remedy.empty() ? "its servers may answer later"
                                             : remedy;
    return fmt::format("{}, and {}", ask, kFile);
}

}  // namespace

std::optional<Fault> check_revocation(PathVerdict& verdict, std::span<const Certificate> surplus, const Trust& trust,
                                      const RevocationEvidence& carried, std::size_t doubtful) {
    std::string why, hint;
    if (trust.revocation && verdict.chain.size() > 1) {
        EvidenceWork work(verdict.verifications);
        verdict.revocation = RevocationState::good;
        Judge judge(verdict.chain, surplus, trust, carried, work, false);
        const std::vector<Outcome> outcomes = judged(verdict.chain, judge, doubtful);
        // That a certificate was retired, its key being as good as before, is worth as much as those above who say so.
        std::optional<Fault> retired, not_asked;
        for (std::size_t i = 0; i < outcomes.size(); ++i) {
            const Certificate& certificate = verdict.chain[i];
            const auto& [state, text, remedy, outdated, key_compromised, retired_since, later, starved] = outcomes[i];
            if (later)
                verdict.revoked_since.push_back(
                    {certificate, later->since, later->reason, later->cause == Cause::orderly, i, later->other});
            if (state == RevocationState::revoked) {
                verdict.revocation = state;
                verdict.revocation_reason = fmt::format("the certificate of {} is {}", display_name(certificate), text);
                verdict.key_compromised = i == 0 && key_compromised;
                verdict.retired_since = i == 0 ? retired_since : std::nullopt;
                const auto scope = key_compromised ? Fault::Scope::key : Fault::Scope::certificate;
                retired = Fault{verdict.revocation_reason,
                                outdated ? ways_to_evidence(certificate, *trust.revocation, remedy) : "", scope, i};
                if (!verdict.retired_since) return retired;
            }
            if (retired) {
                if (state == RevocationState::unknown && trust.require_revocation) verdict.retired_since.reset();
                continue;
            }
            if (state == RevocationState::not_offered && verdict.revocation == RevocationState::good) {
                verdict.revocation = state;
                why =
                    fmt::format("it is not offered by the issuer of the certificate of {}", display_name(certificate));
            }
            if (state == RevocationState::unknown && (verdict.revocation != state || starved)) {
                verdict.revocation = state;
                why = unknown_reason(certificate, text);
                hint = ways_to_evidence(certificate, *trust.revocation, remedy);
                // Whoever is to be found out may have had others named whose servers take all the time.
                if (starved && trust.purpose != Purpose::timestamps) not_asked = Fault{why, hint};
            }
            if (state == RevocationState::good && why.empty() && !text.empty())
                why = fmt::format("the certificate of {} is {}", display_name(certificate), text);
        }
        if (retired) return retired;
        if (not_asked) return not_asked;
        verdict.revocation_reason = with_later(verdict, why);
    }
    if (trust.revocation && verdict.chain.size() == 1)
        verdict.revocation_reason =
            fmt::format("the certificate of {} is trusted by itself", display_name(verdict.chain.front()));
    const bool enough =
        verdict.revocation == RevocationState::good || verdict.revocation == RevocationState::not_offered;
    if (!trust.require_revocation || enough) return std::nullopt;
    if (!why.empty()) return Fault{why, hint};
    return Fault{unknown_reason(verdict.chain.front(), trust.revocation
                                                           ? "it is an anchor itself, which nobody can revoke"
                                                           : "that was not looked at")};
}

}  // namespace p11mime::cms
