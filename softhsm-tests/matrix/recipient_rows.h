#pragma once

#include <string>
#include <vector>

#include "softhsm-tests/support/key_kind.h"

namespace p11mime::test::matrix {

/// Way is how a content key goes to a recipient.
enum class Way { rsa_pkcs1, rsa_oaep, ecdh, xdh, kek, password };

std::string name(Way way);  ///< as p11mime reports it: "rsa-oaep"

/// RecipientRow is a key management, with all its parameters, and a content cipher.
struct RecipientRow {
    std::string name;
    Way way{};
    KeyKind key{};                       ///< of private keys
    std::string hash;                    ///< of OAEP, the KDF or the PRF
    std::string mgf;                     ///< of OAEP
    std::string label;                   ///< of OAEP, in hex
    bool cofactor = false;               ///< of ECDH
    std::size_t wrap = 0;                ///< size of the AES key that wraps, in bytes
    std::string ukm;                     ///< user keying material of key agreement, in hex
    std::string secret;                  ///< KEK in hex, or password
    std::string cipher = "aes-128-cbc";  ///< as p11mime names it
    bool reading_only = false;           ///< p11mime does not write it
    bool broken = false;                 ///< a byte of the ciphertext is changed on the way
};

/// kKekId is the identifier of every KEK, in hex.
inline constexpr const char* kKekId = "0a0b0c";

/// key_managements are all of them, with the same cipher; recipient_rows the product with the ciphers, and what is only
/// read. A few of each in a sanitized build.
std::vector<RecipientRow> key_managements();
std::vector<RecipientRow> recipient_rows();

/// sampled_rows are those of recipient_rows for a peer that does one message at a time: each key management with one
/// cipher, the ciphers in turn, the first of each way with every cipher, and all that is only read or changed. They are
/// all rows where P11MIME_WHOLE_MATRIX or P11MIME_MATRIX_UPDATE is in the environment.
std::vector<RecipientRow> sampled_rows();

/// not_run_but_example is the cell of a row that a peer with RSA PKCS#1 v1.5 alone leaves out; "" for all of that, and
/// for one of each other way with a private key.
std::string not_run_but_example(const RecipientRow& row);

}  // namespace p11mime::test::matrix
