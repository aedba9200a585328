// A library for LD_PRELOAD that tells of memory that is freed with a secret still in it: P11MIME_WATCHED is the secret,
// in hexadecimal digits; P11MIME_WATCH_LOG the file that gets a line for each, the object file of the caller. As it is
// and with the bytes in reverse, as OpenSSL keeps large numbers.

#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

extern "C" {
void* __libc_malloc(std::size_t size);
void __libc_free(void* block);
}

namespace {

constexpr std::size_t kMost = 64;

struct Watched {
    unsigned char bytes[kMost], reversed[kMost];
    std::size_t size = 0;

    Watched() {
        const char* digits = std::getenv("P11MIME_WATCHED");
        for (; digits != nullptr && digits[0] != 0 && digits[1] != 0 && size < kMost; digits += 2, ++size) {
            const char pair[] = {digits[0], digits[1], 0};
            bytes[size] = static_cast<unsigned char>(std::strtoul(pair, nullptr, 16));
        }
        std::reverse_copy(bytes, bytes + size, reversed);
    }
};

bool is_in(const void* block, std::size_t length) {
    static const Watched watched;
    return watched.size > 0 && (memmem(block, length, watched.bytes, watched.size) != nullptr ||
                                memmem(block, length, watched.reversed, watched.size) != nullptr);
}

void tell(const void* caller) {
    Dl_info info{};
    const char* file = dladdr(caller, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "unknown";
    const char* log = std::getenv("P11MIME_WATCH_LOG");
    const int fd = log == nullptr ? -1 : open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return;
    (void)!write(fd, file, std::strlen(file));
    (void)!write(fd, "\n", 1);
    close(fd);
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) void free(void* block) noexcept {
    if (block != nullptr && is_in(block, malloc_usable_size(block))) tell(__builtin_return_address(0));
    __libc_free(block);
}

__attribute__((visibility("default"))) void* realloc(void* block, std::size_t size) noexcept {
    void* larger = __libc_malloc(size == 0 ? 1 : size);
    if (larger == nullptr || block == nullptr) return larger;
    const std::size_t length = malloc_usable_size(block);
    std::memcpy(larger, block, std::min(length, size));
    if (is_in(block, length)) tell(__builtin_return_address(0));
    __libc_free(block);
    return larger;
}
}
