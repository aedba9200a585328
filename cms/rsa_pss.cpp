#include "cms/rsa_pss.h"

#include <openssl/rsa.h>

#include "cms/asn1.h"
#include "cms/der.h"
#include "cms/rsa_hash.h"

namespace p11mime::cms {

namespace {

using PssHandle = Handle<RSA_PSS_PARAMS, RSA_PSS_PARAMS_free>;
using PublicKeyInfo = Handle<X509_PUBKEY, X509_PUBKEY_free>;

constexpr RsaPss kDefaults{Hash::sha1, Hash::sha1, 20};
constexpr unsigned kMaxSalt = 2048;  // no modulus that OpenSSL verifies with has room for a longer one

RsaPss from_parameters(const RSA_PSS_PARAMS& parameters) {
    RsaPss scheme = kDefaults;
    if (parameters.hashAlgorithm != nullptr) scheme.hash = read_rsa_hash(parameters.hashAlgorithm);
    if (parameters.maskGenAlgorithm != nullptr) scheme.mgf = read_mgf1(parameters.maskGenAlgorithm);
    if (parameters.saltLength != nullptr) {
        const long salt = ASN1_INTEGER_get(parameters.saltLength);
        require(salt >= 0 && salt <= static_cast<long>(kMaxSalt), "salt of RSA-PSS that no key has room for");
        scheme.salt = static_cast<unsigned>(salt);
    }
    require(parameters.trailerField == nullptr || ASN1_INTEGER_get(parameters.trailerField) == 1,
            "trailer of RSA-PSS other than 1");
    return scheme;
}

}  // namespace

std::optional<RsaPss> read_pss(const X509_ALGOR* algorithm) {
    const ASN1_TYPE* parameter = algorithm->parameter;
    if (parameter == nullptr || parameter->type == V_ASN1_UNDEF) return kDefaults;
    try {
        return from_parameters(*asn1::decode<PssHandle>(asn1::sequence_parameters(algorithm), d2i_RSA_PSS_PARAMS,
                                                        "malformed RSA-PSS parameters"));
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) throw;
        return std::nullopt;
    }
}

Bytes pss_identifier(const RsaPss& scheme) {
    const Bytes parameters =
        der_value(tag::kSequence, {der_value(tag::context(0, true), rsa_hash_identifier(scheme.hash)),
                                   der_value(tag::context(1, true), mgf1_identifier(scheme.mgf)),
                                   der_value(tag::context(2, true), der_integer(scheme.salt))});
    return der_algorithm(algorithm_named(AlgorithmKind::signature, "rsa-pss")->oid, parameters);
}

RsaPss natural_pss(Hash hash) {
    return {hash, hash, static_cast<unsigned>(hash_size(hash))};
}

std::optional<RsaPss> pss_restriction(const Bytes& spki_der) {
    const auto info = asn1::decode<PublicKeyInfo>(spki_der, d2i_X509_PUBKEY, "unusable public key");
    X509_ALGOR* algorithm = nullptr;
    X509_PUBKEY_get0_param(nullptr, nullptr, nullptr, &algorithm, info.get());
    if (OBJ_obj2nid(algorithm->algorithm) != NID_rsassaPss || algorithm->parameter == nullptr) return std::nullopt;
    const auto restriction = read_pss(algorithm);
    if (!restriction) throw Error(ErrorKind::malformed, "unsupported parameters of an RSA-PSS key");
    return restriction;
}

}  // namespace p11mime::cms
