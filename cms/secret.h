#pragma once

#include <openssl/crypto.h>

#include <cstddef>
#include <new>
#include <utility>

#include "mime/bytes.h"

namespace p11mime {

/// SecretBytes holds a PIN, a content key or a shared secret in OpenSSL's secure heap (locked, not dumped, wiped when
/// freed; ordinary wiped memory where the secure heap is full). Move-only, of fixed size.
class SecretBytes {
  public:
    SecretBytes() = default;
    explicit SecretBytes(std::size_t size)
        : data_(static_cast<Byte*>(OPENSSL_secure_zalloc(size == 0 ? 1 : size))), size_(size) {
        if (data_ == nullptr) data_ = static_cast<Byte*>(OPENSSL_zalloc(size == 0 ? 1 : size));
        if (data_ == nullptr) throw std::bad_alloc();
    }
    explicit SecretBytes(ByteView bytes) : SecretBytes(bytes.size()) {
        for (std::size_t i = 0; i < size_; ++i)
            data_[i] = bytes[i];
    }
    SecretBytes(SecretBytes&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    SecretBytes& operator=(SecretBytes&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~SecretBytes() { OPENSSL_secure_clear_free(data_, size_ == 0 ? 1 : size_); }

    Byte* data() { return data_; }
    const Byte* data() const { return data_; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    ByteView view() const { return {data_, size_}; }
    operator ByteView() const { return view(); }

    /// copy makes a second one, where ownership has to be split on purpose.
    SecretBytes copy() const { return SecretBytes(view()); }

    /// shrink cuts the tail off and wipes it.
    void shrink(std::size_t size) {
        OPENSSL_cleanse(data_ + size, size_ - size);
        SecretBytes shorter(ByteView(data_, size));
        *this = std::move(shorter);
    }

  private:
    Byte* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace p11mime
