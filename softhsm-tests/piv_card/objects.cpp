#include "softhsm-tests/piv_card/objects.h"

#include <algorithm>

#include "softhsm-tests/piv_card/tlv.h"

namespace p11mime::piv_card {

namespace {

constexpr unsigned kChuidTag = 0x5fc102, kKeyHistoryTag = 0x5fc10c, kFirstRetiredTag = 0x5fc10d;
constexpr unsigned kContents = 0x53, kErrorDetection = 0xfe;

unsigned certificate_tag(KeyReference reference) {
    switch (reference) {
        case 0x9a:
            return 0x5fc105;
        case kSignatureKey:
            return 0x5fc10a;
        case 0x9d:
            return 0x5fc10b;
        case kCardAuthenticationKey:
            return 0x5fc101;
        default:
            return kFirstRetiredTag + reference - kFirstRetired;
    }
}

Bytes one_byte(std::size_t value) {
    return {static_cast<Byte>(value)};
}

Bytes certificate_object(const Bytes& der) {
    return tlv(kContents, joined({tlv(0x70, der), tlv(0x71, one_byte(0)), tlv(kErrorDetection, {})}));
}

/// chuid has no FASC-N of the federal government (all nines), so that the GUID is what tells cards apart.
Bytes chuid(ByteView serial) {
    const Byte no_federal_number[] = {0xd4, 0xe7, 0x39, 0xda, 0x73, 0x9c, 0xed, 0x39, 0xce, 0x73, 0x9d, 0x83, 0x68,
                                      0x58, 0x21, 0x08, 0x42, 0x10, 0x84, 0x21, 0xc8, 0x42, 0x10, 0xc3, 0xeb};
    Bytes guid(16, 0);
    const std::size_t size = std::min(serial.size(), guid.size());
    std::copy_n(serial.end() - static_cast<std::ptrdiff_t>(size), size, guid.end() - static_cast<std::ptrdiff_t>(size));
    return tlv(kContents, joined({tlv(0x30, no_federal_number), tlv(0x34, guid), tlv(0x35, bytes_of("20991231")),
                                  tlv(0x3e, {}), tlv(kErrorDetection, {})}));
}

Bytes discovery() {
    constexpr Byte kCardPinAlone[] = {0x40, 0x00};
    return tlv(kDiscoveryTag, joined({tlv(0x4f, kApplication), tlv(0x5f2f, kCardPinAlone)}));
}

/// key_history counts the containers of retired keys, used or not, up to the last one that holds a certificate.
Bytes key_history(const KeyStore& store) {
    std::size_t count = 0;
    for (const auto& [reference, certificate] : store.certificates)
        if (reference >= kFirstRetired && reference <= kLastRetired) count = reference - kFirstRetired + 1u;
    if (count == 0) return {};
    return tlv(kContents, joined({tlv(0xc1, one_byte(count)), tlv(0xc2, one_byte(0)), tlv(kErrorDetection, {})}));
}

}  // namespace

std::map<unsigned, Bytes> data_objects(const KeyStore& store, ByteView serial) {
    std::map<unsigned, Bytes> objects;
    objects[kDiscoveryTag] = discovery();
    objects[kChuidTag] = chuid(serial);
    for (const auto& [reference, certificate] : store.certificates)
        objects[certificate_tag(reference)] = certificate_object(certificate);
    if (Bytes history = key_history(store); !history.empty()) objects[kKeyHistoryTag] = std::move(history);
    return objects;
}

Bytes application_template() {
    const ByteView application = kApplication;
    return tlv(0x61, joined({tlv(0x4f, application.subspan(5)), tlv(0x79, tlv(0x4f, application.first(5))),
                             tlv(0x50, bytes_of("virtual PIV card"))}));
}

}  // namespace p11mime::piv_card
