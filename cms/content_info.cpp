#include "cms/content_info.h"

#include <fmt/format.h>

#include "cms/algorithms.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kMaxOidBytes = 128;
constexpr std::size_t kMaxVersionBytes = 16;
constexpr std::size_t kMaxOctetsBytes = 128 + 3;

}  // namespace

std::string read_oid(BerReader& reader, const char* what) {
    const Bytes der = reader.element(tag::kOid, kMaxOidBytes, what);
    const auto object = asn1::decode<ObjectHandle>(
        der, [](ASN1_OBJECT** to, const Byte** at, long size) { return d2i_ASN1_OBJECT(to, at, size); },
        "malformed object identifier");
    return oid_text(object.get());
}

std::string enter_content_info(BerReader& reader) {
    reader.enter(tag::kSequence, "ContentInfo");
    std::string type = read_oid(reader, "content type");
    reader.enter(tag::context(0, true), "content");
    return type;
}

void leave_content_info(BerReader& reader) {
    reader.leave();
    reader.leave();
    reader.require_end();
}

void enter_structure(BerReader& reader, const char* what) {
    reader.enter(tag::kSequence, what);
    reader.element(tag::kInteger, kMaxVersionBytes, "version");
}

Bytes read_octets(BerReader& reader, const char* what) {
    const Bytes der = reader.element(kMaxOctetsBytes, what);
    const auto octets = asn1::decode<Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>>(der, d2i_ASN1_OCTET_STRING,
                                                                                        "malformed octet string");
    return to_bytes(asn1::octets(octets.get()));
}

asn1::AlgorithmHandle read_algorithm(BerReader& reader, const char* what, Byte identifier) {
    Bytes der = reader.element(identifier, kMaxElementBytes, what);
    der.front() = tag::kSequence;
    return asn1::decode<asn1::AlgorithmHandle>(der, d2i_X509_ALGOR, fmt::format("malformed {}", what).c_str());
}

EncapsulatedContent::EncapsulatedContent(BerReader& reader) : reader_(reader), octets_(reader) {
    reader_.enter(tag::kSequence, "encapsulated content");
    type_ = read_oid(reader_, "encapsulated content type");
    present_ = !reader_.at_end();
    if (!present_) return;
    reader_.enter(tag::context(0, true), "eContent");
    // PKCS#7 (RFC 2315) allows any type here; its SignedData over something else than an octet string is not S/MIME.
    reader_.begin_octets(tag::kOctetString, "octet string as content");
}

void EncapsulatedContent::finish() {
    if (present_) {
        if (!reader_.octets().empty()) throw Error(ErrorKind::malformed, "malformed CMS: content left unread");
        reader_.leave();
    }
    reader_.leave();
}

Source& require_content(EncapsulatedContent& encapsulated) {
    if (!encapsulated.present()) throw Error(ErrorKind::malformed, "malformed CMS: the content is missing");
    return encapsulated.content();
}

}  // namespace p11mime::cms
