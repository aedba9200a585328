// Any bytes as one RecipientInfo, with what a key would be asked to do for it.
#include <openssl/ec.h>

#include <array>
#include <cstdlib>
#include <string>

#include "cms/asn1.h"
#include "cms/key_agreement.h"
#include "cms/key_wrap.h"
#include "cms/password_recipient.h"
#include "cms/recipient_info.h"
#include "mime/error.h"

using namespace p11mime;

namespace {

std::array<const EVP_PKEY*, 2> own_keys() {
    static const KeyHandle p256(EVP_EC_gen("P-256"));
    static const KeyHandle x25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
    return {p256.get(), x25519.get()};
}

void recover(const cms::RecipientEntry& entry) {
    if (const auto* agree = std::get_if<cms::Agree>(entry.recovery.get())) {
        const SecretBytes secret(32);
        cms::derive_and_unwrap(secret, agree->kdf, *agree->wrap, entry.encrypted_key);
        for (const EVP_PKEY* own : own_keys())
            cms::agreement_peer(agree->peer_spki, own);
        return;
    }
    constexpr std::uint32_t kQuick = 2048;  // of PBKDF2
    const auto* password = std::get_if<cms::PasswordUnwrap>(entry.recovery.get());
    if (password != nullptr && password->iterations <= kQuick)
        cms::recover_with_password(*password, SecretBytes(8), entry.encrypted_key);
    if (const auto* kek = std::get_if<cms::KekUnwrap>(entry.recovery.get()))
        cms::unwrap_key(*kek->wrap, SecretBytes(kek->wrap->key_size), entry.encrypted_key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size == 0) return 0;
    try {
        for (const cms::RecipientEntry& entry : cms::read_recipient_info({data, size}, 32)) {
            if ((entry.recovery != nullptr) == !entry.fault.empty()) std::abort();
            entry.identifier.text();
            if (entry.recovery) recover(entry);
        }
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) std::abort();
    }
    return 0;
}
