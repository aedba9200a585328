// Any bytes as BER. However they come in pieces, the reader sees the same values, or the same error.
#include <cstdlib>
#include <string>

#include "cms/ber_reader.h"
#include "mime/error.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;

namespace {

constexpr std::size_t kElementLimit = 4096;

// values lists what is in a value, each in the way that its identifier's low bits choose.
void values(cms::BerReader& reader, std::string& listing) {
    while (!reader.at_end()) {
        const cms::BerReader::Header header = reader.next();
        listing += std::to_string(header.identifier) + (header.length ? "=" : "~");
        if ((header.identifier & ~cms::tag::kConstructed) == cms::tag::kOctetString) {
            reader.begin_octets(cms::tag::kOctetString, "octets");
            cms::OctetsSource octets(reader);
            listing += test::text_from(octets);
        } else if (!header.constructed()) {
            listing += text_of(reader.element(kElementLimit, "element"));
        } else {
            reader.enter(header.identifier, "value");
            if (header.identifier == cms::tag::context(1, true))
                reader.skip_to_end();
            else
                values(reader, listing);
            reader.leave();
        }
        listing += ';';
    }
}

std::string read(std::string_view ber, std::size_t piece_size) {
    test::PieceSource source(ber, piece_size);
    cms::BerReader reader(source);
    std::string listing;
    try {
        values(reader, listing);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) std::abort();
        listing += error.what();
    }
    return listing;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view ber = text_of({data, size});
    const std::string whole = read(ber, 0);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{64}})
        if (read(ber, piece) != whole) std::abort();
    return 0;
}
