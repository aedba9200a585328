#include "cms/key_wrap.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "cms/openssl_error.h"

namespace p11mime::cms {

namespace {

CipherContext wrap_context(const Algorithm& algorithm, const SecretBytes& key, bool encrypt) {
    const Handle<EVP_CIPHER, EVP_CIPHER_free> cipher(
        EVP_CIPHER_fetch(nullptr, std::string(algorithm.evp).c_str(), nullptr));
    CipherContext context(EVP_CIPHER_CTX_new());
    require(cipher && context && key.size() == algorithm.key_size, "key wrap failed");
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    require(EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(), nullptr, encrypt ? 1 : 0, nullptr) == 1,
            "key wrap failed");
    return context;
}

}  // namespace

const Algorithm& aes_wrap(std::size_t key_size) {
    const Algorithm* row = algorithm_named(AlgorithmKind::key_wrap, fmt::format("aes-{}-wrap", key_size * 8));
    require(row != nullptr, "no AES key wrap has such a key");
    return *row;
}

Bytes wrap_key(const Algorithm& algorithm, const SecretBytes& wrapping_key, const SecretBytes& content_key) {
    const CipherContext context = wrap_context(algorithm, wrapping_key, true);
    Bytes wrapped(content_key.size() + 16);
    int size = 0;
    require(EVP_CipherUpdate(context.get(), wrapped.data(), &size, content_key.data(),
                             static_cast<int>(content_key.size())) == 1,
            "key wrap failed");
    wrapped.resize(static_cast<std::size_t>(size));
    return wrapped;
}

bool is_wrapped_size(std::size_t size) {
    return size >= 24 && size % 8 == 0 && size <= kMaxWrappedBytes;
}

std::optional<SecretBytes> unwrap_key(const Algorithm& algorithm, const SecretBytes& wrapping_key, ByteView wrapped) {
    if (!is_wrapped_size(wrapped.size())) return std::nullopt;
    const CipherContext context = wrap_context(algorithm, wrapping_key, false);
    SecretBytes content_key(wrapped.size());
    int size = 0;
    if (EVP_CipherUpdate(context.get(), content_key.data(), &size, wrapped.data(), static_cast<int>(wrapped.size())) !=
            1 ||
        size <= 0) {
        ERR_clear_error();
        return std::nullopt;
    }
    content_key.shrink(static_cast<std::size_t>(size));
    return content_key;
}

}  // namespace p11mime::cms
