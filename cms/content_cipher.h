#pragma once

#include <cstdint>
#include <optional>

#include "cms/algorithms.h"
#include "cms/legacy_provider.h"
#include "cms/secret.h"
#include "mime/stream.h"

namespace p11mime::cms {

/// ContentEncryptionAlgorithm is a content cipher with its parameters.
struct ContentEncryptionAlgorithm {
    const Algorithm* cipher = nullptr;
    Bytes iv;                  ///< initialisation vector of CBC, nonce of authenticated ciphers
    std::size_t tag_size = 0;  ///< of authenticated ciphers, in bytes
};

/// read_content_encryption reads an AlgorithmIdentifier (RFC 3565 and RFC 3370 for CBC, RFC 5084 for GCM, RFC 8103 for
/// ChaCha20-Poly1305). Throws Error(malformed), also "unsupported algorithm NAME".
ContentEncryptionAlgorithm read_content_encryption(const X509_ALGOR* identifier);

/// new_content_encryption makes fresh parameters; content_encryption_der is their AlgorithmIdentifier. Weak ciphers are
/// for reading only.
ContentEncryptionAlgorithm new_content_encryption(const Algorithm& cipher);
Bytes content_encryption_der(const ContentEncryptionAlgorithm& algorithm);

/// random_key makes a key of a cipher's size.
SecretBytes random_key(std::size_t size);

/// ContentDecryption decrypts a source as it is pulled. What it gives out is unverified until finish() has returned
/// true.
class ContentDecryption final : public Source {
  public:
    /// `associated` is the associated data of an authenticated cipher. `key` must be of the cipher's size. Throws
    /// Error(malformed) where the cipher needs OpenSSL's legacy provider and that is missing.
    ContentDecryption(Source& ciphertext, const ContentEncryptionAlgorithm& algorithm, const SecretBytes& key,
                      ByteView associated);

    ByteView pull() override;

    /// finish, once pull() has reached the end, says whether the padding (CBC) or the tag (authenticated ciphers) is
    /// right.
    bool finish(ByteView tag);

  private:
    Source& ciphertext_;
    bool authenticated_;
    std::size_t tag_size_;
    std::optional<LegacyProvider> legacy_;
    CipherContext context_;
    ByteView piece_;
    Bytes plaintext_;
    bool ended_ = false;
    bool padding_ok_ = true;
};

/// ContentEncryption encrypts what it is pushed into another sink.
class ContentEncryption final : public Sink {
  public:
    ContentEncryption(Sink& to, const ContentEncryptionAlgorithm& algorithm, const SecretBytes& key);

    void push(ByteView plaintext) override;

    /// finish writes what is left and returns the tag; empty for unauthenticated ciphers.
    Bytes finish();

    /// trace, after finish(), depends on all of the plaintext: the tag, or the last block of CBC. With the same key and
    /// parameters another trace means another plaintext.
    const Bytes& trace() const { return trace_; }

    /// ciphertext_size is the size that a plaintext comes to.
    static std::uint64_t ciphertext_size(const ContentEncryptionAlgorithm& algorithm, std::uint64_t plaintext_size);

  private:
    Sink& to_;
    bool authenticated_;
    std::size_t tag_size_;
    CipherContext context_;
    Bytes ciphertext_;
    Bytes trace_;
};

}  // namespace p11mime::cms
