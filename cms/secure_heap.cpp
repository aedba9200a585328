#include "cms/secure_heap.h"

#include <malloc.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace p11mime {

namespace {
constexpr std::size_t kSecureHeapBytes = 64 * 1024;
constexpr std::size_t kSecureHeapSmallest = 32;

void* allocate(std::size_t size, const char*, int) {
    return std::malloc(size);
}

void release(void* block, const char*, int) {
    if (block != nullptr) OPENSSL_cleanse(block, malloc_usable_size(block));
    std::free(block);
}

void* reallocate(void* block, std::size_t size, const char* file, int line) {
    if (size == 0) {
        release(block, file, line);
        return nullptr;
    }
    void* moved = std::malloc(size);
    if (moved == nullptr || block == nullptr) return moved;
    std::memcpy(moved, block, std::min(size, malloc_usable_size(block)));
    release(block, file, line);
    return moved;
}

}  // namespace

void init_secure_heap() {
    // OpenSSL's decoders give back the DER of a private key as it is, so all that it gives back is wiped.
    CRYPTO_set_mem_functions(allocate, reallocate, release);
    // Nor is all that OpenSSL has freed at the end, one by one: it goes with the process, and secrets are gone by then.
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
    CRYPTO_secure_malloc_init(kSecureHeapBytes, kSecureHeapSmallest);
}

std::string openssl_version() {
    return OpenSSL_version(OPENSSL_VERSION);
}

}  // namespace p11mime
