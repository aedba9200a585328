#pragma once

#include <openssl/rand.h>

#include "softhsm-tests/token_fixture.h"

/// What the tests of decryption and key agreement on tokens have in common.
namespace p11mime::test {

inline constexpr std::size_t kKeySize = 32;  ///< of content keys, in bytes

inline Bytes random_bytes(std::size_t size) {
    Bytes bytes(size);
    REQUIRE(RAND_bytes(bytes.data(), static_cast<int>(size)) == 1);
    return bytes;
}

/// decrypter_of is that of the first token's first certificate.
inline std::unique_ptr<cms::Decrypter> decrypter_of(token::Tokens& tokens) {
    const std::shared_ptr<token::Token> token = tokens.tokens().at(0);
    return token->decrypter(token->certificates().at(0));
}

inline std::optional<SecretBytes> recover(cms::Decrypter& decrypter, const cms::Recovery& recovery,
                                          ByteView encrypted) {
    return decrypter.recover(recovery, encrypted, {"decrypt a test"}, {});
}

inline void check_recovers(cms::Decrypter& decrypter, const cms::Recovery& recovery, ByteView encrypted,
                           ByteView expected) {
    CHECK(decrypter.supports(recovery));
    const auto recovered = recover(decrypter, recovery, encrypted);
    REQUIRE(recovered);
    CHECK(hex(*recovered) == hex(expected));
}

}  // namespace p11mime::test
