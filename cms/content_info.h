#pragma once

#include <string>

#include "cms/asn1.h"
#include "cms/ber_reader.h"

namespace p11mime::cms {

/// read_oid reads an object identifier and gives it dotted.
std::string read_oid(BerReader& reader, const char* what);

/// enter_content_info reads the front of a ContentInfo (RFC 5652 section 3): its type, a dotted OID; the reader then
/// stands inside [0].
std::string enter_content_info(BerReader& reader);

/// leave_content_info reads its end; bytes other than white space after it are Error(malformed).
void leave_content_info(BerReader& reader);

/// enter_structure enters the SEQUENCE of a CMS structure and reads its version.
void enter_structure(BerReader& reader, const char* what);

/// read_octets reads an OCTET STRING of up to 128 bytes: a digest, a code, a tag.
Bytes read_octets(BerReader& reader, const char* what);

/// read_algorithm reads an AlgorithmIdentifier, which may have an implicit tag.
asn1::AlgorithmHandle read_algorithm(BerReader& reader, const char* what, Byte identifier = tag::kSequence);

/// EncapsulatedContent reads EncapsulatedContentInfo (RFC 5652 section 5.2) as a stream: the constructor up to the
/// content, then content(), then finish().
class EncapsulatedContent {
  public:
    /// Throws Error(malformed), also where the content is no octet string.
    explicit EncapsulatedContent(BerReader& reader);

    const std::string& type() const { return type_; }  ///< dotted OID of eContentType
    bool present() const { return present_; }
    Source& content() { return octets_; }  ///< it must be drained before finish()

    /// finish reads the end.
    void finish();

  private:
    BerReader& reader_;
    OctetsSource octets_;
    std::string type_;
    bool present_ = false;
};

/// require_content gives the content of a structure that makes no sense without. Throws Error(malformed).
Source& require_content(EncapsulatedContent& encapsulated);

}  // namespace p11mime::cms
