#include "cms/rsa_pss.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "cms/asn1.h"
#include "cms/der.h"

namespace p11mime::cms {

namespace {

using PssHandle = Handle<RSA_PSS_PARAMS, RSA_PSS_PARAMS_free>;
using PublicKeyInfo = Handle<X509_PUBKEY, X509_PUBKEY_free>;

constexpr unsigned kMaxSalt = 2048;  // no modulus that OpenSSL verifies with has room for a longer one

const Algorithm& row_of(AlgorithmKind kind, std::string_view name) {
    return *algorithm_named(kind, name);
}

// plain_hash is a hash with an output of fixed length, as MGF1 and PSS need it.
std::optional<Hash> plain_hash(const X509_ALGOR* algorithm) {
    const Algorithm* row = find_algorithm(AlgorithmKind::digest, algorithm);
    return row == nullptr || row->output != 0 ? std::nullopt : row->hash;
}

std::optional<Hash> mask_hash(const X509_ALGOR* mask) {
    if (find_algorithm(AlgorithmKind::mask_generation, mask) == nullptr || mask->parameter == nullptr ||
        mask->parameter->type != V_ASN1_SEQUENCE)
        return std::nullopt;
    const ByteView der = asn1::octets(mask->parameter->value.sequence);
    const Byte* at = der.data();
    const asn1::AlgorithmHandle digest(d2i_X509_ALGOR(nullptr, &at, static_cast<long>(der.size())));
    return digest && at == der.data() + der.size() ? plain_hash(digest.get()) : std::nullopt;
}

std::optional<RsaPss> from_parameters(const RSA_PSS_PARAMS& parameters) {
    RsaPss scheme{Hash::sha1, Hash::sha1, 20};
    if (parameters.hashAlgorithm != nullptr) {
        const auto hash = plain_hash(parameters.hashAlgorithm);
        if (!hash) return std::nullopt;
        scheme.hash = *hash;
    }
    if (parameters.maskGenAlgorithm != nullptr) {
        const auto hash = mask_hash(parameters.maskGenAlgorithm);
        if (!hash) return std::nullopt;
        scheme.mgf = *hash;
    }
    if (parameters.saltLength != nullptr) {
        const long salt = ASN1_INTEGER_get(parameters.saltLength);
        if (salt < 0 || salt > static_cast<long>(kMaxSalt)) return std::nullopt;
        scheme.salt = static_cast<unsigned>(salt);
    }
    if (parameters.trailerField != nullptr && ASN1_INTEGER_get(parameters.trailerField) != 1) return std::nullopt;
    return scheme;
}

// hash_identifier is a hash with NULL parameters, which RFC 4055 section 2.1 wants in PSS; SHA-3 has none (RFC 9688).
Bytes hash_identifier(Hash hash) {
    const Algorithm& row = digest_algorithm(hash);
    const Bytes null{0x05, 0x00};
    return der_algorithm(row.oid, row.name.starts_with("sha3") ? ByteView() : ByteView(null));
}

}  // namespace

std::optional<RsaPss> read_pss(const X509_ALGOR* algorithm) {
    const ASN1_TYPE* parameter = algorithm->parameter;
    if (parameter == nullptr || parameter->type == V_ASN1_UNDEF) return RsaPss{Hash::sha1, Hash::sha1, 20};
    if (parameter->type != V_ASN1_SEQUENCE) return std::nullopt;
    const ByteView der = asn1::octets(parameter->value.sequence);
    const Byte* at = der.data();
    const PssHandle parameters(d2i_RSA_PSS_PARAMS(nullptr, &at, static_cast<long>(der.size())));
    const bool whole = parameters && at == der.data() + der.size();
    const auto scheme = whole ? from_parameters(*parameters) : std::nullopt;
    ERR_clear_error();
    return scheme;
}

Bytes pss_identifier(const RsaPss& scheme) {
    const Bytes mgf1 = der_algorithm(row_of(AlgorithmKind::mask_generation, "mgf1").oid, hash_identifier(scheme.mgf));
    const Bytes parameters = der_value(tag::kSequence, {der_value(tag::context(0, true), hash_identifier(scheme.hash)),
                                                        der_value(tag::context(1, true), mgf1),
                                                        der_value(tag::context(2, true), der_integer(scheme.salt))});
    return der_algorithm(row_of(AlgorithmKind::signature, "rsa-pss").oid, parameters);
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
