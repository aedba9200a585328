#include "cms/signing_certificate.h"

#include <openssl/err.h>

#include <algorithm>

#include "cms/asn1.h"
#include "cms/attributes.h"
#include "cms/digests.h"
#include "cms/ess.h"
#include "cms/identifiers.h"

namespace p11mime::cms {

namespace {

std::optional<Hash> supported_hash(const X509_ALGOR* algorithm) {
    const Algorithm* row = find_algorithm(AlgorithmKind::digest, algorithm);
    return row == nullptr ? std::nullopt : row->hash;
}

}  // namespace

bool CertificateHash::is_of(const Certificate& certificate) const {
    return hash && digest_of(*hash, certificate.der()) == value;
}

std::vector<CertificateHash> named_certificates(const ASN1_TYPE* attribute, Hash default_hash) {
    const auto der = der_of(attribute, V_ASN1_SEQUENCE);
    if (!der) return {};
    const Byte* at = der->data();
    const asn1::SigningCertificateHandle list(
        asn1::d2i_SigningCertificate(nullptr, &at, static_cast<long>(der->size())));
    ERR_clear_error();
    if (!list) return {};
    std::vector<CertificateHash> named;
    const int count = asn1::sk_EssCertId_num(list->certificates);
    for (int i = 0; i < count && named.size() < kMaxEssEntries; ++i) {
        const asn1::EssCertId* each = asn1::sk_EssCertId_value(list->certificates, i);
        const auto hash = each->hash_algorithm == nullptr ? default_hash : supported_hash(each->hash_algorithm);
        named.push_back({hash, to_bytes(asn1::octets(each->hash))});
    }
    return named;
}

std::vector<CertificateHash> signed_certificates(const asn1::SignerInfo& signer) {
    Attributes attributes(signer.signed_attributes);
    auto named = named_certificates(attributes.find(oid::kSigningCertificate), Hash::sha1);
    const auto by_v2 = named_certificates(attributes.find(oid::kSigningCertificateV2), Hash::sha256);
    named.insert(named.end(), by_v2.begin(), by_v2.end());
    return named;
}

}  // namespace p11mime::cms
