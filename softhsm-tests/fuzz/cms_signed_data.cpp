// Any bytes as a ContentInfo with SignedData, judged as the signed part of a mail would be.
#include <cstdlib>
#include <string>

#include "cms/signed_data.h"
#include "cms/smime/judge.h"
#include "mime/error.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;

namespace {

class StoppedClock final : public cms::Clock {
  public:
    cms::Time now() const override { return *cms::parse_time("2004-01-01T00:00:00Z"); }
};

std::string told(const cms::smime::SignerVerdict& signer) {
    std::string text = signer.identifier + signer.integrity_reason.value_or("") + signer.digest + signer.signature +
                       signer.chain_reason.value_or("");
    for (const cms::smime::SignerVerdict& each : signer.countersignatures)
        text += told(each);
    return text;
}

std::string judged(cms::SignedDataReader& signed_data, const cms::Digests& digests) {
    cms::Trust trust;
    trust.clock = std::make_shared<StoppedClock>();
    cms::smime::Workload workload;
    const auto signers =
        cms::smime::judge_signers(signed_data, {digests, signed_data.content_type(), {}}, &trust, {}, workload);
    std::string text = signers.all_unsupported;
    for (const cms::smime::SignerVerdict& each : signers.verdicts)
        text += told(each);
    for (const cms::smime::Warning& each : signers.warnings)
        text += each.message;
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
