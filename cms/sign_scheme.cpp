#include "cms/sign_scheme.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "cms/asn1.h"
#include "cms/der.h"
#include "cms/encode.h"

namespace p11mime::cms {

namespace {

template <class... Each>
struct Overload : Each... {
    using Each::operator()...;
};
template <class... Each>
Overload(Each...) -> Overload<Each...>;

const Bytes kNull{0x05, 0x00};

Bytes digest_identifier(Hash hash) {
    return der_algorithm(digest_algorithm(hash).oid, kNull);
}

Bytes pss_identifier(const RsaPss& scheme) {
    const Bytes mgf1 =
        der_algorithm(algorithm_named(AlgorithmKind::mask_generation, "mgf1")->oid, digest_identifier(scheme.mgf));
    const Bytes parameters =
        der_value(tag::kSequence,
                  {der_value(tag::context(0, true), digest_identifier(scheme.hash)),
                   der_value(tag::context(1, true), mgf1), der_value(tag::context(2, true), der_integer(scheme.salt))});
    return der_algorithm(algorithm_named(AlgorithmKind::signature, "rsa-pss")->oid, parameters);
}

Bytes ecdsa_identifier(const Ecdsa& scheme) {
    return der_algorithm(signature_algorithm(SignatureFamily::ecdsa, scheme.hash)->oid);
}

Error no_eddsa() {
    return {ErrorKind::malformed, "unsupported algorithm eddsa"};
}

bool set_up_padding(EVP_PKEY_CTX* context, const SignScheme& scheme) {
    return std::visit(
        Overload{[&](const RsaPkcs1&) { return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1; },
                 [&](const RsaPss& pss) {
                     return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
                            EVP_PKEY_CTX_set_rsa_mgf1_md(context, evp_digest(pss.mgf)) == 1 &&
                            EVP_PKEY_CTX_set_rsa_pss_saltlen(context, static_cast<int>(pss.salt)) == 1;
                 },
                 [](const Ecdsa&) { return true; }, [](const EdDsa&) { return false; }},
        scheme);
}

}  // namespace

SignScheme default_scheme(const Bytes& spki_der) {
    const auto key = asn1::decode<KeyHandle>(spki_der, d2i_PUBKEY, "unusable public key");
    if (EVP_PKEY_is_a(key.get(), "RSA") == 1) return RsaPkcs1{Hash::sha256};
    if (EVP_PKEY_is_a(key.get(), "EC") == 1) {
        const int bits = EVP_PKEY_get_bits(key.get());
        return Ecdsa{bits <= 256 ? Hash::sha256 : bits <= 384 ? Hash::sha384 : Hash::sha512};
    }
    throw Error(ErrorKind::malformed, fmt::format("unsupported algorithm: a {} key", key_description(key.get())));
}

Hash scheme_hash(const SignScheme& scheme) {
    return std::visit(
        Overload{[](const RsaPkcs1& each) { return each.hash; }, [](const RsaPss& each) { return each.hash; },
                 [](const Ecdsa& each) { return each.hash; }, [](const EdDsa&) { return Hash::sha512; }},
        scheme);
}

std::string scheme_text(const SignScheme& scheme) {
    const char* family =
        std::visit(Overload{[](const RsaPkcs1&) { return "RSA PKCS#1 v1.5"; }, [](const RsaPss&) { return "RSA-PSS"; },
                            [](const Ecdsa&) { return "ECDSA"; }, [](const EdDsa&) { return "EdDSA"; }},
                   scheme);
    return fmt::format("{} with {}", family, digest_algorithm(scheme_hash(scheme)).name);
}

Bytes signer_info_algorithm(const SignScheme& scheme) {
    return std::visit(Overload{[](const RsaPkcs1&) {
                                   return der_algorithm(algorithm_named(AlgorithmKind::signature, "rsa-pkcs1")->oid,
                                                        kNull);
                               },
                               [](const RsaPss& each) { return pss_identifier(each); },
                               [](const Ecdsa& each) { return ecdsa_identifier(each); },
                               [](const EdDsa&) -> Bytes { throw no_eddsa(); }},
                      scheme);
}

Bytes certificate_algorithm(const SignScheme& scheme) {
    if (const auto* rsa = std::get_if<RsaPkcs1>(&scheme))
        return der_algorithm(signature_algorithm(SignatureFamily::rsa_pkcs1, rsa->hash)->oid, kNull);
    return signer_info_algorithm(scheme);
}

bool verify_signature(EVP_PKEY* key, const SignScheme& scheme, ByteView digest, ByteView signature) {
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    const bool ok =
        context && EVP_PKEY_verify_init(context.get()) == 1 && set_up_padding(context.get(), scheme) &&
        EVP_PKEY_CTX_set_signature_md(context.get(), evp_digest(scheme_hash(scheme))) == 1 &&
        EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) == 1;
    ERR_clear_error();
    return ok;
}

}  // namespace p11mime::cms
