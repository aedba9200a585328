#include "cms/sign_scheme.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "cms/asn1.h"
#include "cms/der.h"
#include "cms/digests.h"
#include "cms/overload.h"
#include "cms/rsa_pss.h"

namespace p11mime::cms {

namespace {

Bytes rsa_identifier(Hash hash) {
    return der_algorithm(signature_algorithm(SignatureFamily::rsa_pkcs1, hash)->oid, kNull);
}

Bytes ecdsa_identifier(const Ecdsa& scheme) {
    return der_algorithm(signature_algorithm(SignatureFamily::ecdsa, scheme.hash)->oid);
}

bool is_a(const KeyHandle& key, const char* type) {
    return EVP_PKEY_is_a(key.get(), type) == 1;
}

Error wrong_digest(const std::string& key, Hash digest, Hash natural) {
    return {ErrorKind::usage,
            fmt::format("{} does not go with this key: {} signs with {} alone", digest_algorithm(digest).name, key,
                        digest_algorithm(natural).name),
            "leave --digest out"};
}

bool set_up_padding(EVP_PKEY_CTX* context, const SignScheme& scheme) {
    return std::visit(
        Overload{[&](const RsaPkcs1&) { return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1; },
                 [&](const RsaPss& pss) {
                     return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
                            EVP_PKEY_CTX_set_rsa_mgf1_md(context, evp_digest(pss.mgf)) == 1 &&
                            EVP_PKEY_CTX_set_rsa_pss_saltlen(context, static_cast<int>(pss.salt)) == 1;
                 },
                 [](const Ecdsa&) { return true; }, [](const Pure&) { return false; }},
        scheme);
}

SignScheme scheme_of_key(const KeyHandle& key, const Bytes& spki_der) {
    if (is_a(key, "RSA")) return RsaPkcs1{Hash::sha256};
    if (is_a(key, "RSA-PSS")) {
        const RsaPss least = pss_restriction(spki_der).value_or(natural_pss(Hash::sha256));
        return RsaPss{least.hash, least.mgf, std::max(least.salt, natural_pss(least.hash).salt)};
    }
    if (is_a(key, "EC")) return Ecdsa{natural_hash(key.get())};
    if (const Algorithm* pure = pure_signature_algorithm(key.get()))
        return Pure{pure, pure->hash.value_or(Hash::sha512)};
    throw Error(ErrorKind::malformed,
                fmt::format("unsupported algorithm: no signature is made with a {} key", key_description(key.get())),
                "use a key of RSA, a curve, Ed25519 or Ed448");
}

}  // namespace

SignScheme default_scheme(const Bytes& spki_der) {
    return scheme_of_key(asn1::decode<KeyHandle>(spki_der, d2i_PUBKEY, "unusable public key"), spki_der);
}

SignScheme chosen_scheme(const Certificate& certificate, std::optional<Hash> digest, bool pss) {
    const KeyHandle key = certificate.public_key();
    const Bytes spki_der = certificate.spki_der();
    const SignScheme natural = scheme_of_key(key, spki_der);
    const std::string description = key_description(key.get());
    const Hash hash = digest.value_or(scheme_hash(natural));
    const bool rsa = std::holds_alternative<RsaPkcs1>(natural) || std::holds_alternative<RsaPss>(natural);
    if (pss && !rsa) throw Error(ErrorKind::usage, fmt::format("--pss needs an RSA key, this one is {}", description));
    return std::visit(
        Overload{[&](const RsaPkcs1&) { return pss ? SignScheme(natural_pss(hash)) : SignScheme(RsaPkcs1{hash}); },
                 [&](const RsaPss& default_pss) -> SignScheme {
                     if (hash == default_pss.hash) return default_pss;
                     if (pss_restriction(spki_der)) throw wrong_digest(description, hash, default_pss.hash);
                     return natural_pss(hash);
                 },
                 [&](const Ecdsa&) -> SignScheme { return Ecdsa{hash}; },
                 [&](const Pure& pure) -> SignScheme {
                     const auto only = pure.algorithm->hash;
                     if (only && hash != *only) throw wrong_digest(description, hash, *only);
                     return Pure{pure.algorithm, hash};
                 }},
        natural);
}

Hash scheme_hash(const SignScheme& scheme) {
    return std::visit([](const auto& each) { return each.hash; }, scheme);
}

std::string scheme_text(const SignScheme& scheme) {
    const std::string_view family =
        std::visit(Overload{[](const RsaPkcs1&) { return std::string_view("RSA PKCS#1 v1.5"); },
                            [](const RsaPss&) { return std::string_view("RSA-PSS"); },
                            [](const Ecdsa&) { return std::string_view("ECDSA"); },
                            [](const Pure& each) { return each.algorithm->name; }},
                   scheme);
    return fmt::format("{} with {}", family, digest_algorithm(scheme_hash(scheme)).name);
}

Bytes signer_info_algorithm(const SignScheme& scheme) {
    return std::visit(Overload{[](const RsaPkcs1& each) {
                                   if (digest_algorithm(each.hash).sha3)
                                       return rsa_identifier(each.hash);  // RFC 9688 section 3.1
                                   return der_algorithm(algorithm_named(AlgorithmKind::signature, "rsa-pkcs1")->oid,
                                                        kNull);
                               },
                               [](const RsaPss& each) { return pss_identifier(each); },
                               [](const Ecdsa& each) { return ecdsa_identifier(each); },
                               [](const Pure& each) { return der_algorithm(each.algorithm->oid); }},
                      scheme);
}

Bytes certificate_algorithm(const SignScheme& scheme) {
    if (const auto* rsa = std::get_if<RsaPkcs1>(&scheme)) return rsa_identifier(rsa->hash);
    return signer_info_algorithm(scheme);
}

bool verify_digest(const EVP_PKEY* key, const SignScheme& scheme, ByteView digest, ByteView signature) {
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, const_cast<EVP_PKEY*>(key), nullptr));
    const bool ok =
        context && EVP_PKEY_verify_init(context.get()) == 1 && set_up_padding(context.get(), scheme) &&
        EVP_PKEY_CTX_set_signature_md(context.get(), evp_digest(scheme_hash(scheme))) == 1 &&
        EVP_PKEY_verify(context.get(), signature.data(), signature.size(), digest.data(), digest.size()) == 1;
    ERR_clear_error();
    return ok;
}

bool verify_message(const EVP_PKEY* key, const SignScheme& scheme, ByteView message, ByteView signature) {
    if (!std::holds_alternative<Pure>(scheme))
        return verify_digest(key, scheme, digest_of(scheme_hash(scheme), message), signature);
    const DigestContext context(EVP_MD_CTX_new());
    const bool ok =
        context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, const_cast<EVP_PKEY*>(key)) == 1 &&
        EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
    ERR_clear_error();
    return ok;
}

}  // namespace p11mime::cms
