#include "cms/authenticated_data.h"

#include <algorithm>

#include "cms/attributes.h"
#include "cms/identifiers.h"
#include "cms/signer_info.h"

namespace p11mime::cms {

AuthenticatedDataReader::AuthenticatedDataReader(BerReader& reader) : reader_(reader) {
    enter_structure(reader_, "AuthenticatedData");
    const RecipientList list(reader_);
    const auto mac = read_algorithm(reader_, "message authentication algorithm");
    mac_name_ = algorithm_text(mac.get());
    mac_ = find_algorithm(AlgorithmKind::mac, mac.get());
    recipients_ = list.entries(std::nullopt);
    if (reader_.next_is(tag::context(1, true))) {
        const auto digest = read_algorithm(reader_, "digest algorithm", tag::context(1, true));
        digest_name_ = algorithm_text(digest.get());
        const Algorithm* row = find_algorithm(AlgorithmKind::digest, digest.get());
        if (row != nullptr) digest_ = row->hash;
    }
    encapsulated_.emplace(reader_);
}

const Algorithm& AuthenticatedDataReader::mac() const {
    if (mac_ == nullptr) throw unsupported(mac_name_);
    return *mac_;
}

std::optional<Hash> AuthenticatedDataReader::digest() const {
    if (!digest_name_.empty() && !digest_) throw unsupported(digest_name_);
    return digest_;
}

void AuthenticatedDataReader::finish() {
    encapsulated_->finish();
    if (reader_.next_is(tag::context(2, true)))
        attributes_ = asn1::attributes_der(reader_.element(kMaxAttributeBytes, "set of authenticated attributes"));
    if (attributes_.empty() != digest_name_.empty())
        throw Error(ErrorKind::malformed,
                    "malformed CMS: authenticated attributes without a digest algorithm, or one without them");
    code_ = read_octets(reader_, "message authentication code");
    skip_attributes(reader_, tag::context(3, true));
    reader_.leave();
}

ContentAuthentication::ContentAuthentication(const AuthenticatedDataReader& reader, const SecretBytes& key)
    : digest_(reader.digest()), mac_(*reader.mac().hash, key) {
    if (digest_) digests_.emplace(std::set<Hash>{*digest_});
}

void ContentAuthentication::push(ByteView content) {
    const ByteView front = content.first(std::min(content.size(), kContentPeek - first_bytes_.size()));
    first_bytes_.insert(first_bytes_.end(), front.begin(), front.end());
    digest_ ? digests_->push(content) : mac_.push(content);
}

bool ContentAuthentication::holds(const AuthenticatedDataReader& reader) {
    if (!digest_) {
        // As with signatures: the code over the attributes of another message must not pass for one over content.
        if (reader.content_type() != oid::kData || looks_like_attributes(first_bytes_)) return false;
        return mac_.matches(reader.code());
    }
    const asn1::AttributesHandle set = asn1::decode_attributes(reader.attributes());
    Attributes attributes(set.get());
    const ASN1_TYPE* type = attributes.find(oid::kContentType);
    const ASN1_TYPE* digest = attributes.find(oid::kMessageDigest);
    if (attributes.ambiguous() || type == nullptr || type->type != V_ASN1_OBJECT ||
        oid_text(type->value.object) != reader.content_type() || digest == nullptr ||
        digest->type != V_ASN1_OCTET_STRING ||
        !std::ranges::equal(asn1::octets(digest->value.octet_string), *digests_->value(*digest_)))
        return false;
    mac_.push(reader.attributes());
    return mac_.matches(reader.code());
}

}  // namespace p11mime::cms
