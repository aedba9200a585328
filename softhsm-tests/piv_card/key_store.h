#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cms/handle.h"
#include "mime/bytes.h"

namespace p11mime::piv_card {

/// Key references (SP 800-73-4 part 1, section 5.1): 9A authentication, 9C signature, 9D key management, 9E card
/// authentication, 82 to 95 retired keys for key management.
using KeyReference = Byte;
inline constexpr KeyReference kSignatureKey = 0x9c, kCardAuthenticationKey = 0x9e;
inline constexpr KeyReference kFirstRetired = 0x82, kLastRetired = 0x95;

/// key_references are all of them.
std::vector<KeyReference> key_references();

/// CardKey is a private key that does what a card's does.
class CardKey {
  public:
    explicit CardKey(KeyHandle key) : key_(std::move(key)) {}

    /// algorithm is its identifier (SP 800-78-5 table 6-2); 0 for a key that no PIV card has.
    Byte algorithm() const;
    /// signature_of is raw RSA, or ECDSA in DER; agreed the shared secret with a peer's point. Nothing where the input
    /// does not fit the key.
    std::optional<Bytes> signature_of(ByteView input) const;
    std::optional<Bytes> agreed(ByteView point) const;

  private:
    bool is_rsa() const { return EVP_PKEY_get_base_id(key_.get()) == EVP_PKEY_RSA; }
    std::size_t size() const { return (static_cast<std::size_t>(EVP_PKEY_get_bits(key_.get())) + 7) / 8; }

    KeyHandle key_;
};

/// KeyStore is the keys and certificates of a directory: `9a.key` (PKCS#8) and `9a.pem`, `82.key`, … in PEM. Either of
/// the two may be missing.
struct KeyStore {
    /// Throws std::runtime_error for a file that holds something else.
    static KeyStore load(const std::string& directory);

    std::map<KeyReference, CardKey> keys;
    std::map<KeyReference, Bytes> certificates;  ///< DER
};

}  // namespace p11mime::piv_card
