#include "cms/revocation.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "cms/evidence_signer.h"
#include "mime/error.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kMaxTried = 32;  // CRLs and responses for one certificate
constexpr auto kClockSkew = std::chrono::minutes(5);

std::string since_text(Time since, const std::string& reason) {
    std::string text = since == Time::min() ? std::string("revoked") : "revoked since " + format_time(since);
    if (!reason.empty()) text += fmt::format(" ({})", reason);
    return text;
}

// Finding is what the evidence says of one certificate so far.
struct Finding {
    std::string revoked;  // since when and why; empty where it is not
    bool answered_good = false;
    Reasons covered = 0;               // for which CRLs say that it is not revoked
    std::string later;                 // revoked after the judged time
    std::vector<std::string> notes;    // why evidence does not count
    std::optional<Crl> without_delta;  // it counts, and was not completed by a delta
    std::vector<std::pair<Bytes, Time>> used;

    bool good() const { return answered_good || covered == kAllReasons; }
    bool decided() const { return !revoked.empty() || good(); }
};

struct Outcome {
    RevocationState state;
    std::string text;
};

void append(RevocationEvidence& to, RevocationEvidence&& from) {
    to.crls.insert(to.crls.end(), from.crls.begin(), from.crls.end());
    to.ocsp.insert(to.ocsp.end(), from.ocsp.begin(), from.ocsp.end());
    to.missing.insert(to.missing.end(), from.missing.begin(), from.missing.end());
}

// Judge judges certificates on a path, or below it: one that has signed evidence is judged by what its issuer signs
// itself, so that nobody vouches for himself.
class Judge {
  public:
    Judge(std::span<const Certificate> path, std::span<const Certificate> surplus, const Trust& trust,
          const RevocationEvidence& carried, std::size_t& verifications, bool of_signer)
        : path_(path),
          surplus_(surplus),
          trust_(trust),
          carried_(carried),
          verifications_(verifications),
          of_signer_(of_signer),
          now_(trust.clock->now()),
          at_(trust.at.value_or(now_)) {}

    Outcome judge(const Certificate& certificate, const Certificate& issuer) {
        RevocationEvidence evidence = carried_, own;
        const auto add = [&](const RevocationEvidence& more) {
            append(evidence, RevocationEvidence(more));
            append(own, RevocationEvidence(more));
        };
        if (trust_.revocation) add(trust_.revocation->at_hand(certificate, issuer));
        Finding finding = weigh(certificate, issuer, evidence);
        using From = RevocationSource::From;
        for (const From from : {From::responders, From::distribution_points}) {
            if (!trust_.revocation || settled(finding, certificate, issuer, own)) break;
            add(trust_.revocation->fetch(certificate, issuer, from));
            finding = weigh(certificate, issuer, evidence);
        }
        if (finding.without_delta && trust_.revocation && !finding.answered_good) {
            append(evidence, trust_.revocation->fetch_delta(certificate, *finding.without_delta));
            finding = weigh(certificate, issuer, evidence);
        }
        if (trust_.revocation)
            for (const auto& [der, until] : finding.used)
                trust_.revocation->keep(der, until);
        return conclude(finding, evidence);
    }

  private:
    static Outcome conclude(const Finding& finding, const RevocationEvidence& evidence) {
        if (!finding.revoked.empty()) return {RevocationState::revoked, finding.revoked};
        if (finding.good()) return {RevocationState::good, finding.later};
        std::string why = "no CRL and no OCSP response for it is at hand";
        if (!evidence.missing.empty()) why = evidence.missing.back();
        if (finding.covered != 0) why = "the CRLs at hand tell of some reasons alone";
        if (!finding.notes.empty()) why = finding.notes.front();
        return {RevocationState::unknown, why};
    }

    // settled says whether nothing need be asked any more. A message's sender chooses what it carries: that can show
    // that a certificate is revoked, but keeps nobody from asking whether it is.
    bool settled(const Finding& finding, const Certificate& certificate, const Certificate& issuer,
                 const RevocationEvidence& own) {
        if (!finding.decided() || !finding.revoked.empty()) return finding.decided();
        const bool nothing_carried = carried_.crls.empty() && carried_.ocsp.empty();
        return nothing_carried || weigh(certificate, issuer, own).good();
    }

    Finding weigh(const Certificate& certificate, const Certificate& issuer, const RevocationEvidence& evidence) {
        const EvidenceContext context{trust_,
                                      surplus_,
                                      path_,
                                      issuer,
                                      at_,
                                      [this](const Certificate& signer, const Certificate& its_issuer) {
                                          if (of_signer_) return RevocationState::unknown;
                                          Judge judge(path_, surplus_, trust_, carried_, verifications_, true);
                                          return judge.judge(signer, its_issuer).state;
                                      },
                                      verifications_};
        Finding finding;
        weigh_responses(certificate, context, evidence, finding);
        weigh_crls(certificate, context, evidence, finding);
        return finding;
    }

    // stale_reason says why evidence is not of the judged time or later; empty where it is. `live` was made for this.
    std::string stale_reason(Time begins, std::optional<Time> ends, bool live) const {
        if (begins > now_ + kClockSkew) return fmt::format("is not valid before {}", format_time(begins));
        if (begins >= at_ || live) return {};
        if (!ends) return "does not say until when it holds";
        return *ends < at_ ? fmt::format("has ended on {}", format_time(*ends)) : "";
    }

    void weigh_responses(const Certificate& certificate, const EvidenceContext& context,
                         const RevocationEvidence& evidence, Finding& finding) const {
        std::size_t tried = 0;
        for (const auto& [response, request] : evidence.ocsp) {
            const auto answers = response.answers(certificate, context.issuer);
            if (answers.empty() || ++tried > kMaxTried) continue;
            const auto note = [&, &told = response](const std::string& why) {
                finding.notes.push_back(
                    fmt::format("the OCSP response of {} does not count: {}", format_time(told.produced_at()), why));
            };
            if (!response.defect().empty()) {
                note(response.defect());
                continue;
            }
            const auto nonce = request.empty() ? OcspResponse::Nonce::absent : response.nonce(request);
            if (nonce == OcspResponse::Nonce::other) {
                note("it answers another request");
                continue;
            }
            if (response.produced_at() > now_ + kClockSkew) {
                note("it is of the future");
                continue;
            }
            const EvidenceSigner signer = ocsp_signer(response, context);
            if (!signer.certificate) {
                note(signer.reason);
                continue;
            }
            for (const OcspAnswer& answer : answers) {
                const bool live = nonce == OcspResponse::Nonce::same && !answer.next_update;
                if (const std::string stale = stale_reason(answer.this_update, answer.next_update, live);
                    !stale.empty())
                    note("it " + stale);
                else if (const std::string why = weigh_answer(certificate, answer, finding); !why.empty())
                    note(why);
                else if (answer.next_update)
                    finding.used.emplace_back(response.der(), *answer.next_update);
            }
        }
    }

    // weigh_answer gives why an answer tells nothing.
    std::string weigh_answer(const Certificate& certificate, const OcspAnswer& answer, Finding& finding) const {
        using Status = OcspAnswer::Status;
        if (answer.status == Status::unknown) return "its responder does not know the certificate";
        if (answer.status == Status::revoked && answer.since <= at_) {
            finding.revoked = since_text(answer.since, answer.reason);
            return {};
        }
        if (answer.status == Status::revoked) {
            finding.later = since_text(answer.since, answer.reason);
        } else if (certificate.not_after() < answer.this_update &&
                   !(answer.keeps_ended_since && *answer.keeps_ended_since <= certificate.not_after())) {
            return "the certificate had ended before, and it need not tell of those";
        }
        finding.answered_good = true;
        return {};
    }

    void weigh_crls(const Certificate& certificate, const EvidenceContext& context, const RevocationEvidence& evidence,
                    Finding& finding) const {
        std::vector<Crl> bases;
        std::vector<Crl> deltas;
        for (const Crl& crl : evidence.crls)
            if (crl.covers(certificate) != 0) (crl.is_delta() ? deltas : bases).push_back(crl);
        const auto newest_first = [](const Crl& a, const Crl& b) { return a.this_update() > b.this_update(); };
        std::stable_sort(bases.begin(), bases.end(), newest_first);
        std::stable_sort(deltas.begin(), deltas.end(), newest_first);

        // Of the CRLs of one scope, the newest that tells anything counts.
        std::set<std::pair<Bytes, Bytes>> told;
        std::size_t tried = 0;
        for (const Crl& base : bases) {
            const std::pair scope{base.issuer_der(), base.scope()};
            if (told.count(scope) != 0 || ++tried > kMaxTried) continue;
            const std::string why = weigh_crl(certificate, context, base, deltas, finding);
            if (why.empty())
                told.insert(scope);
            else
                finding.notes.push_back(fmt::format("the CRL of {} of {} does not count: {}",
                                                    format_time(base.this_update()), base.issuer(), why));
        }
    }

    // usable_delta is the newest delta CRL that completes `base` and counts.
    const Crl* usable_delta(const Crl& base, const Certificate& signer, const std::vector<Crl>& deltas) const {
        std::size_t tried = 0;
        for (const Crl& delta : deltas) {
            if (!delta.defect().empty() || !delta.completes(base)) continue;
            if (!stale_reason(delta.this_update(), delta.next_update(), false).empty()) continue;
            if (++tried > kMaxTried) break;
            ++verifications_;
            if (delta.signed_by(signer)) return &delta;
        }
        return nullptr;
    }

    // weigh_crl gives why a CRL tells nothing.
    std::string weigh_crl(const Certificate& certificate, const EvidenceContext& context, const Crl& base,
                          const std::vector<Crl>& deltas, Finding& finding) const {
        if (!base.defect().empty()) return base.defect();
        const EvidenceSigner signer = crl_signer(base, context);
        if (!signer.certificate) return signer.reason;
        const Crl* delta = usable_delta(base, *signer.certificate, deltas);
        // A complete CRL that has ended is as good as a new one with a delta CRL that has not.
        if (const std::string stale = stale_reason(base.this_update(), base.next_update(), false);
            delta == nullptr && !stale.empty())
            return "it " + stale;

        auto entry = delta == nullptr ? std::nullopt : delta->entry(certificate);
        const bool released = entry && entry->removed;
        if (!entry) entry = base.entry(certificate);
        const Crl& newest = delta == nullptr ? base : *delta;
        if (entry && !released) {
            if (entry->since <= at_)
                finding.revoked = since_text(entry->since, entry->reason);
            else
                finding.later = since_text(entry->since, entry->reason);
        } else if (certificate.not_after() < newest.this_update() && !newest.keeps_ended(certificate.not_after())) {
            return "the certificate had ended before, and it need not list those";
        }
        finding.covered |= base.covers(certificate);
        finding.used.emplace_back(base.der(), *base.next_update());
        if (delta != nullptr)
            finding.used.emplace_back(delta->der(), *delta->next_update());
        else if (!base.freshest_urls().empty() || !freshest_urls(certificate).empty())
            finding.without_delta = base;
        return {};
    }

    std::span<const Certificate> path_;
    std::span<const Certificate> surplus_;
    const Trust& trust_;
    const RevocationEvidence& carried_;
    std::size_t& verifications_;
    bool of_signer_;
    Time now_;
    Time at_;
};

// unknown_reason is why it is not known of any certificate of a path whether it is revoked.
std::string unknown_reason(const Certificate& certificate, const std::string& why) {
    return fmt::format("whether the certificate of {} is revoked is not known: {}", display_name(certificate), why);
}

}  // namespace

void check_revocation(PathVerdict& verdict, std::span<const Certificate> surplus, const Trust& trust,
                      const RevocationEvidence& carried) {
    if (trust.revocation && verdict.chain.size() > 1) {
        verdict.revocation = RevocationState::good;
        Judge judge(verdict.chain, surplus, trust, carried, verdict.verifications, false);
        for (std::size_t i = 0; i + 1 < verdict.chain.size(); ++i) {
            const Certificate& certificate = verdict.chain[i];
            const auto [state, text] = judge.judge(certificate, verdict.chain[i + 1]);
            if (state == RevocationState::revoked) {
                verdict.revocation = state;
                verdict.revocation_reason = fmt::format("the certificate of {} is {}", display_name(certificate), text);
                verdict.trusted = false;
                verdict.reason = verdict.revocation_reason;
                return;
            }
            if (state == RevocationState::unknown && verdict.revocation != state) {
                verdict.revocation = state;
                verdict.revocation_reason = unknown_reason(certificate, text);
            }
            if (state == RevocationState::good && verdict.revocation_reason.empty() && !text.empty())
                verdict.revocation_reason = fmt::format("the certificate of {} is {}, after the time that counts",
                                                        display_name(certificate), text);
        }
    }
    if (!trust.require_revocation || verdict.revocation == RevocationState::good) return;
    verdict.trusted = false;
    verdict.reason = verdict.revocation_reason;
    if (verdict.reason.empty())
        verdict.reason =
            unknown_reason(verdict.chain.front(), trust.revocation ? "it is an anchor itself, which nobody can revoke"
                                                                   : "that was not looked at");
}

}  // namespace p11mime::cms
