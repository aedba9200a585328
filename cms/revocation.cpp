#include "cms/revocation.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "cms/evidence_signer.h"
#include "mime/error.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kMaxCarriedTried = 32;  // CRLs, and responses, that came along, for one certificate
constexpr auto kClockSkew = std::chrono::minutes(5);

std::string since_text(Time since, const std::string& reason) {
    std::string text = since == Time::min() ? std::string("revoked") : "revoked since " + format_time(since);
    if (!reason.empty()) text += fmt::format(" ({})", reason);
    return text;
}

// Hold is that a certificate is revoked and may come back, as evidence of a time says.
struct Hold {
    Time of;
    bool current;  // that evidence has not ended
    std::string text;
};

// Finding is what the evidence says of one certificate so far.
struct Finding {
    std::string revoked;  // since when and why; empty where it is not
    bool answered_good = false;
    Reasons covered = 0;               // for which something says that it is not revoked
    Reasons covered_by_then = 0;       // likewise, by evidence of the judged time or later
    Time newest = Time::min();         // of what says so
    std::string later;                 // revoked after the judged time
    std::optional<Hold> hold;          // the newest
    std::vector<std::string> notes;    // why evidence does not count
    std::optional<Crl> without_delta;  // it counts, and was not completed by a delta
    std::vector<std::pair<Bytes, Time>> used;

    bool good() const { return covered == kAllReasons; }
    bool decided() const { return !revoked.empty() || good(); }
};

// same_key_version compares Microsoft's "CA Version" ([MS-WCCE] section 2.2.2.7.7), which numbers the keys of an
// authority; an authority without it has one list for all.
bool same_key_version(const Certificate& a, const Certificate& b) {
    const ObjectHandle version(OBJ_txt2obj("1.3.6.1.4.1.311.21.1", 1));
    const auto value_of = [&](const Certificate& certificate) -> const ASN1_OCTET_STRING* {
        const int at = X509_get_ext_by_OBJ(certificate.get(), version.get(), -1);
        return at < 0 ? nullptr : X509_EXTENSION_get_data(X509_get_ext(certificate.get(), at));
    };
    const ASN1_OCTET_STRING* of_a = value_of(a);
    const ASN1_OCTET_STRING* of_b = value_of(b);
    return of_a == nullptr || of_b == nullptr || ASN1_OCTET_STRING_cmp(of_a, of_b) == 0;
}

struct Outcome {
    RevocationState state;
    std::string text;
    bool earlier_evidence = false;  // as of PathVerdict
};

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
        RevocationEvidence own;
        if (trust_.revocation) own.add(trust_.revocation->at_hand(certificate, issuer));
        Finding finding = weigh(certificate, issuer, own, carried_);
        const bool not_offered = offers_no_revocation(certificate);
        using From = RevocationSource::From;
        for (const From from : {From::responders, From::distribution_points}) {
            if (!trust_.revocation || not_offered || settled(finding, certificate, issuer, own)) break;
            own.add(trust_.revocation->fetch(certificate, issuer, from));
            finding = weigh(certificate, issuer, own, carried_);
        }
        // Nor does what is carried keep anybody from asking what has changed since.
        const Finding own_finding = carries_nothing() ? finding : weigh(certificate, issuer, own, {});
        const auto& base = own_finding.without_delta ? own_finding.without_delta : finding.without_delta;
        if (trust_.revocation && finding.revoked.empty() && !own_finding.answered_good && base) {
            own.add(trust_.revocation->fetch_delta(certificate, *base));
            finding = weigh(certificate, issuer, own, carried_);
        }
        if (trust_.revocation)
            for (const auto& [der, until] : finding.used)
                trust_.revocation->keep(der, until);
        if (not_offered && !finding.decided()) return {RevocationState::not_offered, {}};
        return conclude(finding, own);
    }

  private:
    // Of a CRL: it is looked at only until so many that came along were tried, so that none of them pushes out others.
    struct Listed {
        Crl crl;
        bool carried;
    };
    // Signed is a CRL and who has signed it.
    struct Signed {
        Crl crl;
        Certificate signer;
        bool carried;
    };

    static Outcome conclude(const Finding& finding, const RevocationEvidence& own) {
        if (!finding.revoked.empty()) return {RevocationState::revoked, finding.revoked};
        if (finding.good()) {
            const bool earlier = finding.covered_by_then != kAllReasons;
            std::string text = finding.later;
            if (!text.empty())
                text += ", after the time that counts";
            else if (earlier)
                text = fmt::format("known not to be revoked as of {}, before the time that counts",
                                   format_time(finding.newest));
            return {RevocationState::good, text, earlier};
        }
        std::string why = "no CRL and no OCSP response for it is at hand";
        if (!own.missing.empty()) why = own.missing.back();
        if (finding.covered != 0) why = "the CRLs at hand tell of some reasons alone";
        if (!finding.notes.empty()) why = finding.notes.front();
        return {RevocationState::unknown, why};
    }

    // settled says whether nothing need be asked any more. A message's sender chooses what it carries: that can show
    // that a certificate is revoked, but keeps nobody from asking whether it is.
    bool settled(const Finding& finding, const Certificate& certificate, const Certificate& issuer,
                 const RevocationEvidence& own) {
        if (!finding.decided() || !finding.revoked.empty()) return finding.decided();
        return carries_nothing() || weigh(certificate, issuer, own, {}).good();
    }
    bool carries_nothing() const { return carried_.crls.empty() && carried_.ocsp.empty(); }

    Finding weigh(const Certificate& certificate, const Certificate& issuer, const RevocationEvidence& own,
                  const RevocationEvidence& carried) {
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
        weigh_responses(certificate, context, own.ocsp, std::numeric_limits<std::size_t>::max(), finding);
        weigh_responses(certificate, context, carried.ocsp, kMaxCarriedTried, finding);
        weigh_crls(certificate, context, own.crls, carried.crls, finding);
        weigh_hold(finding);
        return finding;
    }

    // weigh_hold lets a hold count until something newer says otherwise; one in evidence that has ended tells nothing
    // but that older evidence is out of date.
    static void weigh_hold(Finding& finding) {
        if (!finding.hold || (finding.good() && finding.hold->of < finding.newest)) return;
        if (finding.hold->current) finding.revoked = finding.hold->text;
        finding.covered = finding.covered_by_then = 0;
        finding.answered_good = false;
        finding.notes.insert(finding.notes.begin(), fmt::format("it was {} at {}, and nothing newer tells of it",
                                                                finding.hold->text, format_time(finding.hold->of)));
    }

    // in_force says whether a revocation since a time counts at the judged time. Now, any does: clocks differ, and
    // whoever signs it ahead of time has a reason.
    bool in_force(Time since) const { return since <= at_ || at_ >= now_; }

    // note_revoked heeds what evidence of a time says of a certificate that it tells to be revoked: that stays so,
    // however old it is, unless it is a hold.
    template <class Told>
    void note_revoked(Finding& finding, const Told& told, Time of, bool current) const {
        if (of > now_ + kClockSkew) return;
        const std::string text = since_text(told.since, told.reason);
        if (!in_force(told.since)) {
            if (current) finding.later = text;
        } else if (!told.on_hold) {
            finding.revoked = text;
        } else if (!finding.hold || finding.hold->of < of) {
            finding.hold = Hold{of, current, text};
        }
    }

    // add_good notes that evidence of a time says that a certificate is not revoked for some reasons. Where the judged
    // time is now, none can be of later.
    void add_good(Finding& finding, Reasons reasons, Time of) const {
        finding.covered |= reasons;
        if (of >= at_ || at_ >= now_) finding.covered_by_then |= reasons;
        finding.newest = std::max(finding.newest, of);
    }

    // stale_reason says why evidence is not of the judged time or later; empty where it is. `live` was made for this.
    std::string stale_reason(Time begins, std::optional<Time> ends, bool live) const {
        if (begins > now_ + kClockSkew) return fmt::format("is not valid before {}", format_time(begins));
        if (begins >= at_ || live) return {};
        if (!ends) return "does not say until when it holds";
        return *ends < at_ ? fmt::format("has ended on {}", format_time(*ends)) : "";
    }

    void weigh_responses(const Certificate& certificate, const EvidenceContext& context,
                         const std::vector<RevocationEvidence::Ocsp>& responses, std::size_t limit,
                         Finding& finding) const {
        std::size_t tried = 0;
        for (const auto& [response, request] : responses) {
            const auto answers = response.answers(certificate, context.issuer);
            const auto note = [&, &told = response](const std::string& why) {
                finding.notes.push_back(
                    fmt::format("the OCSP response of {} does not count: {}", format_time(told.produced_at()), why));
            };
            if (answers.empty() && !request.empty()) note("it is about another certificate");
            if (answers.empty() || ++tried > limit) continue;
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
                const bool just_made = !request.empty() && answer.this_update >= now_ - kClockSkew;
                const bool live = (nonce == OcspResponse::Nonce::same || just_made) && !answer.next_update;
                const std::string stale = stale_reason(answer.this_update, answer.next_update, live);
                if (answer.status == OcspAnswer::Status::revoked)
                    note_revoked(finding, answer, answer.this_update, stale.empty());
                if (!stale.empty())
                    note("it " + stale);
                else if (const std::string why = weigh_answer(certificate, answer, finding); !why.empty())
                    note(why);
                else if (answer.next_update)
                    finding.used.emplace_back(response.der(), *answer.next_update);
                if (!finding.revoked.empty()) finding.used.emplace_back(response.der(), certificate.not_after());
            }
        }
    }

    // weigh_answer gives why an answer that has not ended tells nothing.
    std::string weigh_answer(const Certificate& certificate, const OcspAnswer& answer, Finding& finding) const {
        using Status = OcspAnswer::Status;
        if (answer.status == Status::unknown) return "its responder does not know the certificate";
        if (answer.status == Status::revoked && in_force(answer.since)) return {};
        if (answer.status == Status::good && certificate.not_after() < answer.this_update &&
            !(answer.keeps_ended_since && *answer.keeps_ended_since <= certificate.not_after()))
            return "the certificate had ended before, and it need not tell of those";
        finding.answered_good = true;
        add_good(finding, kAllReasons, answer.this_update);
        return {};
    }

    void weigh_crls(const Certificate& certificate, const EvidenceContext& context, const std::vector<Crl>& own,
                    const std::vector<Crl>& carried, Finding& finding) const {
        std::vector<Listed> bases, deltas;
        for (const bool came_along : {false, true})
            for (const Crl& crl : came_along ? carried : own)
                if (crl.covers(certificate) != 0) (crl.is_delta() ? deltas : bases).push_back({crl, came_along});
        const auto newest_first = [](const Listed& a, const Listed& b) {
            return a.crl.this_update() > b.crl.this_update();
        };
        std::stable_sort(bases.begin(), bases.end(), newest_first);
        std::stable_sort(deltas.begin(), deltas.end(), newest_first);

        const std::vector<Signed> signed_bases = authentic(bases, context, finding);
        const std::vector<Signed> signed_deltas = authentic(deltas, context, finding);
        const auto by_issuer = [&](const Signed& each) { return same_name_and_key(each.signer, context.issuer); };
        const bool issuer_tells = std::any_of(signed_bases.begin(), signed_bases.end(), by_issuer) ||
                                  std::any_of(signed_deltas.begin(), signed_deltas.end(), by_issuer);
        // Of the CRLs of one scope and signer, the newest that tells anything counts.
        std::set<std::tuple<Bytes, Bytes, Bytes>> told;
        for (const Signed& base : signed_bases) {
            const std::tuple scope{base.crl.issuer_der(), base.crl.scope(), base.signer.spki_der()};
            if (told.count(scope) != 0) continue;
            std::string why;
            if (has_name(context.issuer, base.crl.issuer_name()) && !by_issuer(base))
                why = weigh_other_key(certificate, base, context.issuer, issuer_tells, finding);
            if (why.empty()) why = weigh_crl(certificate, base, signed_deltas, finding);
            if (why.empty())
                told.insert(scope);
            else
                finding.notes.push_back(does_not_count(base.crl, why));
        }
        for (const Signed& delta : signed_deltas)
            if (const auto entry = delta.crl.entry(certificate); entry && !entry->removed)
                note_revoked(finding, *entry, delta.crl.this_update(),
                             stale_reason(delta.crl.this_update(), delta.crl.next_update(), false).empty());
    }

    // weigh_other_key says why a CRL by another key of the issuer says nothing by not listing a certificate: some
    // authorities list under each key what that key has signed. What it lists counts.
    std::string weigh_other_key(const Certificate& certificate, const Signed& base, const Certificate& issuer,
                                bool issuer_tells, Finding& finding) const {
        if (const auto entry = base.crl.entry(certificate))
            note_revoked(finding, *entry, base.crl.this_update(),
                         stale_reason(base.crl.this_update(), base.crl.next_update(), false).empty());
        if (issuer_tells) return "there is one by the key that has signed the certificate";
        if (base.carried) return "it came along, and is by another key of the issuer";
        return same_key_version(base.signer, issuer) ? "" : "it is for what another key of the issuer has signed";
    }

    static std::string does_not_count(const Crl& crl, const std::string& why) {
        return fmt::format("the CRL of {} of {} does not count: {}", format_time(crl.this_update()), crl.issuer(), why);
    }

    // authentic are those that were signed by who may.
    std::vector<Signed> authentic(const std::vector<Listed>& crls, const EvidenceContext& context,
                                  Finding& finding) const {
        std::vector<Signed> found;
        std::size_t carried_tried = 0;
        for (const auto& [crl, carried] : crls) {
            if (carried && ++carried_tried > kMaxCarriedTried) continue;
            if (!crl.defect().empty()) {
                finding.notes.push_back(does_not_count(crl, crl.defect()));
                continue;
            }
            const EvidenceSigner signer = crl_signer(crl, context);
            if (signer.certificate)
                found.push_back({crl, *signer.certificate, carried});
            else
                finding.notes.push_back(does_not_count(crl, signer.reason));
        }
        return found;
    }

    // usable_delta is the newest delta CRL that completes `base` and counts.
    const Crl* usable_delta(const Signed& base, const std::vector<Signed>& deltas) const {
        const auto usable = std::find_if(deltas.begin(), deltas.end(), [&](const Signed& delta) {
            return delta.crl.completes(base.crl) && same_name_and_key(delta.signer, base.signer) &&
                   stale_reason(delta.crl.this_update(), delta.crl.next_update(), false).empty();
        });
        return usable == deltas.end() ? nullptr : &usable->crl;
    }

    // weigh_crl gives why a complete CRL tells nothing.
    std::string weigh_crl(const Certificate& certificate, const Signed& signed_base, const std::vector<Signed>& deltas,
                          Finding& finding) const {
        const Crl& base = signed_base.crl;
        const Crl* delta = usable_delta(signed_base, deltas);
        const Crl& newest = delta == nullptr ? base : *delta;
        // A complete CRL that has ended is as good as a new one with a delta CRL that has not.
        const std::string stale = stale_reason(base.this_update(), base.next_update(), false);
        const bool current = delta != nullptr || stale.empty();

        const auto listed = base.entry(certificate);
        auto entry = delta == nullptr ? std::nullopt : delta->entry(certificate);
        const bool released = entry && entry->removed && (!listed || listed->on_hold);
        if (!entry || entry->removed) entry = released ? std::nullopt : listed;
        if (entry) note_revoked(finding, *entry, newest.this_update(), current);
        if (!finding.revoked.empty()) finding.used.emplace_back(base.der(), certificate.not_after());
        if (!current) return "it " + stale;
        if (entry && in_force(entry->since)) return {};
        if (!entry && certificate.not_after() < newest.this_update() && !newest.keeps_ended(certificate.not_after()))
            return "the certificate had ended before, and it need not list those";
        add_good(finding, base.covers(certificate), newest.this_update());
        if (base.next_update()) finding.used.emplace_back(base.der(), *base.next_update());
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

std::optional<Fault> check_revocation(PathVerdict& verdict, std::span<const Certificate> surplus, const Trust& trust,
                                      const RevocationEvidence& carried) {
    if (trust.revocation && verdict.chain.size() > 1) {
        verdict.revocation = RevocationState::good;
        Judge judge(verdict.chain, surplus, trust, carried, verdict.verifications, false);
        for (std::size_t i = 0; i + 1 < verdict.chain.size(); ++i) {
            const Certificate& certificate = verdict.chain[i];
            const auto [state, text, earlier_evidence] = judge.judge(certificate, verdict.chain[i + 1]);
            verdict.earlier_evidence = verdict.earlier_evidence || earlier_evidence;
            if (state == RevocationState::revoked) {
                verdict.revocation = state;
                verdict.revocation_reason = fmt::format("the certificate of {} is {}", display_name(certificate), text);
                return Fault{verdict.revocation_reason, {}, Fault::Scope::certificate, i};
            }
            if (state == RevocationState::not_offered && verdict.revocation == RevocationState::good) {
                verdict.revocation = state;
                verdict.revocation_reason =
                    fmt::format("it is not offered by the issuer of the certificate of {}", display_name(certificate));
            }
            if (state == RevocationState::unknown && verdict.revocation != state) {
                verdict.revocation = state;
                verdict.revocation_reason = unknown_reason(certificate, text);
            }
            if (state == RevocationState::good && verdict.revocation_reason.empty() && !text.empty())
                verdict.revocation_reason = fmt::format("the certificate of {} is {}", display_name(certificate), text);
        }
    }
    const bool enough =
        verdict.revocation == RevocationState::good || verdict.revocation == RevocationState::not_offered;
    if (!trust.require_revocation || enough) return std::nullopt;
    if (!verdict.revocation_reason.empty()) return Fault{verdict.revocation_reason};
    return Fault{unknown_reason(verdict.chain.front(), trust.revocation
                                                           ? "it is an anchor itself, which nobody can revoke"
                                                           : "that was not looked at")};
}

}  // namespace p11mime::cms
