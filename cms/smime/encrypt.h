#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cms/smime/sign.h"

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
Capabilities parse_capabilities(ByteView der);  ///< what is unknown is left out; malformed gives none

/// own_capabilities is the DER that a signed mail carries and the certificate request asks for.
Bytes own_capabilities();

struct Recipient {
    Certificate certificate;
    bool oaep = false;  ///< RSA-OAEP (SHA-256, MGF1 SHA-256) instead of PKCS#1 v1.5
};

struct EncryptOptions {
    Form form = Form::smime;
    bool entity = false;
    ContentCipher cipher = ContentCipher::aes_256_cbc;
    std::vector<std::string> drop_fields;  ///< transport fields left out of the output, e.g. "Bcc"
};

/// encrypt_job makes a job that encrypts a mail or entity to all recipients.
std::unique_ptr<Job> encrypt_job(std::vector<Recipient> recipients, EncryptOptions options);

/// seal_job signs and then encrypts in one stream; `triple` signs once more outside (RFC 2634 section 1.1). The inner
/// signature takes `sign` as sign_job does; its form is ignored.
std::unique_ptr<Job> seal_job(std::vector<Signer*> signers, const Clock& clock, SignOptions sign,
                              std::vector<Recipient> recipients, EncryptOptions encrypt, bool triple);

}  // namespace p11mime::cms::smime
