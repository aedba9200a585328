#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cms/ber_reader.h"
#include "cms/content_cipher.h"
#include "cms/recipient_list.h"

namespace p11mime::cms {

/// EncryptedKind is which structure is around EncryptedContentInfo.
enum class EncryptedKind {
    enveloped,       ///< EnvelopedData (RFC 5652 section 6.1)
    auth_enveloped,  ///< AuthEnvelopedData (RFC 5083)
    encrypted,       ///< EncryptedData (RFC 5652 section 8), which carries no key
};

/// EnvelopedDataReader reads the three as a stream: the constructor up to the content, then ciphertext(), then
/// finish().
class EnvelopedDataReader {
  public:
    /// The reader stands before the structure. Throws Error(malformed).
    EnvelopedDataReader(BerReader& reader, EncryptedKind kind);

    EncryptedKind kind() const { return kind_; }
    const std::string& content_type() const { return content_type_; }  ///< dotted OID
    const std::string& cipher_name() const { return cipher_name_; }    ///< also of a cipher that is not supported
    bool supported() const { return algorithm_.has_value(); }
    const ContentEncryptionAlgorithm& algorithm() const;  ///< throws Error(malformed) "unsupported algorithm NAME"
    const std::vector<RecipientEntry>& recipients() const { return recipients_; }
    /// take_recipients leaves none behind: they need not stay in memory while the content is read.
    std::vector<RecipientEntry> take_recipients() { return std::exchange(recipients_, {}); }
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
    EncryptedKind kind_;
    std::string content_type_;
    std::string cipher_name_;
    std::optional<ContentEncryptionAlgorithm> algorithm_;  // nothing: not supported
    std::vector<RecipientEntry> recipients_;
    Bytes tag_;
    Bytes associated_data_;
};

}  // namespace p11mime::cms
