#include "cms/weigh_crls.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <tuple>

namespace p11mime::cms {

namespace {

// Origin is where a CRL is from: the user's own at hand, the certificate's distribution points, where what has changed
// since is to be had, the message.
enum class Origin { own, point, freshest, carried };

// Listed is a CRL that tells of the certificate; Signed is one and who has signed it.
struct Listed {
    Crl crl;
    Origin origin;
};
struct Signed {
    Crl crl;
    EvidenceSigner signer;
    Origin origin;

    const Certificate& by() const { return *signer.certificate; }
};

constexpr const char* kForOthers = "it is for other certificates";

Revoked revoked(const CrlEntry& entry) {
    return {entry.since, entry.reason, entry.cause, entry.on_hold};
}

std::string does_not_count(const Crl& crl, const std::string& why) {
    return fmt::format("the CRL of {} of {} does not count: {}", format_time(crl.this_update()), crl.issuer(), why);
}

// lists says whether a CRL has an entry for a certificate that it is not for, or that it is not to be used for: what
// its issuer says to be revoked is.
bool lists(const Crl& crl, const Certificate& certificate) {
    return crl.lists_clearly() && crl.is_of_issuer(certificate) && crl.entry(certificate);
}

// note_unsigned heeds what a CRL of the user's own lists whose signer is not known, for want of a certificate that a
// message brought another time, say: it may be true, which is told before all else.
void note_unsigned(const Crl& crl, const Certificate& certificate, const std::string& why, Finding& finding) {
    const auto entry = crl.entry(certificate);
    if (!entry || entry->removed || finding.future(crl.this_update())) return;
    finding.note_doubt(crl.this_update(), "was listed as revoked by a CRL whose signer is not known or not trusted");
    finding.notes.insert(finding.notes.begin(), "it is listed as revoked, but " + does_not_count(crl, why));
}

// authentic are those that were signed by who may. Of one that is not to be used, what it lists is heard alone.
std::vector<Signed> authentic(const std::vector<Listed>& crls, const Certificate& certificate,
                              const EvidenceContext& context, Finding& finding) {
    std::vector<Signed> found;
    std::size_t carried_tried = 0;
    for (const auto& [crl, origin] : crls) {
        if (origin == Origin::carried && ++carried_tried > kMaxCarriedTried) continue;
        if (!crl.defect().empty()) finding.notes.push_back(does_not_count(crl, crl.defect()));
        if (!crl.defect().empty() && !lists(crl, certificate)) continue;
        EvidenceSigner signer = crl_signer(crl, context);
        if (signer.reason.empty() && crl.covers(certificate) == 0) signer.reason = kForOthers;
        if (signer.reason.empty()) signer.reason = crl.defect();
        if (crl.defect().empty() && !signer.reason.empty()) finding.notes.push_back(does_not_count(crl, signer.reason));
        if (signer.certificate)
            found.push_back({crl, std::move(signer), origin});
        else if (origin != Origin::carried)
            note_unsigned(crl, certificate, signer.reason, finding);
    }
    return found;
}

// note_listing heeds what a CRL lists, whatever it says by not listing.
void note_listing(const Certificate& certificate, const Signed& each, Finding& finding) {
    const Crl& crl = each.crl;
    const auto entry = crl.entry(certificate);
    const bool revokes = entry && !entry->removed;
    const bool counts_for_all = each.signer.reason.empty();
    if (!counts_for_all && (!revokes || entry->on_hold)) return;
    finding.keep(crl.der(), crl.next_update());
    if (!revokes) return;
    finding.listed = true;
    const bool by_server = each.origin == Origin::point || each.origin == Origin::freshest;
    if (by_server) finding.remember({revoked(*entry), crl.this_update(), crl.next_update()});
    finding.note_revoked(revoked(*entry), crl.this_update(),
                         finding.stale_reason(crl.this_update(), crl.next_update()).empty());
}

// note_reason heeds why a CRL that counts lists the certificate. One that came along is the one of them all that
// whoever sent it chose.
void note_reason(const Certificate& certificate, const Signed& each, Finding& finding) {
    const auto entry = each.crl.entry(certificate);
    if (!entry || entry->removed || !each.signer.reason.empty() || each.origin == Origin::carried) return;
    finding.note_retirement(revoked(*entry), each.crl.this_update(), each.crl.next_update());
}

void drop_carried(std::vector<Signed>& crls, Finding& finding) {
    const auto carried = [](const Signed& each) { return each.origin == Origin::carried; };
    for (const Signed& each : crls)
        if (carried(each)) finding.notes.push_back(does_not_count(each.crl, kMadeByOthers));
    std::erase_if(crls, carried);
}

// Deltas is among which delta CRLs to look: all, or those that did not come along.
enum class Deltas { all, own };

// counting_delta is the newest delta CRL that counts beside `base` and is to it what `relation` says.
template <class Relation>
const Crl* counting_delta(const Signed& base, const std::vector<Signed>& deltas, const Finding& finding,
                          const Relation& relation, Deltas among = Deltas::all) {
    const auto counting = std::find_if(deltas.begin(), deltas.end(), [&](const Signed& delta) {
        return (among == Deltas::all || delta.origin != Origin::carried) &&
               std::invoke(relation, delta.crl, base.crl) && delta.signer.reason.empty() &&
               same_name_and_key(delta.by(), base.by()) &&
               finding.stale_reason(delta.crl.this_update(), delta.crl.next_update()).empty();
    });
    return counting == deltas.end() ? nullptr : &counting->crl;
}

// lack_without_delta is what lacks where no delta CRL to `base` is at hand.
Finding::Lack lack_without_delta(const Certificate& certificate, const Crl& base) {
    auto points = freshest_urls(certificate);
    for (Alternatives& urls : base.freshest_urls())
        points.push_back(std::move(urls));
    if (points.empty()) return Finding::Lack::none;
    const bool asked =
        std::ranges::any_of(points, [](const Alternatives& urls) { return std::ranges::any_of(urls, names_server); });
    return asked ? Finding::Lack::at_server : Finding::Lack::nowhere;
}

// note_lack_of_delta notes a CRL that has delta CRLs none of which is at hand. One that came along does not stand for
// those: its sender chooses which of them it is.
void note_lack_of_delta(const Certificate& certificate, const Signed& base, const std::vector<Signed>& deltas,
                        bool current, Finding& finding) {
    const Finding::Lack lack = lack_without_delta(certificate, base.crl);
    const auto at_hand = [&](auto relation) {
        return counting_delta(base, deltas, finding, relation, Deltas::own) != nullptr;
    };
    if (lack == Finding::Lack::none || at_hand(&Crl::completes)) return;
    if (!at_hand(&Crl::precedes) && (current || finding.without_delta.empty()))
        finding.lack_of_delta = std::max(finding.lack_of_delta, lack);
    finding.without_delta.push_back(base.crl);
}

// leaves_out says whether a CRL need not list a certificate, which had ended before.
bool leaves_out(const Crl& crl, const Certificate& certificate) {
    return certificate.not_after() < crl.this_update() && !crl.keeps_ended(certificate.not_after());
}

// weigh_removal heeds that a delta CRL says that the certificate is no longer on hold, whatever it completes.
void weigh_removal(const Certificate& certificate, const Crl& delta, Finding& finding) {
    const auto entry = delta.entry(certificate);
    if (entry && entry->removed && !leaves_out(delta, certificate))
        finding.note_not_held(delta.covers(certificate), delta.this_update());
}

// weigh_crl gives why a complete CRL tells nothing.
std::string weigh_crl(const Certificate& certificate, const Signed& signed_base, const std::vector<Signed>& deltas,
                      Finding& finding) {
    const Crl& base = signed_base.crl;
    const Crl* delta = counting_delta(signed_base, deltas, finding, &Crl::completes);
    const Crl& newest = delta == nullptr ? base : *delta;
    // A complete CRL that has ended is as good as a new one with a delta CRL that has not.
    const std::string stale = finding.stale_reason(base.this_update(), base.next_update());
    const bool current = stale.empty() || (delta != nullptr && !finding.future(base.this_update()));

    const auto listed = base.entry(certificate);
    auto entry = delta == nullptr ? std::nullopt : delta->entry(certificate);
    const bool released = entry && entry->removed && (!listed || listed->on_hold);
    if (!entry || entry->removed) entry = released ? std::nullopt : listed;
    if (entry) finding.note_revoked(revoked(*entry), newest.this_update(), current);
    note_lack_of_delta(certificate, signed_base, deltas, current, finding);
    const bool left_out = leaves_out(newest, certificate);
    if (!entry && !left_out) finding.note_not_held(base.covers(certificate), newest.this_update());
    if (!current) return "it " + stale;
    if (entry && finding.in_force(entry->since)) return {};
    if (delta == nullptr && counting_delta(signed_base, deltas, finding, &Crl::supersedes) != nullptr) {
        finding.superseded = true;
        return "a delta CRL tells that there is a newer one";
    }
    if (!entry && left_out) return "the certificate had ended before, and it need not list those";
    const bool own = signed_base.origin != Origin::carried;
    finding.add_good(base.covers(certificate), newest.this_update(),
                     own && finding.holds_now(base.this_update(), base.next_update()));
    return {};
}

// other_key_reason says why a CRL by another key of the issuer says nothing by not listing a certificate: some
// authorities list under each key what that key has signed, and whoever is on the way to where the certificate says
// that its CRL is may answer with the one for another key.
std::string other_key_reason(const Certificate& certificate, const Signed& each, const Certificate& issuer,
                             bool issuer_tells) {
    if (issuer_tells) return "there is one by the key that has signed the certificate";
    if (each.origin == Origin::carried) return "it came along, and is by another key of the issuer";
    if (each.crl.of_one_key() || has_key_version(each.by()) || has_key_version(issuer))
        return "it is for what another key of the issuer has signed";
    if (each.crl.names_point_of(certificate)) return {};
    return "it is by another key of the issuer, and does not name the place where the certificate says that its CRL is";
}

}  // namespace

void weigh_crls(const Certificate& certificate, const EvidenceContext& context, const RevocationEvidence& own,
                const RevocationEvidence& carried, Finding& finding) {
    std::vector<Listed> bases, deltas;
    const auto add = [&](const std::vector<Crl>& crls, Origin origin) {
        for (const Crl& crl : crls)
            if (crl.covers(certificate) != 0 || lists(crl, certificate))
                (crl.is_delta() ? deltas : bases).push_back({crl, origin});
            else if (origin == Origin::point)
                finding.notes.push_back(does_not_count(crl, kForOthers));
    };
    add(own.at_points, Origin::point);
    add(own.crls, Origin::own);
    add(own.at_freshest, Origin::freshest);
    add(carried.crls, Origin::carried);
    const auto newest_first = [](const Listed& a, const Listed& b) {
        return a.crl.this_update() > b.crl.this_update();
    };
    std::stable_sort(bases.begin(), bases.end(), newest_first);
    std::stable_sort(deltas.begin(), deltas.end(), newest_first);

    std::vector<Signed> signed_bases = authentic(bases, certificate, context, finding);
    std::vector<Signed> signed_deltas = authentic(deltas, certificate, context, finding);
    const auto by_issuer = [&](const Signed& each) { return same_name_and_key(each.by(), context.issuer); };
    // One that is over, or that anybody may have added, tells of no list that is kept.
    const auto kept_by_issuer = [&](const Signed& each) {
        return by_issuer(each) && each.origin != Origin::carried &&
               finding.stale_reason(each.crl.this_update(), each.crl.next_update()).empty();
    };
    const bool issuer_tells = std::any_of(signed_bases.begin(), signed_bases.end(), kept_by_issuer) ||
                              std::any_of(signed_deltas.begin(), signed_deltas.end(), kept_by_issuer);
    for (const auto* crls : {&signed_bases, &signed_deltas})
        for (const Signed& each : *crls)
            note_listing(certificate, each, finding);
    if (context.carried_doubtful)
        for (auto* crls : {&signed_bases, &signed_deltas})
            drop_carried(*crls, finding);
    for (const auto* crls : {&signed_bases, &signed_deltas})
        for (const Signed& each : *crls)
            note_reason(certificate, each, finding);
    const auto why_not = [&](const Signed& each) {
        const bool by_other_key = has_name(context.issuer, each.crl.issuer_name()) && !by_issuer(each);
        return by_other_key ? other_key_reason(certificate, each, context.issuer, issuer_tells) : std::string();
    };
    for (const Signed& delta : signed_deltas)
        if (delta.signer.reason.empty() && why_not(delta).empty()) weigh_removal(certificate, delta.crl, finding);
    // Of the CRLs of one scope and signer, the newest that tells anything counts.
    std::set<std::tuple<Bytes, Bytes, Bytes>> told;
    for (const Signed& base : signed_bases) {
        const std::tuple scope{base.crl.issuer_der(), base.crl.scope(), base.by().spki_der()};
        if (told.count(scope) != 0 || !base.signer.reason.empty()) continue;
        std::string why = why_not(base);
        if (why.empty()) why = weigh_crl(certificate, base, signed_deltas, finding);
        if (why.empty())
            told.insert(scope);
        else
            finding.notes.push_back(does_not_count(base.crl, why));
    }
}

}  // namespace p11mime::cms
