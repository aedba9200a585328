#include "cms/decrypter.h"

#include <fmt/format.h>

#include "cms/asn1.h"
#include "mime/hex.h"

namespace p11mime::cms {

namespace {

// number_text is bytes for people: in hexadecimal, or how many there are where nobody could read them.
std::string number_text(ByteView bytes) {
    constexpr std::size_t kMaxBytes = 256;  // certificates have serial numbers of 20 (RFC 5280 section 4.1.2.2)
    return bytes.size() > kMaxBytes ? fmt::format("of {} bytes", bytes.size()) : hex(bytes);
}

}  // namespace

bool needs_private_key(const Recovery& recovery) {
    return !std::holds_alternative<KekUnwrap>(recovery) && !std::holds_alternative<PasswordUnwrap>(recovery);
}

bool RecipientIdentifier::matches(const Certificate& certificate) const {
    if (key_identifier.empty()) return issuer_der == certificate.issuer_der() && serial_der == certificate.serial_der();
    return certificate.subject_key_identifier() == key_identifier;
}

std::string RecipientIdentifier::text() const {
    if (!key_identifier.empty()) return fmt::format("key identifier {}", number_text(key_identifier));
    if (issuer_der.empty()) return "unnamed";
    const auto name = asn1::decode<NameHandle>(issuer_der, d2i_X509_NAME, "malformed issuer name");
    const auto serial =
        asn1::decode<Handle<ASN1_INTEGER, ASN1_INTEGER_free>>(serial_der, d2i_ASN1_INTEGER, "malformed serial number");
    return fmt::format("{}, serial {}", name_text(name.get()), number_text(asn1::octets(serial.get())));
}

}  // namespace p11mime::cms
