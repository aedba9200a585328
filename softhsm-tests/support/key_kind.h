#pragma once

#include <string>

#include "cms/handle.h"

namespace p11mime::test {

/// KeyKind is a kind of key that test certificates are made for.
enum class KeyKind {
    rsa1024,
    rsa2048,
    dsa1024,
    p256,
    p384,
    p521,
    brainpool256,
    brainpool384,
    brainpool512,
    ed25519,
    ed448,
    x25519,
    x448
};

/// generate_key makes a key in memory.
KeyHandle generate_key(KeyKind kind);

/// natural_usage is the key usage that fits, as openssl's x509v3_config has it.
std::string natural_usage(KeyKind kind);

}  // namespace p11mime::test
