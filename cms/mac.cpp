#include "cms/mac.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <string>

#include "cms/openssl_error.h"

namespace p11mime::cms {

Hmac::Hmac(Hash hash, const SecretBytes& key) {
    const Algorithm& row = *mac_algorithm(hash);
    const Handle<EVP_MAC, EVP_MAC_free> mac(EVP_MAC_fetch(nullptr, std::string(row.evp).c_str(), nullptr));
    context_.reset(mac ? EVP_MAC_CTX_new(mac.get()) : nullptr);
    std::string digest(digest_algorithm(hash).evp);
    const OSSL_PARAM parameters[]{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
                                  OSSL_PARAM_construct_end()};
    require(context_ && EVP_MAC_init(context_.get(), key.data(), key.size(), parameters) == 1, "cannot authenticate");
}

void Hmac::push(ByteView bytes) {
    require(EVP_MAC_update(context_.get(), bytes.data(), bytes.size()) == 1, "cannot authenticate");
}

bool Hmac::matches(ByteView code) {
    Byte value[EVP_MAX_MD_SIZE];
    std::size_t size = 0;
    require(EVP_MAC_final(context_.get(), value, &size, sizeof value) == 1, "cannot authenticate");
    return code.size() == size && CRYPTO_memcmp(code.data(), value, size) == 0;
}

}  // namespace p11mime::cms
