#include "token/rsa_padding.h"

#include <openssl/err.h>
#include <openssl/rsa.h>

#include <memory>

#include "cms/algorithms.h"
#include "cms/openssl_error.h"

// OpenSSL 3 deprecates these functions but has no others that pad for a private key it does not hold.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace p11mime::token {

namespace {

struct RsaDeleter {
    void operator()(RSA* rsa) const { RSA_free(rsa); }
};

std::optional<SecretBytes> unpadded(SecretBytes room, int size) {
    ERR_clear_error();
    if (size < 0) return std::nullopt;
    room.shrink(static_cast<std::size_t>(size));
    return room;
}

}  // namespace

Bytes pad_pkcs1_signature(ByteView digest_info, std::size_t size) {
    Bytes block(size);
    cms::require(RSA_padding_add_PKCS1_type_1(block.data(), static_cast<int>(size), digest_info.data(),
                                              static_cast<int>(digest_info.size())) == 1,
                 "the key is too short for the digest", ErrorKind::token);
    return block;
}

Bytes pad_pss_signature(const EVP_PKEY* key, const cms::RsaPss& scheme, ByteView digest) {
    const std::unique_ptr<RSA, RsaDeleter> rsa(EVP_PKEY_get1_RSA(const_cast<EVP_PKEY*>(key)));
    cms::require(rsa != nullptr, "cannot read the RSA key", ErrorKind::token);
    Bytes block(static_cast<std::size_t>(RSA_size(rsa.get())));
    cms::require(RSA_padding_add_PKCS1_PSS_mgf1(rsa.get(), block.data(), digest.data(), cms::evp_digest(scheme.hash),
                                                cms::evp_digest(scheme.mgf), static_cast<int>(scheme.salt)) == 1,
                 "the key is too short for the digest and salt", ErrorKind::token);
    return block;
}

std::optional<SecretBytes> unpad_pkcs1(const SecretBytes& block) {
    SecretBytes room(block.size());
    const int size = static_cast<int>(block.size());
    const int found = RSA_padding_check_PKCS1_type_2(room.data(), size, block.data(), size, size);
    return unpadded(std::move(room), found);
}

std::optional<SecretBytes> unpad_oaep(const SecretBytes& block, const cms::RsaOaep& parameters) {
    SecretBytes room(block.size());
    const int size = static_cast<int>(block.size());
    const int found = RSA_padding_check_PKCS1_OAEP_mgf1(
        room.data(), size, block.data(), size, size, parameters.label.data(), static_cast<int>(parameters.label.size()),
        cms::evp_digest(parameters.hash), cms::evp_digest(parameters.mgf));
    return unpadded(std::move(room), found);
}

}  // namespace p11mime::token
