#pragma once

#include <optional>

#include "cms/algorithms.h"
#include "cms/secret.h"

namespace p11mime::cms {

/// kMaxWrappedBytes bounds an encrypted content key that is read: far more than any comes to.
inline constexpr std::size_t kMaxWrappedBytes = 512;

/// aes_wrap is the row of AES key wrap (RFC 3394) with a key of 16, 24 or 32 bytes.
const Algorithm& aes_wrap(std::size_t key_size);

/// wrap_key encrypts a content key with a key of the algorithm's size.
Bytes wrap_key(const Algorithm& algorithm, const SecretBytes& wrapping_key, const SecretBytes& content_key);

/// wrap_with_padding encrypts a secret of any size with a key of 32 bytes: AES key wrap with padding (RFC 5649).
Bytes wrap_with_padding(const SecretBytes& wrapping_key, const SecretBytes& secret);

/// is_wrapped_size says whether a key wrap gives as many bytes.
bool is_wrapped_size(std::size_t size);

/// unwrap_key is its inverse; nothing where the integrity check fails.
std::optional<SecretBytes> unwrap_key(const Algorithm& algorithm, const SecretBytes& wrapping_key, ByteView wrapped);

}  // namespace p11mime::cms
