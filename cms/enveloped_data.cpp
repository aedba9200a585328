#include "cms/enveloped_data.h"

#include <fmt/format.h>

#include "cms/content_info.h"

namespace p11mime::cms {

namespace {

const char* name(EncryptedKind kind) {
    switch (kind) {
        case EncryptedKind::enveloped:
            return "EnvelopedData";
        case EncryptedKind::auth_enveloped:
            return "AuthEnvelopedData";
        case EncryptedKind::encrypted:
            break;
    }
    return "EncryptedData";
}

}  // namespace

EnvelopedDataReader::EnvelopedDataReader(BerReader& reader, EncryptedKind kind)
    : reader_(reader), octets_(reader), kind_(kind) {
    enter_structure(reader_, name(kind_));
    std::optional<RecipientList> list;
    if (kind_ != EncryptedKind::encrypted) list.emplace(reader_);

    reader_.enter(tag::kSequence, "encryptedContentInfo");
    content_type_ = read_oid(reader_, "content type");
    const auto identifier = read_algorithm(reader_, "content encryption algorithm");
    cipher_name_ = algorithm_text(identifier.get());
    if (find_algorithm(AlgorithmKind::content_cipher, identifier.get()) != nullptr) {
        algorithm_ = read_content_encryption(identifier.get());
        cipher_name_ = algorithm_->cipher->name;
        if (algorithm_->cipher->authenticated != (kind_ == EncryptedKind::auth_enveloped))
            throw Error(ErrorKind::malformed, fmt::format("malformed CMS: {} in {}", cipher_name_, name(kind_)));
    }
    if (list) recipients_ = list->entries(algorithm_ ? std::optional(algorithm_->cipher->key_size) : std::nullopt);
    reader_.begin_octets(tag::context(0, false), "encrypted content");
}

const ContentEncryptionAlgorithm& EnvelopedDataReader::algorithm() const {
    if (!algorithm_) throw unsupported(cipher_name_);
    return *algorithm_;
}

void EnvelopedDataReader::finish() {
    if (!reader_.octets().empty()) throw Error(ErrorKind::malformed, "malformed CMS: content left unread");
    reader_.leave();
    const bool authenticated = kind_ == EncryptedKind::auth_enveloped;
    if (authenticated) {
        if (reader_.next_is(tag::context(1, true)))
            associated_data_ = asn1::attributes_der(
                reader_.element(tag::context(1, true), kMaxAttributeBytes, "set of authenticated attributes"));
        tag_ = read_octets(reader_, "message authentication code");
    }
    skip_attributes(reader_, tag::context(authenticated ? 2 : 1, true));
    reader_.leave();
}

}  // namespace p11mime::cms
