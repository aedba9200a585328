// Any bytes as a ContentInfo with CompressedData, DigestedData or AuthenticatedData, checked with a key that is wrong.
#include <cstdlib>
#include <string>

#include "cms/authenticated_data.h"
#include "cms/compressed_data.h"
#include "cms/digested_data.h"
#include "cms/identifiers.h"
#include "cms/zlib.h"
#include "mime/error.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;

namespace {

std::string compressed(cms::BerReader& ber, cms::ExpansionLimit& limit) {
    cms::CompressedDataReader reader(ber);
    cms::Inflation inflation(reader.compressed(), limit);
    const std::string text = test::text_from(inflation);
    reader.finish();
    return reader.content_type() + reader.algorithm_name() + text;
}

std::string digested(cms::BerReader& ber) {
    cms::DigestedDataReader reader(ber);
    const std::string text = test::text_from(reader.content());
    reader.finish();
    return reader.content_type() + reader.algorithm_name() + text + std::string(text_of(reader.digest()));
}

std::string authenticated(cms::BerReader& ber) {
    cms::AuthenticatedDataReader reader(ber);
    const SecretBytes key(32);
    cms::ContentAuthentication authentication(reader, key);
    TeeSource content(reader.content(), authentication);
    const std::string text = test::text_from(content);
    reader.finish();
    return reader.content_type() + reader.mac_name() + text + (authentication.holds(reader) ? "holds" : "fails");
}

std::string read(std::string_view ber, std::size_t piece_size) {
    test::PieceSource source(ber, piece_size);
    try {
        cms::ExpansionLimit limit;
        cms::MeasuredSource measured(source, limit);
        cms::BerReader reader(measured);
        const std::string type = cms::enter_content_info(reader);
        const std::string text = type == cms::oid::kCompressedData ? compressed(reader, limit)
                                 : type == cms::oid::kDigestedData ? digested(reader)
                                                                   : authenticated(reader);
        cms::leave_content_info(reader);
        return text;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) std::abort();
        return "malformed";
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view ber = text_of({data, size});
    if (read(ber, 0) != read(ber, 5)) std::abort();
    return 0;
}
