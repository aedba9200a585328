#include "cms/attributes.h"

#include <algorithm>

#include "cms/algorithms.h"
#include "cms/der.h"
#include "cms/encode.h"

namespace p11mime::cms {

Attributes::Attributes(const STACK_OF(X509_ATTRIBUTE) * attributes) : present_(attributes != nullptr) {
    for (int i = 0; i < X509at_get_attr_count(attributes); ++i) {
        X509_ATTRIBUTE* each = sk_X509_ATTRIBUTE_value(attributes, i);
        by_oid_[oid_text(X509_ATTRIBUTE_get0_object(each))].push_back(each);
    }
}

const ASN1_TYPE* Attributes::find(std::string_view oid) {
    const auto found = by_oid_.find(oid);
    if (found == by_oid_.end()) return nullptr;
    if (found->second.size() != 1 || X509_ATTRIBUTE_count(found->second.front()) != 1) ambiguous_ = true;
    return X509_ATTRIBUTE_get0_type(found->second.back(), 0);
}

std::vector<const ASN1_TYPE*> Attributes::values(std::string_view oid) const {
    std::vector<const ASN1_TYPE*> all;
    const auto found = by_oid_.find(oid);
    if (found == by_oid_.end()) return all;
    for (X509_ATTRIBUTE* each : found->second)
        for (int i = 0; i < X509_ATTRIBUTE_count(each); ++i)
            all.push_back(X509_ATTRIBUTE_get0_type(each, i));
    return all;
}

std::vector<std::string> Attributes::names() const {
    std::vector<std::string> all;
    for (const auto& [oid, attributes] : by_oid_) {
        if (all.size() == kMaxAttributeNames) break;
        const int nid = OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attributes.front()));
        all.push_back(nid == NID_undef ? oid : OBJ_nid2sn(nid));
    }
    return all;
}

std::optional<Bytes> der_of(const ASN1_TYPE* value, int type) {
    if (value == nullptr || value->type != type) return std::nullopt;
    return encode(value, i2d_ASN1_TYPE);
}

bool looks_like_attributes(ByteView content) {
    constexpr std::size_t kFront = 64;
    content = content.first(std::min(content.size(), kFront));
    static constexpr Byte kPkcs9[]{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09};
    return !content.empty() && content[0] == tag::kSet &&
           std::search(content.begin(), content.end(), std::begin(kPkcs9), std::end(kPkcs9)) != content.end();
}

}  // namespace p11mime::cms
