#include "cms/secure_heap.h"

#include <openssl/crypto.h>

namespace p11mime {

namespace {
constexpr std::size_t kSecureHeapBytes = 64 * 1024;
constexpr std::size_t kSecureHeapSmallest = 32;
}  // namespace

void init_secure_heap() {
    CRYPTO_secure_malloc_init(kSecureHeapBytes, kSecureHeapSmallest);
}

std::string openssl_version() {
    return OpenSSL_version(OPENSSL_VERSION);
}

}  // namespace p11mime
