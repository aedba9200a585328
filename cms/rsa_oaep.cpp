#include "cms/rsa_oaep.h"

#include <openssl/rsa.h>

#include "cms/algorithms.h"
#include "cms/asn1.h"
#include "cms/identifiers.h"
#include "cms/rsa_hash.h"

namespace p11mime::cms {

namespace {

using OaepHandle = Handle<RSA_OAEP_PARAMS, RSA_OAEP_PARAMS_free>;

constexpr Hash kDefault = Hash::sha1;

Bytes label_of(const X509_ALGOR* source) {
    if (oid_text(source->algorithm) != oid::kPSpecified || source->parameter == nullptr ||
        source->parameter->type != V_ASN1_OCTET_STRING)
        throw unsupported(source);
    return to_bytes(asn1::octets(source->parameter->value.octet_string));
}

}  // namespace

Bytes oaep_algorithm(const RsaOaep& oaep) {
    Bytes fields;
    if (oaep.hash != kDefault) fields = der_value(tag::context(0, true), rsa_hash_identifier(oaep.hash));
    if (oaep.mgf != kDefault) fields = concat({fields, der_value(tag::context(1, true), mgf1_identifier(oaep.mgf))});
    if (!oaep.label.empty()) {
        const Bytes source = der_algorithm(oid::kPSpecified, der_value(tag::kOctetString, oaep.label));
        fields = concat({fields, der_value(tag::context(2, true), source)});
    }
    return der_algorithm(algorithm_named(AlgorithmKind::key_transport, "rsa-oaep")->oid,
                         der_value(tag::kSequence, fields));
}

RsaOaep read_oaep_parameters(ByteView der) {
    RsaOaep oaep{kDefault, kDefault, {}};
    if (der.empty()) return oaep;
    const auto parameters = asn1::decode<OaepHandle>(der, d2i_RSA_OAEP_PARAMS, "malformed RSAES-OAEP parameters");
    if (parameters->hashFunc != nullptr) oaep.hash = read_rsa_hash(parameters->hashFunc);
    if (parameters->maskGenFunc != nullptr) oaep.mgf = read_mgf1(parameters->maskGenFunc);
    if (parameters->pSourceFunc != nullptr) oaep.label = label_of(parameters->pSourceFunc);
    return oaep;
}

bool set_oaep_padding(EVP_PKEY_CTX* context, const RsaOaep& oaep) {
    if (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_oaep_md(context, evp_digest(oaep.hash)) != 1 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md(context, evp_digest(oaep.mgf)) != 1)
        return false;
    if (oaep.label.empty()) return true;
    void* label = OPENSSL_memdup(oaep.label.data(), oaep.label.size());
    const bool taken =
        label != nullptr && EVP_PKEY_CTX_set0_rsa_oaep_label(context, label, static_cast<int>(oaep.label.size())) == 1;
    if (!taken) OPENSSL_free(label);
    return taken;
}

}  // namespace p11mime::cms
