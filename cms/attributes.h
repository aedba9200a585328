#pragma once

#include <openssl/x509.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mime/bytes.h"

namespace p11mime::cms {

/// kMaxAttributeNames is how many kinds of attributes names() gives.
inline constexpr std::size_t kMaxAttributeNames = 100;

/// Attributes looks up in a SET OF Attribute (RFC 5652 section 5.3), which must outlive it.
class Attributes {
  public:
    explicit Attributes(const STACK_OF(X509_ATTRIBUTE) * attributes);

    bool present() const { return present_; }  ///< also where the set is empty

    /// find gives the one value of an attribute; null where it is absent. One that is there twice or has another number
    /// of values makes ambiguous() true (RFC 5652 section 11).
    const ASN1_TYPE* find(std::string_view oid);
    bool ambiguous() const { return ambiguous_; }

    /// values gives all values of all attributes of a kind.
    std::vector<const ASN1_TYPE*> values(std::string_view oid) const;

    /// names tells the kinds that are there, each once: OpenSSL's short name or the dotted OID.
    std::vector<std::string> names() const;

  private:
    bool present_;
    bool ambiguous_ = false;
    std::map<std::string, std::vector<X509_ATTRIBUTE*>, std::less<>> by_oid_;
};

/// der_of is the DER of an attribute's value; nothing where it is absent or of another type (V_ASN1_…).
std::optional<Bytes> der_of(const ASN1_TYPE* value, int type);

/// looks_like_attributes tells the DER of signed attributes that an attacker passes off as content, so that a signature
/// over attributes would seem to cover it: a SET of SEQUENCEs that begin with a PKCS#9 or S/MIME attribute type.
bool looks_like_attributes(ByteView content);

}  // namespace p11mime::cms
