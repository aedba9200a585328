#pragma once

#include <openssl/rsa.h>

#include "cms/sign_scheme.h"
#include "softhsm-tests/token_fixture.h"

/// Signatures by a token, and OpenSSL that verifies them.
namespace p11mime::test {

inline const std::string kMessage = "the DER of signed attributes, in place of which any bytes will do";

inline std::unique_ptr<cms::Signer> signer_of(token::Tokens& tokens, std::size_t index = 0) {
    const std::shared_ptr<token::Token> token = tokens.tokens().at(0);
    return token->signer(token->certificates().at(index));
}

inline Bytes sign(cms::Signer& signer, const cms::SignScheme& scheme) {
    return signer.sign(scheme, bytes_of(kMessage), {"sign a test"}, {});
}

/// verifies asks OpenSSL whether a signature by the certificate's key is right.
inline bool verifies(const cms::Certificate& certificate, const cms::SignScheme& scheme, ByteView signature) {
    const KeyHandle key = certificate.public_key();
    const DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* key_context = nullptr;
    const EVP_MD* digest = nullptr;
    if (const auto* rsa = std::get_if<cms::RsaPkcs1>(&scheme)) digest = evp(rsa->hash);
    if (const auto* pss = std::get_if<cms::RsaPss>(&scheme)) digest = evp(pss->hash);
    if (const auto* ecdsa = std::get_if<cms::Ecdsa>(&scheme)) digest = evp(ecdsa->hash);
    REQUIRE(EVP_DigestVerifyInit(context.get(), &key_context, digest, nullptr, key.get()) == 1);
    if (const auto* pss = std::get_if<cms::RsaPss>(&scheme)) {
        REQUIRE(EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) == 1);
        REQUIRE(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, static_cast<int>(pss->salt)) == 1);
        REQUIRE(EVP_PKEY_CTX_set_rsa_mgf1_md(key_context, evp(pss->mgf)) == 1);
    }
    const ByteView message = bytes_of(kMessage);
    return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

inline void check_signs(cms::Signer& signer, const cms::SignScheme& scheme) {
    CHECK(signer.supports(scheme));
    CHECK(verifies(signer.certificate(), scheme, sign(signer, scheme)));
}

}  // namespace p11mime::test
