#include "cms/recipient_info.h"

#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "cms/algorithms.h"
#include "cms/asn1.h"
#include "cms/identifiers.h"
#include "cms/key_agreement.h"

namespace p11mime::cms {

namespace {

using OaepHandle = Handle<RSA_OAEP_PARAMS, RSA_OAEP_PARAMS_free>;

// Unsupported carries the name of what a RecipientInfo asks for and the table lacks.
struct Unsupported {
    std::string name;
};

ByteView parameters_der(const X509_ALGOR* algorithm) {
    if (algorithm->parameter == nullptr || algorithm->parameter->type != V_ASN1_SEQUENCE) return {};
    return asn1::octets(algorithm->parameter->value.sequence);
}

Hash hash_of(const X509_ALGOR* algorithm) {
    if (algorithm == nullptr) return Hash::sha1;  // the default of RFC 4055 section 4.1
    const Algorithm* row = find_algorithm(AlgorithmKind::digest, algorithm);
    if (row == nullptr || !row->hash) throw Unsupported{algorithm_text(algorithm)};
    return *row->hash;
}

RsaOaep read_oaep(const X509_ALGOR* algorithm) {
    RsaOaep recovery{Hash::sha1, Hash::sha1, {}};
    const ByteView der = parameters_der(algorithm);
    if (der.empty()) return recovery;
    const auto parameters =
        asn1::decode<OaepHandle>(der, d2i_RSA_OAEP_PARAMS, "malformed RSAES-OAEP parameters in a RecipientInfo");
    recovery.hash = hash_of(parameters->hashFunc);
    if (const X509_ALGOR* mask = parameters->maskGenFunc) {
        if (find_algorithm(AlgorithmKind::mask_generation, mask) == nullptr) throw Unsupported{algorithm_text(mask)};
        const auto inner = asn1::decode<asn1::AlgorithmHandle>(parameters_der(mask), d2i_X509_ALGOR,
                                                               "malformed MGF1 parameters in a RecipientInfo");
        recovery.mgf = hash_of(inner.get());
    }
    if (const X509_ALGOR* source = parameters->pSourceFunc) {
        if (OBJ_obj2nid(source->algorithm) != NID_pSpecified || source->parameter == nullptr ||
            source->parameter->type != V_ASN1_OCTET_STRING)
            throw Unsupported{algorithm_text(source)};
        recovery.label = to_bytes(asn1::octets(source->parameter->value.octet_string));
    }
    return recovery;
}

Recovery read_key_transport(const X509_ALGOR* algorithm, std::size_t content_key_size) {
    const Algorithm* row = find_algorithm(AlgorithmKind::key_transport, algorithm);
    if (row == nullptr) throw Unsupported{algorithm_text(algorithm)};
    if (row->name == "rsa-oaep") return read_oaep(algorithm);
    return RsaV15{content_key_size};
}

std::string key_transport_name(const X509_ALGOR* algorithm) {
    const Algorithm* row = find_algorithm(AlgorithmKind::key_transport, algorithm);
    return row == nullptr ? oid_text(algorithm->algorithm) : std::string(row->name);
}

std::vector<RecipientEntry> read_key_trans(ByteView der, std::size_t content_key_size) {
    const auto info =
        asn1::decode<asn1::KeyTransHandle>(der, asn1::d2i_KeyTransRecipientInfo, "malformed KeyTransRecipientInfo");
    RecipientEntry entry{.identifier = asn1::identifier(*info->rid),
                         .key_management = key_transport_name(info->key_encryption_algorithm),
                         .recovery = std::nullopt,
                         .unsupported = {},
                         .encrypted_key = to_bytes(asn1::octets(info->encrypted_key))};
    try {
        entry.recovery = read_key_transport(info->key_encryption_algorithm, content_key_size);
    } catch (const Unsupported& unsupported) {
        entry.unsupported = unsupported.name;
    }
    return {std::move(entry)};
}

// curve_parameters are the originator's own or, where it leaves them out, those of the NIST curve with points of this
// size.
Bytes curve_parameters(const X509_ALGOR* algorithm, ByteView point) {
    if (algorithm->parameter != nullptr && algorithm->parameter->type == V_ASN1_OBJECT)
        return encode(algorithm->parameter->value.object, i2d_ASN1_OBJECT);
    switch (point.size()) {
        case 65:
            return encode(OBJ_nid2obj(NID_X9_62_prime256v1), i2d_ASN1_OBJECT);
        case 97:
            return encode(OBJ_nid2obj(NID_secp384r1), i2d_ASN1_OBJECT);
        case 133:
            return encode(OBJ_nid2obj(NID_secp521r1), i2d_ASN1_OBJECT);
        default:
            throw Unsupported{"an originator key on an unnamed curve"};
    }
}

Agree read_agreement(const asn1::KeyAgreeRecipientInfo& info) {
    const X509_ALGOR* algorithm = info.key_encryption_algorithm;
    const Algorithm* scheme = find_algorithm(AlgorithmKind::key_agreement, algorithm);
    if (scheme == nullptr) throw Unsupported{algorithm_text(algorithm)};
    const Bytes wrap_der = to_bytes(parameters_der(algorithm));
    const auto wrap_algorithm = asn1::decode<asn1::AlgorithmHandle>(
        wrap_der, d2i_X509_ALGOR, "malformed key wrap algorithm in a KeyAgreeRecipientInfo");
    const Algorithm* wrap = find_algorithm(AlgorithmKind::key_wrap, wrap_algorithm.get());
    if (wrap == nullptr) throw Unsupported{algorithm_text(wrap_algorithm.get())};
    if (info.originator->type != asn1::Originator::kPublicKey) throw Unsupported{"static-static key agreement"};

    const asn1::OriginatorPublicKey& key = *info.originator->d.public_key;
    if (oid_text(key.algorithm->algorithm) != oid::kEcPublicKey) throw Unsupported{algorithm_text(key.algorithm)};
    const ByteView point = asn1::octets(key.public_key);
    const auto ukm = info.ukm == nullptr ? std::nullopt : std::optional(asn1::octets(info.ukm));
    return Agree{.peer_spki = ec_spki(curve_parameters(key.algorithm, point), point),
                 .cofactor = scheme->cofactor,
                 .kdf = {KeyDerivation::Kind::x963, *scheme->hash, shared_info(wrap_der, ukm, {wrap->key_size})},
                 .wrap = {wrap->key_size}};
}

std::vector<RecipientEntry> read_key_agree(ByteView der) {
    Bytes sequence = to_bytes(der);
    sequence.front() = tag::kSequence;  // from [1] IMPLICIT
    const auto info = asn1::decode<asn1::KeyAgreeHandle>(sequence, asn1::d2i_KeyAgreeRecipientInfo,
                                                         "malformed KeyAgreeRecipientInfo");
    std::optional<Recovery> recovery;
    std::string unsupported;
    try {
        recovery = read_agreement(*info);
    } catch (const Unsupported& reason) {
        unsupported = reason.name;
    }
    std::vector<RecipientEntry> entries;
    for (int i = 0; i < asn1::sk_RecipientEncryptedKey_num(info->recipient_encrypted_keys); ++i) {
        const auto* key = asn1::sk_RecipientEncryptedKey_value(info->recipient_encrypted_keys, i);
        entries.push_back({.identifier = asn1::identifier(*key->rid),
                           .key_management = "ecdh",
                           .recovery = recovery,
                           .unsupported = unsupported,
                           .encrypted_key = to_bytes(asn1::octets(key->encrypted_key))});
    }
    return entries;
}

RecipientEntry other_kind(const char* key_management) {
    return {.identifier = {},
            .key_management = key_management,
            .recovery = std::nullopt,
            .unsupported = fmt::format("{} recipient", key_management),
            .encrypted_key = {}};
}

}  // namespace

std::vector<RecipientEntry> read_recipient_info(ByteView der, std::size_t content_key_size) {
    switch (der.front()) {
        case tag::kSequence:
            return read_key_trans(der, content_key_size);
        case tag::context(1, true):
            return read_key_agree(der);
        case tag::context(2, true):
            return {other_kind("kek")};
        case tag::context(3, true):
            return {other_kind("password")};
        default:
            return {other_kind("other")};
    }
}

Bytes oaep_sha256_algorithm() {
    const Bytes null{0x05, 0x00};
    const Bytes sha256 = der_algorithm(digest_algorithm(Hash::sha256).oid, null);
    const Bytes mgf1 = der_algorithm(algorithm_named(AlgorithmKind::mask_generation, "mgf1")->oid, sha256);
    const Bytes parameters =
        der_value(tag::kSequence, {der_value(tag::context(0, true), sha256), der_value(tag::context(1, true), mgf1)});
    return der_algorithm(algorithm_named(AlgorithmKind::key_transport, "rsa-oaep")->oid, parameters);
}

Bytes transported_recipient_info(const Certificate& recipient, const SecretBytes& content_key, bool oaep) {
    const KeyHandle key = recipient.public_key();
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
    require(EVP_PKEY_encrypt_init(context.get()) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context.get(), oaep ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING) == 1,
            "cannot encrypt to an RSA key");
    if (oaep)
        require(EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) == 1 &&
                    EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) == 1,
                "cannot encrypt to an RSA key");

    std::size_t size = static_cast<std::size_t>(EVP_PKEY_get_size(key.get()));
    Bytes encrypted(size);
    require(EVP_PKEY_encrypt(context.get(), encrypted.data(), &size, content_key.data(), content_key.size()) == 1,
            "cannot encrypt to an RSA key");
    encrypted.resize(size);

    const Bytes null{0x05, 0x00};
    const Bytes algorithm = oaep ? oaep_sha256_algorithm()
                                 : der_algorithm(algorithm_named(AlgorithmKind::key_transport, "rsa-pkcs1")->oid, null);
    return der_value(tag::kSequence, {der_integer(0), issuer_and_serial(recipient), algorithm,
                                      der_value(tag::kOctetString, encrypted)});
}

}  // namespace p11mime::cms
