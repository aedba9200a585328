#include "cms/distribution_points.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>

#include "cms/asn1.h"

namespace p11mime::cms {

namespace {

constexpr const char* kNoRevAvail = "2.5.29.56";

using AccessDescriptions = Handle<AUTHORITY_INFO_ACCESS, AUTHORITY_INFO_ACCESS_free>;

DistributionPoints points_of(const Certificate& certificate, int extension) {
    DistributionPoints points(
        static_cast<CRL_DIST_POINTS*>(X509_get_ext_d2i(certificate.get(), extension, nullptr, nullptr)));
    ERR_clear_error();
    return points;
}

const X509_NAME* directory_name(const GENERAL_NAMES* names) {
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DIRNAME) return name->d.directoryName;
    }
    return nullptr;
}

bool share_a_name(const GENERAL_NAMES* a, const GENERAL_NAMES* b) {
    for (int i = 0; i < sk_GENERAL_NAME_num(a); ++i)
        for (int k = 0; k < sk_GENERAL_NAME_num(b); ++k)
            if (GENERAL_NAME_cmp(sk_GENERAL_NAME_value(a, i), sk_GENERAL_NAME_value(b, k)) == 0) return true;
    return false;
}

// same_point says whether the point of a CRL is one of a certificate's, whose relative name is one below `issuer`.
bool same_point(const DIST_POINT_NAME* of_crl, DIST_POINT_NAME* of_certificate, const X509_NAME* issuer) {
    if (of_certificate->type == 0)
        return of_crl->type == 0 ? share_a_name(of_crl->name.fullname, of_certificate->name.fullname)
                                 : holds(of_certificate->name.fullname, of_crl->dpname);
    if (issuer == nullptr || DIST_POINT_set_dpname(of_certificate, issuer) != 1) return false;
    return of_crl->type == 0 ? holds(of_crl->name.fullname, of_certificate->dpname)
                             : X509_NAME_cmp(of_crl->dpname, of_certificate->dpname) == 0;
}

// named_by says whether the name of a CRL's distribution point is one of `names`.
bool named_by(const DIST_POINT_NAME* of_crl, const GENERAL_NAMES* names) {
    return of_crl->type == 0 ? share_a_name(of_crl->name.fullname, names) : holds(names, of_crl->dpname);
}

// for_this_kind goes by the basic constraints alone, whatever the key may be used for (RFC 5280 section 6.3.3 (b)(2)).
bool for_this_kind(const Certificate& certificate, const ISSUING_DIST_POINT* scope) {
    if (scope == nullptr) return true;
    if (scope->onlyattr > 0) return false;
    const bool authority = (X509_get_extension_flags(certificate.get()) & EXFLAG_CA) != 0;
    return authority ? scope->onlyuser <= 0 : scope->onlyCA <= 0;
}

// leads_to says whether a certificate's distribution point is where this CRL is.
bool leads_to(const DIST_POINT* point, const Certificate& certificate, const X509_NAME* crl_issuer,
              const ISSUING_DIST_POINT* scope) {
    const X509_NAME* issuer = X509_get_issuer_name(certificate.get());
    if (point->CRLissuer != nullptr) {
        if (scope == nullptr || scope->indirectCRL <= 0 || !holds(point->CRLissuer, crl_issuer)) return false;
        issuer = directory_name(point->CRLissuer);
    } else if (X509_NAME_cmp(crl_issuer, issuer) != 0) {
        return false;
    }
    if (scope == nullptr || scope->distpoint == nullptr) return true;
    if (point->distpoint != nullptr) return same_point(scope->distpoint, point->distpoint, issuer);
    return point->CRLissuer != nullptr && named_by(scope->distpoint, point->CRLissuer);
}

// Any CRL of the issuer's is at the distribution point that each certificate has without saying so: the issuer's name.
bool at_implied_point(const Certificate& certificate, const X509_NAME* crl_issuer, const ISSUING_DIST_POINT* scope) {
    const X509_NAME* issuer = X509_get_issuer_name(certificate.get());
    if (X509_NAME_cmp(crl_issuer, issuer) != 0) return false;
    if (scope == nullptr || scope->distpoint == nullptr) return true;
    if (scope->distpoint->type == 0) return holds(scope->distpoint->name.fullname, issuer);
    return X509_NAME_cmp(scope->distpoint->dpname, issuer) == 0;
}

bool of_the_web(const std::string& url) {
    return url.starts_with("http:") || url.starts_with("https:");
}

std::string url_of(const GENERAL_NAME* name) {
    if (name->type != GEN_URI) return {};
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.uniformResourceIdentifier)),
            static_cast<std::size_t>(ASN1_STRING_length(name->d.uniformResourceIdentifier))};
}

std::vector<std::string> access_urls(const Certificate& certificate, int method) {
    const AccessDescriptions descriptions(
        static_cast<AUTHORITY_INFO_ACCESS*>(X509_get_ext_d2i(certificate.get(), NID_info_access, nullptr, nullptr)));
    ERR_clear_error();
    std::vector<std::string> urls;
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(descriptions.get()) && urls.size() < kMaxPoints; ++i) {
        const ACCESS_DESCRIPTION* description = sk_ACCESS_DESCRIPTION_value(descriptions.get(), i);
        if (OBJ_obj2nid(description->method) != method) continue;
        if (std::string url = url_of(description->location); !url.empty()) urls.push_back(std::move(url));
    }
    return urls;
}

// says_no_rev_avail says whether noRevAvail is there once, and its value is NULL.
bool says_no_rev_avail(const Certificate& certificate) {
    const ObjectHandle type(OBJ_txt2obj(kNoRevAvail, 1));
    const int at = X509_get_ext_by_OBJ(certificate.get(), type.get(), -1);
    if (at < 0 || X509_get_ext_by_OBJ(certificate.get(), type.get(), at) >= 0) return false;
    constexpr std::array<Byte, 2> kNull = {0x05, 0x00};
    const ByteView value = asn1::octets(X509_EXTENSION_get_data(X509_get_ext(certificate.get(), at)));
    return std::equal(value.begin(), value.end(), kNull.begin(), kNull.end());
}

}  // namespace

bool holds(const GENERAL_NAMES* names, const X509_NAME* wanted) {
    for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DIRNAME && X509_NAME_cmp(name->d.directoryName, wanted) == 0) return true;
    }
    return false;
}

Reasons reasons_of(const ASN1_BIT_STRING* flags) {
    if (flags == nullptr) return kAllReasons;
    unsigned reasons = 0;
    for (int bit = 1; bit <= 8; ++bit)
        if (ASN1_BIT_STRING_get_bit(flags, bit) == 1) reasons |= 1U << bit;
    return static_cast<Reasons>(reasons);
}

Reasons covered_reasons(const Certificate& certificate, const X509_NAME* crl_issuer, const ISSUING_DIST_POINT* scope) {
    if (!for_this_kind(certificate, scope)) return 0;
    const Reasons told = reasons_of(scope == nullptr ? nullptr : scope->onlysomereasons);
    if (at_implied_point(certificate, crl_issuer, scope)) return told;
    unsigned covered = 0;
    const DistributionPoints points = points_of(certificate, NID_crl_distribution_points);
    for (int i = 0; i < sk_DIST_POINT_num(points.get()); ++i) {
        const DIST_POINT* point = sk_DIST_POINT_value(points.get(), i);
        if (leads_to(point, certificate, crl_issuer, scope)) covered |= told & reasons_of(point->reasons);
    }
    ERR_clear_error();
    return static_cast<Reasons>(covered);
}

bool names_point(const Certificate& certificate, const X509_NAME* crl_issuer, const ISSUING_DIST_POINT* scope) {
    if (scope == nullptr || scope->distpoint == nullptr) return false;
    const DistributionPoints points = points_of(certificate, NID_crl_distribution_points);
    for (int i = 0; i < sk_DIST_POINT_num(points.get()); ++i)
        if (leads_to(sk_DIST_POINT_value(points.get(), i), certificate, crl_issuer, scope)) return true;
    return false;
}

bool has_key_version(const Certificate& authority) {
    const ObjectHandle type(OBJ_txt2obj(kKeyVersion, 1));
    return X509_get_ext_by_OBJ(authority.get(), type.get(), -1) >= 0;
}

bool names_server(std::string_view url) {
    constexpr std::string_view kBeforeServer = "://";
    const auto at = url.find(kBeforeServer);
    if (at == std::string_view::npos) return false;
    const std::string_view rest = url.substr(at + kBeforeServer.size());
    return !rest.empty() && rest.front() != '/' && rest.front() != '?';
}

std::vector<Alternatives> urls_of(const CRL_DIST_POINTS* points) {
    std::vector<Alternatives> all;
    for (int i = 0; i < sk_DIST_POINT_num(points) && all.size() < kMaxPoints; ++i) {
        const DIST_POINT* point = sk_DIST_POINT_value(points, i);
        if (point->distpoint == nullptr || point->distpoint->type != 0) continue;
        Alternatives urls;
        const GENERAL_NAMES* names = point->distpoint->name.fullname;
        for (int k = 0; k < sk_GENERAL_NAME_num(names) && urls.size() < kMaxPoints; ++k)
            if (std::string url = url_of(sk_GENERAL_NAME_value(names, k)); !url.empty()) urls.push_back(std::move(url));
        std::stable_partition(urls.begin(), urls.end(), of_the_web);
        if (!urls.empty()) all.push_back(std::move(urls));
    }
    return all;
}

std::vector<Alternatives> crl_urls(const Certificate& certificate) {
    return urls_of(points_of(certificate, NID_crl_distribution_points).get());
}

std::vector<Alternatives> freshest_urls(const Certificate& certificate) {
    return urls_of(points_of(certificate, NID_freshest_crl).get());
}

std::vector<std::string> ocsp_urls(const Certificate& certificate) {
    return access_urls(certificate, NID_ad_OCSP);
}

std::vector<std::string> issuer_urls(const Certificate& certificate) {
    return access_urls(certificate, NID_ad_ca_issuers);
}

bool has_no_rev_avail(const Certificate& certificate) {
    const ObjectHandle type(OBJ_txt2obj(kNoRevAvail, 1));
    return X509_get_ext_by_OBJ(certificate.get(), type.get(), -1) >= 0;
}

bool offers_no_revocation(const Certificate& certificate) {
    return says_no_rev_avail(certificate) && (X509_get_extension_flags(certificate.get()) & EXFLAG_CA) == 0 &&
           X509_get_ext_by_NID(certificate.get(), NID_crl_distribution_points, -1) < 0 &&
           X509_get_ext_by_NID(certificate.get(), NID_freshest_crl, -1) < 0 && ocsp_urls(certificate).empty();
}

bool issues_crls_for(const X509_NAME* name, const Certificate& certificate) {
    if (X509_NAME_cmp(X509_get_issuer_name(certificate.get()), name) == 0) return true;
    const DistributionPoints points = points_of(certificate, NID_crl_distribution_points);
    for (int i = 0; i < sk_DIST_POINT_num(points.get()); ++i)
        if (holds(sk_DIST_POINT_value(points.get(), i)->CRLissuer, name)) return true;
    return false;
}

}  // namespace p11mime::cms
