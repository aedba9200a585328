#include "cms/key_wrap.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "cms/openssl_error.h"

namespace p11mime::cms {

namespace {

CipherContext wrap_context(std::string_view evp, std::size_t key_size, const SecretBytes& key, bool encrypt) {
    const Handle<EVP_CIPHER, EVP_CIPHER_free> cipher(EVP_CIPHER_fetch(nullptr, std::string(evp).c_str(), nullptr));
    CipherContext context(EVP_CIPHER_CTX_new());
    require(cipher && context && key.size() == key_size, "key wrap failed");
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    require(EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(), nullptr, encrypt ? 1 : 0, nullptr) == 1,
            "key wrap failed");
    return context;
}

Bytes wrapped_with(const CipherContext& context, const SecretBytes& secret) {
    Bytes wrapped(secret.size() + 16);
    int size = 0;
    require(EVP_CipherUpdate(context.get(), wrapped.data(), &size, secret.data(), static_cast<int>(secret.size())) == 1,
            "key wrap failed");
    wrapped.resize(static_cast<std::size_t>(size));
    return wrapped;
}

}  // namespace

const Algorithm& aes_wrap(std::size_t key_size) {
    const Algorithm* row = algorithm_named(AlgorithmKind::key_wrap, fmt::format("aes-{}-wrap", key_size * 8));
    require(row != nullptr, "no AES key wrap has such a key");
    return *row;
}

Bytes wrap_key(const Algorithm& algorithm, const SecretBytes& wrapping_key, const SecretBytes& content_key) {
    return wrapped_with(wrap_context(algorithm.evp, algorithm.key_size, wrapping_key, true), content_key);
}

Bytes wrap_with_padding(const SecretBytes& wrapping_key, const SecretBytes& secret) {
    return wrapped_with(wrap_context("AES-256-WRAP-PAD", 32, wrapping_key, true), secret);
}

bool is_wrapped_size(std::size_t size) {
    return size >= 24 && size % 8 == 0 && size <= kMaxWrappedBytes;
}

std::optional<SecretBytes> unwrap_key(const Algorithm& algorithm, const SecretBytes& wrapping_key, ByteView wrapped) {
    if (!is_wrapped_size(wrapped.size())) return std::nullopt;
    const CipherContext context = wrap_context(algorithm.evp, algorithm.key_size, wrapping_key, false);
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
