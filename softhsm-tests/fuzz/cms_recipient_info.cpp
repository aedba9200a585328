// Any bytes as one RecipientInfo, with what a key would be asked to do for it.
#include <cstdlib>
#include <string>

#include "cms/asn1.h"
#include "cms/key_agreement.h"
#include "cms/recipient_info.h"
#include "mime/error.h"

using namespace p11mime;

namespace {

void recover(const cms::RecipientEntry& entry) {
    if (const auto* agree = std::get_if<cms::Agree>(&*entry.recovery)) {
        const SecretBytes secret(32);
        cms::derive_and_unwrap(secret, agree->kdf, *agree->wrap, entry.encrypted_key);
        const Byte* at = agree->peer_spki.data();
        const KeyHandle peer(d2i_PUBKEY(nullptr, &at, static_cast<long>(agree->peer_spki.size())));
        cms::openssl_reason();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (size == 0) return 0;
    try {
        for (const cms::RecipientEntry& entry : cms::read_recipient_info({data, size}, 32)) {
            if (entry.recovery.has_value() == !entry.unsupported.empty()) std::abort();
            entry.identifier.text();
            if (entry.recovery) recover(entry);
        }
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) std::abort();
    }
    return 0;
}
