#include "cms/carried_evidence.h"

#include <openssl/err.h>

#include "cms/attributes.h"
#include "cms/identifiers.h"

namespace p11mime::cms {

namespace {

template <class Parse>
void parse_each(const std::vector<Bytes>& all, const Parse& parse) {
    for (const Bytes& der : all)
        try {
            parse(der);
        } catch (const Error&) {
            ERR_clear_error();
        }
}

std::vector<Bytes> elements(const STACK_OF(ASN1_TYPE) * values) {
    std::vector<Bytes> all;
    for (int i = 0; i < sk_ASN1_TYPE_num(values) && all.size() < kMaxCrls; ++i)
        if (auto der = der_of(sk_ASN1_TYPE_value(values, i), V_ASN1_SEQUENCE)) all.push_back(std::move(*der));
    return all;
}

RevocationEvidence parsed(const std::vector<Bytes>& crls, const std::vector<Bytes>& responses) {
    RevocationEvidence evidence;
    parse_each(crls, [&](const Bytes& der) { evidence.crls.push_back(Crl::from_der(der)); });
    parse_each(responses, [&](const Bytes& der) { evidence.ocsp.push_back({OcspResponse::from_der(der)}); });
    return evidence;
}

}  // namespace

RevocationEvidence carried_evidence(const SignedDataReader& reader) {
    return parsed(reader.crls(), reader.ocsp_responses());
}

RevocationEvidence archived_evidence(const asn1::SignerInfo& signer) {
    Attributes attributes(signer.signed_attributes);
    const auto der = der_of(attributes.find(oid::kRevocationInfoArchival), V_ASN1_SEQUENCE);
    if (!der) return {};
    try {
        const auto archive =
            asn1::decode<asn1::RevocationArchiveHandle>(*der, asn1::d2i_RevocationArchive, "malformed archive");
        return parsed(elements(archive->crls), elements(archive->ocsp));
    } catch (const Error&) {
        ERR_clear_error();
        return {};
    }
}

}  // namespace p11mime::cms
