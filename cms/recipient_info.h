#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cms/decrypter.h"

namespace p11mime::cms {

inline constexpr std::size_t kMaxRecipients = 2'000;  ///< RecipientInfos and keys in them

/// RecipientEntry is one encrypted content key: a RecipientInfo, or one RecipientEncryptedKey of a
/// KeyAgreeRecipientInfo.
struct RecipientEntry {
    RecipientIdentifier identifier;    ///< of the certificate; of a KEK the key identifier; else empty
    std::string key_management;        ///< as the report has it
    std::optional<Recovery> recovery;  ///< nothing: `unsupported` says what is not supported
    std::string unsupported;
    Bytes encrypted_key;
};

/// read_recipient_info parses one RecipientInfo (RFC 5652 section 6.2). Kinds and algorithms that are not supported
/// make entries without a recovery, so that other recipients still work; malformed ones throw Error(malformed).
std::vector<RecipientEntry> read_recipient_info(ByteView der, std::size_t content_key_size);

}  // namespace p11mime::cms
