// Any bytes as a ContentInfo with EnvelopedData, AuthEnvelopedData or EncryptedData, decrypted with a key that is
// wrong.
#include <cstdlib>
#include <string>

#include "cms/content_info.h"
#include "cms/enveloped_data.h"
#include "cms/identifiers.h"
#include "mime/error.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;

namespace {

std::string read(std::string_view ber, std::size_t piece_size) {
    test::PieceSource source(ber, piece_size);
    std::string text;
    try {
        cms::BerReader reader(source);
        const std::string type = cms::enter_content_info(reader);
        const auto kind = type == cms::oid::kAuthEnvelopedData ? cms::EncryptedKind::auth_enveloped
                          : type == cms::oid::kEncryptedData   ? cms::EncryptedKind::encrypted
                                                               : cms::EncryptedKind::enveloped;
        cms::EnvelopedDataReader enveloped(reader, kind);
        text = enveloped.content_type() + enveloped.cipher_name();
        for (const cms::RecipientEntry& each : enveloped.recipients())
            text += each.identifier.text() + each.key_management + each.fault;
        const SecretBytes key(enveloped.algorithm().cipher->key_size);
        cms::ContentDecryption plaintext(enveloped.ciphertext(), enveloped.algorithm(), key, {});
        text += test::text_from(plaintext);
        enveloped.finish();
        cms::leave_content_info(reader);
        text += plaintext.finish(enveloped.tag()) ? "good" : "bad";
        text += text_of(enveloped.associated_data());
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) std::abort();
        text += error.what();
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view ber = text_of({data, size});
    // What comes before an error depends on the pieces, the outcome does not.
    read(ber, 5);
    if (read(ber, 0) != read(ber, 0)) std::abort();
    return 0;
}
