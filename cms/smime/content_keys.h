#pragma once

#include <limits>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cms/enveloped_data.h"
#include "cms/key_management.h"
#include "cms/smime/report.h"

namespace p11mime::cms::smime {

/// kMaxPrivateKeyOperations bounds what one mail can ask of tokens, and of people for PINs. A mail that was made in
/// good faith takes one for each encrypted layer.
inline constexpr std::size_t kMaxPrivateKeyOperations = 16;

/// Effort is what the content keys of a mail have taken so far.
struct Effort {
    std::size_t operations = 0;    ///< with private keys; at most kMaxPrivateKeyOperations
    std::uint64_t iterations = 0;  ///< of PBKDF2; at most kMaxPasswordIterations
};

/// KeySizes is how long a key of the content may be, in bytes.
struct KeySizes {
    std::size_t least;
    std::size_t most = std::numeric_limits<std::size_t>::max();

    bool fit(std::size_t size) const { return least <= size && size <= most; }
};

/// ContentKey is a recovered content key, or a random one where no key at hand could open its ciphertext: decryption
/// then fails like any other and tells an attacker nothing (RFC 3218).
struct ContentKey {
    SecretBytes key;
    std::optional<std::size_t> recipient;  ///< index of the RecipientEntry that it is of; also of RSA PKCS#1 v1.5 that
                                           ///< gave a random key, since the difference must not show
    bool certain = false;                  ///< its recovery has an integrity check (all but RSA PKCS#1 v1.5)
    Effort effort{};                       ///< that finding it took
    std::vector<std::string> skipped{};    ///< why keys at hand that are recipients' were not used, before it was found
    std::optional<OwnKey> own{};           ///< the private key that `recipient` names
};

/// find_content_key recovers the content key with a given secret, else with whichever private key fits. Throws
/// Error(no_key) where nothing at hand is a recipient; Error(malformed) where only a recipient that is not supported or
/// makes no sense could be, where a recovery with an integrity check gives a key of a size that does not fit, or where
/// it would exceed a limit of Effort together with what was `spent` on other layers; Error(token) for trouble with the
/// token.
ContentKey find_content_key(DecrypterSource& keys, const GivenSecrets& secrets,
                            const std::vector<RecipientEntry>& recipients, const KeySizes& sizes, const Effort& spent,
                            const Intent& intent, const std::stop_token& stop);

}  // namespace p11mime::cms::smime
