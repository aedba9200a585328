// Any bytes as a ContentInfo with SignedData, judged as the signed part of a mail would be.
#include <cstdlib>
#include <string>

#include "cms/signed_data.h"
#include "cms/signer_info.h"
#include "mime/error.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;

namespace {

std::string judged(cms::SignedDataReader& signed_data, const cms::Digests& digests) {
    std::string text;
    for (const auto& signer : signed_data.signers()) {
        const cms::RecipientIdentifier identifier = cms::asn1::identifier(*signer->sid);
        text += identifier.text();
        const cms::Certificate* certificate = nullptr;
        for (const cms::Certificate& each : signed_data.certificates())
            if (identifier.matches(each)) certificate = &each;
        const auto verdict = cms::judge_signer_info(*signer, {digests, signed_data.content_type(), {}}, certificate);
        text += verdict.reason + verdict.digest + verdict.signature;
        if (verdict.encryption_key) text += verdict.encryption_key->text();
    }
    return text;
}

std::string read(std::string_view ber, std::size_t piece_size) {
    test::PieceSource source(ber, piece_size);
    std::string text;
    try {
        cms::BerReader reader(source);
        cms::enter_content_info(reader);
        cms::SignedDataReader signed_data(reader);
        cms::Digests digests(signed_data.digest_algorithms());
        if (signed_data.has_content()) {
            TeeSource hashed(signed_data.content(), digests);
            text = test::text_from(hashed);
        }
        signed_data.finish();
        cms::leave_content_info(reader);
        for (const cms::Certificate& each : signed_data.certificates())
            text += each.fingerprint_sha256();
        text += judged(signed_data, digests);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) std::abort();
        text += error.what();
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view ber = text_of({data, size});
    if (read(ber, 0) != read(ber, 5)) std::abort();
    return 0;
}
