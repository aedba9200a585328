// Any bytes as PEM: the same base64 comes out, or the same error, however the input comes in pieces.
#include <cstdlib>
#include <string>

#include "cms/smime/armour.h"
#include "mime/codec.h"
#include "mime/error.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;

namespace {

std::string read(std::string_view pem, std::size_t piece_size) {
    test::PieceSource source(pem, piece_size);
    Window window(source);
    cms::smime::PemSource lines(window);
    std::string text;
    try {
        text = test::text_from(lines);
        if (!lines.pull().empty()) std::abort();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) std::abort();
        return error.what();
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view pem = text_of({data, size});
    const std::string whole = read(pem, 0);
    if (read(pem, 1) != whole || read(pem, 7) != whole) std::abort();
    return 0;
}
