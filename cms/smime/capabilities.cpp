#include "cms/smime/capabilities.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <utility>

#include "cms/algorithms.h"
#include "cms/asn1.h"
#include "cms/der.h"
#include "cms/recipient_info.h"

namespace p11mime::cms::smime {

namespace {

constexpr std::array<std::pair<ContentCipher, std::string_view>, 4> kCiphers{{
    {ContentCipher::aes_256_gcm, "aes-256-gcm"},
    {ContentCipher::aes_128_gcm, "aes-128-gcm"},
    {ContentCipher::aes_256_cbc, "aes-256-cbc"},
    {ContentCipher::aes_128_cbc, "aes-128-cbc"},
}};

void free_algorithms(X509_ALGORS* stack) {
    sk_X509_ALGOR_pop_free(stack, X509_ALGOR_free);
}
using AlgorithmsHandle = Handle<X509_ALGORS, free_algorithms>;

}  // namespace

std::string_view name(ContentCipher cipher) {
    const auto* row =
        std::find_if(kCiphers.begin(), kCiphers.end(), [&](const auto& each) { return each.first == cipher; });
    return row->second;
}

std::optional<ContentCipher> content_cipher(std::string_view name) {
    const auto* row =
        std::find_if(kCiphers.begin(), kCiphers.end(), [&](const auto& each) { return each.second == name; });
    return row == kCiphers.end() ? std::nullopt : std::optional(row->first);
}

bool authenticated(ContentCipher cipher) {
    return algorithm_named(AlgorithmKind::content_cipher, name(cipher))->authenticated;
}

Capabilities parse_capabilities(ByteView der) {
    const Byte* at = der.data();
    const AlgorithmsHandle list(d2i_X509_ALGORS(nullptr, &at, static_cast<long>(der.size())));
    ERR_clear_error();
    Capabilities capabilities;
    for (int i = 0; list && i < sk_X509_ALGOR_num(list.get()); ++i) {
        const X509_ALGOR* each = sk_X509_ALGOR_value(list.get(), i);
        if (const Algorithm* row = find_algorithm(AlgorithmKind::content_cipher, each))
            if (const auto cipher = content_cipher(row->name)) capabilities.ciphers.push_back(*cipher);
        const Algorithm* transport = find_algorithm(AlgorithmKind::key_transport, each);
        if (transport != nullptr && transport->name == "rsa-oaep") capabilities.oaep = true;
    }
    return capabilities;
}

Bytes own_capabilities() {
    Bytes list;
    for (const auto& [cipher, cipher_name] : kCiphers)
        list = concat({list, der_algorithm(algorithm_named(AlgorithmKind::content_cipher, cipher_name)->oid)});
    return der_value(tag::kSequence, {list, oaep_sha256_algorithm()});
}

}  // namespace p11mime::cms::smime
