#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cms/content_cipher.h"
#include "cms/digests.h"
#include "cms/smime/encrypt.h"
#include "cms/smime/sign.h"
#include "mime/codec.h"

namespace p11mime::cms::smime {

/// EntityWriter takes canonical content and writes it with a layer around it. Line ends are CRLF throughout.
class EntityWriter : public Sink {
  public:
    /// finish writes the end; false where it has learned what the next pass needs and what was written is no good.
    virtual bool finish() = 0;
};

/// CmsOutput is where a CMS structure goes: under a MIME header and in base64, in PEM, or as it is.
class CmsOutput final : public Sink {
  public:
    /// `smime_type` and `name` are for Form::smime (RFC 8551 section 3.2.2).
    CmsOutput(Sink& to, Form form, const char* smime_type, const char* name = "smime.p7m");
    void push(ByteView bytes) override;
    void finish();

  private:
    Sink& to_;
    Form form_;
    std::unique_ptr<mime::Encoder> base64_;
};

/// SigningState is what one signed layer keeps between passes: the signature is made once.
struct SigningState {
    std::vector<Signer*> signers;
    std::vector<SignScheme> schemes;  ///< of each signer
    const Clock* clock = nullptr;
    SignOptions options;
    std::string intent;
    std::string boundary;
    std::optional<std::vector<Bytes>> signed_digests;  ///< of each signer's hash, once signed
    std::vector<Bytes> signer_infos;
    std::optional<std::uint64_t> length;  ///< of the content, for DER
};

/// clear_signed_writer writes multipart/signed, opaque_signed_writer encapsulated SignedData, detached_signature_writer
/// SignedData alone.
std::unique_ptr<EntityWriter> clear_signed_writer(Sink& to, SigningState& state);
std::unique_ptr<EntityWriter> opaque_signed_writer(Sink& to, SigningState& state, Form form);
std::unique_ptr<EntityWriter> detached_signature_writer(Sink& to, SigningState& state, Form form);

/// CompressionState is what one compressed layer keeps between passes.
struct CompressionState {
    std::optional<std::uint64_t> length;  ///< of the compressed content, for DER
};

/// compressed_writer writes CompressedData with zlib (RFC 3274).
std::unique_ptr<EntityWriter> compressed_writer(Sink& to, CompressionState& state, Form form);

/// EncryptionState is what one encrypted layer keeps between passes, so that each pass writes the same bytes.
struct EncryptionState {
    ContentEncryptionAlgorithm algorithm;
    SecretBytes key;
    Bytes recipient_infos;  ///< DER of the SET
    unsigned version = 0;
    std::optional<std::uint64_t> length;  ///< of the plaintext, for DER
    std::optional<Bytes> trace;           ///< of the plaintext, once encrypted; another pass must come to the same
};

/// new_encryption_state encrypts a fresh content key to all recipients.
EncryptionState new_encryption_state(const std::vector<Recipient>& recipients, const Algorithm& cipher);

/// encrypted_writer writes EnvelopedData or AuthEnvelopedData.
std::unique_ptr<EntityWriter> encrypted_writer(Sink& to, EncryptionState& state, Form form);

}  // namespace p11mime::cms::smime
