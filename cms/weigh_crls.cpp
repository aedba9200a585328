#include "cms/weigh_crls.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

namespace p11mime::cms {

namespace {

// Listed is a CRL that tells of the certificate; Signed is one and who has signed it.
struct Listed {
    Crl crl;
    bool carried;
};
struct Signed {
    Crl crl;
    Certificate signer;
    bool carried;
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

Revoked revoked(const CrlEntry& entry) {
    return {entry.since, entry.reason, entry.on_hold};
}

std::string does_not_count(const Crl& crl, const std::string& why) {
    return fmt::format("the CRL of {} of {} does not count: {}", format_time(crl.this_update()), crl.issuer(), why);
}

// authentic are those that were signed by who may.
std::vector<Signed> authentic(const std::vector<Listed>& crls, const EvidenceContext& context, Finding& finding) {
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
const Crl* usable_delta(const Signed& base, const std::vector<Signed>& deltas, const Finding& finding) {
    const auto usable = std::find_if(deltas.begin(), deltas.end(), [&](const Signed& delta) {
        return delta.crl.completes(base.crl) && same_name_and_key(delta.signer, base.signer) &&
               finding.stale_reason(delta.crl.this_update(), delta.crl.next_update()).empty();
    });
    return usable == deltas.end() ? nullptr : &usable->crl;
}

// weigh_crl gives why a complete CRL tells nothing.
std::string weigh_crl(const Certificate& certificate, const Signed& signed_base, const std::vector<Signed>& deltas,
                      Finding& finding) {
    const Crl& base = signed_base.crl;
    const Crl* delta = usable_delta(signed_base, deltas, finding);
    const Crl& newest = delta == nullptr ? base : *delta;
    // A complete CRL that has ended is as good as a new one with a delta CRL that has not.
    const std::string stale = finding.stale_reason(base.this_update(), base.next_update());
    const bool current = stale.empty() || (delta != nullptr && !finding.future(base.this_update()));

    const auto listed = base.entry(certificate);
    auto entry = delta == nullptr ? std::nullopt : delta->entry(certificate);
    const bool released = entry && entry->removed && (!listed || listed->on_hold);
    if (!entry || entry->removed) entry = released ? std::nullopt : listed;
    if (entry) finding.note_revoked(revoked(*entry), newest.this_update(), current);
    if (finding.revoked()) finding.used.emplace_back(base.der(), certificate.not_after());
    if (!current) return "it " + stale;
    if (entry && finding.in_force(entry->since)) return {};
    if (!entry && certificate.not_after() < newest.this_update() && !newest.keeps_ended(certificate.not_after()))
        return "the certificate had ended before, and it need not list those";
    finding.add_good(base.covers(certificate), newest.this_update());
    if (base.next_update()) finding.used.emplace_back(base.der(), *base.next_update());
    if (delta != nullptr)
        finding.used.emplace_back(delta->der(), *delta->next_update());
    else if (!base.freshest_urls().empty() || !freshest_urls(certificate).empty())
        finding.without_delta = base;
    return {};
}

// weigh_other_key says why a CRL by another key of the issuer says nothing by not listing a certificate: some
// authorities list under each key what that key has signed. What it lists counts.
std::string weigh_other_key(const Certificate& certificate, const Signed& base, const Certificate& issuer,
                            bool issuer_tells, Finding& finding) {
    if (const auto entry = base.crl.entry(certificate))
        finding.note_revoked(revoked(*entry), base.crl.this_update(),
                             finding.stale_reason(base.crl.this_update(), base.crl.next_update()).empty());
    if (issuer_tells) return "there is one by the key that has signed the certificate";
    if (base.carried) return "it came along, and is by another key of the issuer";
    return same_key_version(base.signer, issuer) ? "" : "it is for what another key of the issuer has signed";
}

}  // namespace

void weigh_crls(const Certificate& certificate, const EvidenceContext& context, const std::vector<Crl>& own,
                const std::vector<Crl>& carried, Finding& finding) {
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
            finding.note_revoked(revoked(*entry), delta.crl.this_update(),
                                 finding.stale_reason(delta.crl.this_update(), delta.crl.next_update()).empty());
}

}  // namespace p11mime::cms
