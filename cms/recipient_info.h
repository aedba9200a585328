#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cms/decrypter.h"

namespace p11mime::cms {

inline constexpr std::size_t kMaxRecipients = 2'000;  ///< RecipientInfos and keys in them, in one mail
inline constexpr std::size_t kMaxUkmBytes = 1024;     ///< of user keying material; producers write 64

/// RecipientEntry is one encrypted content key: a RecipientInfo, or one RecipientEncryptedKey of a
/// KeyAgreeRecipientInfo.
struct RecipientEntry {
    RecipientIdentifier identifier;            ///< of the certificate; of a KEK the key identifier; else empty
    std::string key_management;                ///< as the report has it
    std::shared_ptr<const Recovery> recovery;  ///< shared by the keys of a KeyAgreeRecipientInfo; null: see below
    std::string fault;                         ///< why it has none, in a few words
    Bytes encrypted_key;
};

/// read_recipient_info parses one RecipientInfo (RFC 5652 section 6.2). Kinds, choices and algorithms that are not
/// supported or make no sense become entries without a recovery, so that other recipients still work; what cannot be
/// parsed throws Error(malformed). `content_key_size` is in bytes; nothing: it may have any.
std::vector<RecipientEntry> read_recipient_info(ByteView der, std::optional<std::size_t> content_key_size);

}  // namespace p11mime::cms
