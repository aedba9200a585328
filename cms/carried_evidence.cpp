#include "cms/carried_evidence.h"

#include <openssl/err.h>

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

}  // namespace

RevocationEvidence carried_evidence(const SignedDataReader& reader) {
    RevocationEvidence evidence;
    parse_each(reader.crls(), [&](const Bytes& der) { evidence.crls.push_back(Crl::from_der(der)); });
    parse_each(reader.ocsp_responses(),
               [&](const Bytes& der) { evidence.ocsp.push_back({OcspResponse::from_der(der)}); });
    return evidence;
}

}  // namespace p11mime::cms
