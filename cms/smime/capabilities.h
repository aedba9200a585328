#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "mime/bytes.h"

namespace p11mime::cms::smime {

enum class ContentCipher { aes_128_cbc, aes_256_cbc, aes_128_gcm, aes_256_gcm };

std::string_view name(ContentCipher cipher);  ///< as --cipher takes it
std::optional<ContentCipher> content_cipher(std::string_view name);
bool authenticated(ContentCipher cipher);

/// Capabilities is what a recipient announces in SMIMECapabilities (RFC 8551 section 2.5.2).
struct Capabilities {
    std::vector<ContentCipher> ciphers;  ///< in the order of preference
    bool oaep = false;
};

/// parse_capabilities leaves out what is unknown; malformed DER gives none.
Capabilities parse_capabilities(ByteView der);

/// own_capabilities is the DER that a signed mail carries and that a certificate request asks for.
Bytes own_capabilities();

}  // namespace p11mime::cms::smime
