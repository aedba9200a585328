#include "cms/path_rules.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

#include "cms/algorithms.h"
#include "cms/distribution_points.h"
#include "cms/key_fault.h"
#include "cms/key_holder.h"
#include "cms/name_constraints.h"

namespace p11mime::cms {

namespace {

// The extensions that OpenSSL or these rules process. OpenSSL's own list has more, which it only processes where asked
// to, such as Netscape's certificate types.
constexpr std::array kProcessed = {
    NID_key_usage,       NID_subject_alt_name,        NID_basic_constraints,    NID_certificate_policies,
    NID_policy_mappings, NID_policy_constraints,      NID_inhibit_any_policy,   NID_name_constraints,
    NID_ext_key_usage,   NID_crl_distribution_points, NID_id_pkix_OCSP_noCheck,
};

// SignatureDigest is the digest that a certificate is signed with; its name is the signature's where that names none,
// as EdDSA.
struct SignatureDigest {
    Standing standing;
    std::string name;
};

// signature_digest: what is in no table is relied on as little as what is broken.
SignatureDigest signature_digest(const Certificate& certificate) {
    int digest = NID_undef;
    const bool known = X509_get_signature_info(certificate.get(), &digest, nullptr, nullptr, nullptr) == 1;
    if (!known || digest == NID_undef)
        return {known ? Standing::ok : Standing::refused, algorithm_text(X509_get0_tbs_sigalg(certificate.get()))};
    const Algorithm* row = find_algorithm(AlgorithmKind::digest, oid_text(OBJ_nid2obj(digest)));
    if (row == nullptr) return {Standing::refused, OBJ_nid2sn(digest)};
    return {row->standing, std::string(row->name)};
}

Fault of_certificate(std::size_t at, std::string reason, std::string hint = {}) {
    return {std::move(reason), std::move(hint), Fault::Scope::certificate, at};
}

bool readable(const Certificate& certificate) {
    const bool good = (X509_get_extension_flags(certificate.get()) & EXFLAG_INVALID) == 0;
    ERR_clear_error();
    return good;
}

std::optional<Fault> readability_fault(const std::vector<Certificate>& chain, std::size_t at) {
    if (readable(chain[at])) return std::nullopt;
    return of_certificate(at, fmt::format("{} has extensions that cannot be read", display_name(chain[at])));
}

// digest_fault is of the signature on a certificate, which proves nothing of an anchor.
std::optional<Fault> digest_fault(const std::vector<Certificate>& chain, std::size_t at) {
    if (at + 1 == chain.size()) return std::nullopt;
    const SignatureDigest digest = signature_digest(chain[at]);
    if (digest.standing != Standing::refused) return std::nullopt;
    return of_certificate(at,
                          fmt::format("the certificate of {} is signed with a digest that is broken or not known ({})",
                                      display_name(chain[at]), digest.name));
}

}  // namespace

std::string unhandled_extension(const Certificate& certificate) {
    for (int i = 0; i < X509_get_ext_count(certificate.get()); ++i) {
        X509_EXTENSION* extension = X509_get_ext(certificate.get(), i);
        if (X509_EXTENSION_get_critical(extension) == 0) continue;
        const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
        if (std::find(kProcessed.begin(), kProcessed.end(), nid) != kProcessed.end()) continue;
        return nid == NID_undef ? oid_text(X509_EXTENSION_get_object(extension)) : OBJ_nid2ln(nid);
    }
    return {};
}

std::optional<Fault> name_fault(const std::vector<Certificate>& chain) {
    const auto breach = name_breach(chain);
    if (!breach) return std::nullopt;
    const std::string who = display_name(chain[breach->at]);
    const std::string above = display_name(chain[breach->above]);
    if (breach->name.empty())
        return Fault{fmt::format("{} carries a name that {} may not certify", who, above), "", Fault::Scope::path,
                     breach->at};
    return Fault{fmt::format("{} carries the address {}, which {} may not certify", who, breach->name, above), "",
                 Fault::Scope::path, breach->at};
}

std::optional<Fault> issuer_key_fault(const std::vector<Certificate>& chain) {
    for (std::size_t i = 1; i < chain.size(); ++i)
        if (const EVP_PKEY* key = X509_get0_pubkey(chain[i].get()); key != nullptr && !key_fault(key).empty())
            return of_certificate(i, fmt::format("{} has a key that {} ({})", display_name(chain[i]), key_fault(key),
                                                 chain[i].key_type()));
    return std::nullopt;
}

std::optional<Fault> path_fault(const std::vector<Certificate>& chain) {
    for (std::size_t i = 0; i < chain.size(); ++i) {
        const std::string who = display_name(chain[i]);
        if (auto fault = readability_fault(chain, i)) return fault;
        if (const std::string extension = unhandled_extension(chain[i]); !extension.empty())
            return of_certificate(
                i, fmt::format("the certificate of {} has the critical extension '{}', which is not understood", who,
                               extension));
        if (i + 1 == chain.size()) break;  // the anchor
        if (auto fault = digest_fault(chain, i)) return fault;
        if (chain[i].is_ca() && has_no_rev_avail(chain[i]))
            return of_certificate(
                i, fmt::format("the certificate of {} offers no revocation, which that of an authority must", who));
    }
    return name_fault(chain);
}

std::optional<Fault> vouching_fault(const std::vector<Certificate>& chain) {
    for (std::size_t i = 1; i < chain.size(); ++i) {
        if (auto fault = readability_fault(chain, i)) return fault;
        if (auto fault = digest_fault(chain, i)) return fault;
    }
    return name_fault(chain);
}

std::optional<Fault> purpose_fault(const std::vector<Certificate>& chain, Purpose purpose, Use use) {
    if (use == Use::evidence) return std::nullopt;
    const Certificate& end = chain.front();
    if (use == Use::signing && !end.allows_signing())
        return of_certificate(
            0, fmt::format("the key usage of the certificate of {} does not allow signing", display_name(end)));
    if (use == Use::encryption && !end.allows_encryption())
        return of_certificate(
            0, fmt::format("the key usage of the certificate of {} does not allow encryption", display_name(end)));
    for (std::size_t i = 0; i < chain.size(); ++i) {
        if (purpose == Purpose::email && !chain[i].allows_email())
            return of_certificate(i,
                                  fmt::format("the certificate of {} is not meant for e-mail", display_name(chain[i])),
                                  "ask for one that is; --purpose any accepts it");
        if (purpose == Purpose::timestamps && !chain[i].allows_timestamps())
            return of_certificate(
                i, fmt::format("the certificate of {} is not meant for time-stamps", display_name(chain[i])));
        if (purpose == Purpose::timestamps && i > 0 && is_limited(std::span(chain).subspan(i, 1)))
            return of_certificate(
                i, fmt::format("{} may certify some names alone, and a time-stamp tells of everybody's signatures",
                               display_name(chain[i])));
    }
    return std::nullopt;
}

std::optional<Fault> weak_link(const std::vector<Certificate>& chain) {
    constexpr const char* kHint =
        "ask for another certificate; --allow-weak accepts it, though others could have made what it vouches for";
    for (std::size_t i = 0; i < chain.size(); ++i) {
        const bool anchor = i + 1 == chain.size();
        const SignatureDigest digest = signature_digest(chain[i]);
        if (!anchor && digest.standing == Standing::weak)
            return of_certificate(i,
                                  fmt::format("the certificate of {} is signed with a weak digest ({})",
                                              display_name(chain[i]), digest.name),
                                  kHint);
        const EVP_PKEY* key = X509_get0_pubkey(chain[i].get());
        if (key != nullptr && weak_key(key))
            return of_certificate(i, fmt::format("{} has a weak key ({})", display_name(chain[i]), chain[i].key_type()),
                                  kHint);
    }
    return std::nullopt;
}

}  // namespace p11mime::cms
