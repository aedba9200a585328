#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cms/content_info.h"
#include "cms/digests.h"
#include "cms/mac.h"
#include "cms/recipient_list.h"

namespace p11mime::cms {

/// kMinMacKeyBytes is the least that a message authentication key may have, though HMAC takes any (RFC 2104 section 3):
/// who can guess the key makes the code, and finds out so whether a ciphertext for RSA PKCS#1 v1.5 holds it.
inline constexpr std::size_t kMinMacKeyBytes = 16;

/// AuthenticatedDataReader reads AuthenticatedData (RFC 5652 section 9) as a stream: the constructor up to the content,
/// then content(), then finish().
class AuthenticatedDataReader {
  public:
    /// The reader stands before the structure. Throws Error(malformed).
    explicit AuthenticatedDataReader(BerReader& reader);

    const std::vector<RecipientEntry>& recipients() const { return recipients_; }
    /// take_recipients leaves none behind: they need not stay in memory while the content is read.
    std::vector<RecipientEntry> take_recipients() { return std::exchange(recipients_, {}); }
    const std::string& mac_name() const { return mac_name_; }  ///< also where it is not supported
    bool supported() const { return mac_ != nullptr; }
    const Algorithm& mac() const;  ///< throws Error(malformed) "unsupported algorithm NAME"
    /// digest is that of the content with authenticated attributes; nothing without them. Throws as mac().
    std::optional<Hash> digest() const;
    const std::string& content_type() const { return encapsulated_->type(); }  ///< dotted OID
    Source& content() { return require_content(*encapsulated_); }

    void finish();
    /// attributes are the DER of the authenticated attributes as they are authenticated (section 9.2); empty without.
    const Bytes& attributes() const { return attributes_; }
    const Bytes& code() const { return code_; }

  private:
    BerReader& reader_;
    std::vector<RecipientEntry> recipients_;
    std::string mac_name_;
    const Algorithm* mac_ = nullptr;
    std::string digest_name_;
    std::optional<Hash> digest_;
    std::optional<EncapsulatedContent> encapsulated_;
    Bytes attributes_;
    Bytes code_;
};

/// ContentAuthentication checks the code of AuthenticatedData: it is pushed the content and then asked.
class ContentAuthentication final : public Sink {
  public:
    /// `key` is the message authentication key; it is used at the end too. Throws Error(malformed) "unsupported…".
    ContentAuthentication(const AuthenticatedDataReader& reader, const SecretBytes& key);
    void push(ByteView content) override;

    /// holds says, once the reader has finished, whether code and attributes fit the content.
    bool holds(const AuthenticatedDataReader& reader);

  private:
    std::optional<Hash> digest_;
    std::optional<Digests> digests_;
    Hmac mac_;
    Bytes first_bytes_;
};

}  // namespace p11mime::cms
