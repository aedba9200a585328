#pragma once

#include <openssl/x509v3.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cms/certificate.h"

namespace p11mime::cms {

/// Reasons is a set of the reasons that a certificate may be revoked for, a bit each, numbered as in ReasonFlags (RFC
/// 5280 section 4.2.1.13).
using Reasons = std::uint16_t;
inline constexpr Reasons kAllReasons = 0x1fe;

using DistributionPoints = Handle<CRL_DIST_POINTS, CRL_DIST_POINTS_free>;
using IssuingDistributionPoint = Handle<ISSUING_DIST_POINT, ISSUING_DIST_POINT_free>;

/// holds says whether a directory name is among some names, as RFC 5280 section 7.1 compares them.
bool holds(const GENERAL_NAMES* names, const X509_NAME* wanted);

/// reasons_of reads ReasonFlags; absent means all.
Reasons reasons_of(const ASN1_BIT_STRING* flags);

/// covered_reasons is for which reasons a CRL tells of a certificate, by the names and kinds of certificates that it is
/// for (RFC 5280 section 6.3.3 (b)); none where the certificate is not in its scope. `scope` is the CRL's issuing
/// distribution point, a relative name in it made a full one (DIST_POINT_set_dpname); null where it has none.
Reasons covered_reasons(const Certificate& certificate, const X509_NAME* crl_issuer, const ISSUING_DIST_POINT* scope);

/// names_point says whether a CRL's issuing distribution point has a name that one of the certificate's points has.
bool names_point(const Certificate& certificate, const X509_NAME* crl_issuer, const ISSUING_DIST_POINT* scope);

/// kKeyVersion is Microsoft's "CA Version" ([MS-WCCE] section 2.2.2.7.7), which numbers the keys of an authority that
/// has a list for each, in its certificates and its CRLs.
inline constexpr const char* kKeyVersion = "1.3.6.1.4.1.311.21.1";
bool has_key_version(const Certificate& authority);

/// Alternatives are the URLs that lead to one thing, those of the web before those of directories.
using Alternatives = std::vector<std::string>;

/// names_server says whether a URL says whom to ask on a network: "ldap:///CN=..." leaves that to the one that its
/// issuer is in, and "x500:" and files are on none.
bool names_server(std::string_view url);

/// crl_urls are where a certificate's CRLs are, one entry for each distribution point that has URLs; freshest_urls
/// where the delta CRLs are. kMaxPoints at most.
inline constexpr std::size_t kMaxPoints = 8;
std::vector<Alternatives> crl_urls(const Certificate& certificate);
std::vector<Alternatives> freshest_urls(const Certificate& certificate);
std::vector<Alternatives> urls_of(const CRL_DIST_POINTS* points);

/// ocsp_urls and issuer_urls are those of the authority information access extension (RFC 5280 section 4.2.2.1).
std::vector<std::string> ocsp_urls(const Certificate& certificate);
std::vector<std::string> issuer_urls(const Certificate& certificate);

/// has_no_rev_avail says whether a certificate has the extension noRevAvail (RFC 9608): its issuer tells nobody whether
/// it is revoked. offers_no_revocation says whether that is to be believed: of no authority's, and of none that names
/// servers that would tell, both of which the extension must not go with (section 3).
bool has_no_rev_avail(const Certificate& certificate);
bool offers_no_revocation(const Certificate& certificate);

/// issues_crls_for says whether a name is one by which CRLs for a certificate are issued: its issuer's, or one that its
/// distribution points name. Names are compared as RFC 5280 section 7.1 has it.
bool issues_crls_for(const X509_NAME* name, const Certificate& certificate);

}  // namespace p11mime::cms
