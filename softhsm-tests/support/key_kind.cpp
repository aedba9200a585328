#include "softhsm-tests/support/key_kind.h"

#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <stdexcept>

#include "softhsm-tests/support/built.h"

namespace p11mime::test {

namespace {

constexpr const char* kForRsa = "critical,digitalSignature,keyEncipherment";
constexpr const char* kForEc = "critical,digitalSignature,keyAgreement";
constexpr const char* kForSigning = "critical,digitalSignature";
constexpr const char* kForAgreement = "critical,keyAgreement";

struct Row {
    KeyKind kind;
    const char* type;   // as OpenSSL names it
    const char* curve;  // of EC keys
    std::size_t bits;   // of RSA and DSA keys
    const char* usage;
};

constexpr Row kRows[] = {
    {KeyKind::rsa1024, "RSA", "", 1024, kForRsa},
    {KeyKind::rsa2048, "RSA", "", 2048, kForRsa},
    {KeyKind::dsa1024, "DSA", "", 1024, kForSigning},
    {KeyKind::p256, "EC", "P-256", 0, kForEc},
    {KeyKind::p384, "EC", "P-384", 0, kForEc},
    {KeyKind::p521, "EC", "P-521", 0, kForEc},
    {KeyKind::brainpool256, "EC", "brainpoolP256r1", 0, kForEc},
    {KeyKind::brainpool384, "EC", "brainpoolP384r1", 0, kForEc},
    {KeyKind::brainpool512, "EC", "brainpoolP512r1", 0, kForEc},
    {KeyKind::ed25519, "ED25519", "", 0, kForSigning},
    {KeyKind::ed448, "ED448", "", 0, kForSigning},
    {KeyKind::x25519, "X25519", "", 0, kForAgreement},
    {KeyKind::x448, "X448", "", 0, kForAgreement},
};

const Row& row_of(KeyKind kind) {
    return *std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& row) { return row.kind == kind; });
}

KeyHandle generate_dsa(std::size_t bits) {
    const KeyContext for_parameters(EVP_PKEY_CTX_new_from_name(nullptr, "DSA", nullptr));
    EVP_PKEY* made = nullptr;
    if (EVP_PKEY_paramgen_init(for_parameters.get()) != 1 ||
        EVP_PKEY_CTX_set_dsa_paramgen_bits(for_parameters.get(), static_cast<int>(bits)) != 1 ||
        EVP_PKEY_paramgen(for_parameters.get(), &made) != 1)
        return nullptr;
    const KeyHandle parameters(made);
    const KeyContext for_key(EVP_PKEY_CTX_new_from_pkey(nullptr, parameters.get(), nullptr));
    made = nullptr;
    if (EVP_PKEY_keygen_init(for_key.get()) != 1 || EVP_PKEY_keygen(for_key.get(), &made) != 1) return nullptr;
    return KeyHandle(made);
}

// made_before is the next of the RSA keys with 2048 bits that were made with the tests, as each takes a tenth of a
// second; nothing where the process has had them all.
KeyHandle made_before() {
    static std::mutex mutex;
    static const BioHandle keys(BIO_new_file(built_path("rsa-keys.pem").c_str(), "r"));
    const std::lock_guard lock(mutex);
    return KeyHandle(PEM_read_bio_PrivateKey(keys.get(), nullptr, nullptr, nullptr));
}

KeyHandle generate(const Row& row) {
    const std::string type = row.type;
    if (row.kind == KeyKind::rsa2048)
        if (KeyHandle key = made_before()) return key;
    if (type == "RSA") return KeyHandle(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", row.bits));
    if (type == "DSA") return generate_dsa(row.bits);
    if (type == "EC") return KeyHandle(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", row.curve));
    return KeyHandle(EVP_PKEY_Q_keygen(nullptr, nullptr, row.type));
}

}  // namespace

KeyHandle generate_key(KeyKind kind) {
    KeyHandle key = generate(row_of(kind));
    if (!key) throw std::runtime_error("test key: key generation");
    return key;
}

std::string natural_usage(KeyKind kind) {
    return row_of(kind).usage;
}

}  // namespace p11mime::test
