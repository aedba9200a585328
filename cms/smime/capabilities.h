#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "cms/algorithms.h"
#include "cms/decrypter.h"

namespace p11mime::cms::smime {

/// content_ciphers are the ciphers that are written, best first: authenticated ones, then by key size.
std::vector<const Algorithm*> content_ciphers();

/// content_cipher is the one with a name as --cipher takes it; null where there is none.
const Algorithm* content_cipher(std::string_view name);

/// default_cipher is for those who announce nothing: AES-256-CBC, since many programs read no AuthEnvelopedData.
const Algorithm* default_cipher();

/// AnnouncedAgreement is a key agreement scheme and the key wrap that goes with it (RFC 5753 section 8, RFC 8418
/// section 4), rows of the table.
struct AnnouncedAgreement {
    const Algorithm* scheme;
    const Algorithm* wrap;

    bool operator==(const AnnouncedAgreement&) const = default;
};

/// Capabilities is what a recipient announces in SMIMECapabilities (RFC 8551 section 2.5.2), each in the order of
/// preference.
struct Capabilities {
    std::vector<const Algorithm*> ciphers;
    std::optional<RsaOaep> oaep;                 ///< with its parameters; the first where several are announced
    std::vector<AnnouncedAgreement> agreements;  ///< weak ones too
};

/// parse_capabilities leaves out what is unknown or not written; malformed DER gives none.
Capabilities parse_capabilities(ByteView der);

/// own_capabilities is the DER of what this program reads with a key: a signed mail carries it, and a certificate
/// request asks for it.
Bytes own_capabilities(const Abilities& key);

}  // namespace p11mime::cms::smime
