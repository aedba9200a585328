#include "softhsm-tests/piv_card/apdu.h"

namespace p11mime::piv_card {

std::optional<Apdu> parse_apdu(ByteView bytes) {
    if (bytes.size() < 4) return std::nullopt;
    Apdu apdu{.cla = bytes[0], .ins = bytes[1], .p1 = bytes[2], .p2 = bytes[3], .data = {}};
    ByteView body = bytes.subspan(4);
    if (body.size() > 1) {
        const std::size_t length = body[0];
        if (length == 0 || body.size() < 1 + length || body.size() > 2 + length) return std::nullopt;
        apdu.data = to_bytes(body.subspan(1, length));
        body = body.subspan(1 + length);
    }
    if (!body.empty() && body[0] != 0) apdu.expected = body[0];
    return apdu;
}

}  // namespace p11mime::piv_card
