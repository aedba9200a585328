#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cms/ber_reader.h"
#include "cms/content_cipher.h"
#include "cms/recipient_info.h"

namespace p11mime::cms {

inline constexpr std::size_t kMaxRecipientBytes = 16 * 1024 * 1024;  ///< of all RecipientInfos in one message
inline constexpr std::size_t kMaxAttributeBytes = 1024 * 1024;       ///< of authenticated attributes

/// EnvelopedDataReader reads EnvelopedData (RFC 5652 section 6.1) and AuthEnvelopedData (RFC 5083) as a stream: the
/// constructor up to the content, then ciphertext(), then finish().
class EnvelopedDataReader {
  public:
    /// The reader stands inside the [0] of ContentInfo. Throws Error(malformed).
    EnvelopedDataReader(BerReader& reader, bool authenticated);

    const std::string& content_type() const { return content_type_; }  ///< dotted OID
    const std::string& cipher_name() const { return cipher_name_; }    ///< also of a cipher that is not supported
    bool supported() const { return algorithm_.has_value(); }
    const ContentEncryptionAlgorithm& algorithm() const;  ///< throws Error(malformed) "unsupported algorithm NAME"
    const std::vector<RecipientEntry>& recipients() const { return recipients_; }
    Source& ciphertext() { return octets_; }  ///< must be drained before finish()

    /// finish reads what follows the content.
    void finish();
    const Bytes& tag() const { return tag_; }  ///< of AuthEnvelopedData
    /// associated_data is the DER of the authenticated attributes as the cipher takes them (RFC 5083 section 2.2);
    /// empty without any.
    const Bytes& associated_data() const { return associated_data_; }

  private:
    BerReader& reader_;
    OctetsSource octets_;
    bool authenticated_;
    std::string content_type_;
    std::string cipher_name_;
    std::optional<ContentEncryptionAlgorithm> algorithm_;  // nothing: not supported
    std::vector<RecipientEntry> recipients_;
    Bytes tag_;
    Bytes associated_data_;
};

}  // namespace p11mime::cms
