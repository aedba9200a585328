#include "cms/enveloped_data.h"

#include <fmt/format.h>

#include "cms/asn1.h"
#include "cms/signed_data.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kMaxVersionBytes = 16;
constexpr std::size_t kMaxTagBytes = 64;

std::vector<Bytes> read_recipient_values(BerReader& reader) {
    std::vector<Bytes> values;
    std::size_t total = 0;
    reader.enter(tag::kSet, "recipientInfos");
    while (!reader.at_end()) {
        values.push_back(reader.element(kMaxElementBytes, "RecipientInfo"));
        total += values.back().size();
        if (values.size() > kMaxRecipients || total > kMaxRecipientBytes)
            throw Error(ErrorKind::malformed, fmt::format("malformed CMS: more than {} recipients", kMaxRecipients));
    }
    reader.leave();
    return values;
}

}  // namespace

EnvelopedDataReader::EnvelopedDataReader(BerReader& reader, bool authenticated)
    : reader_(reader), octets_(reader), authenticated_(authenticated) {
    reader_.enter(tag::kSequence, authenticated ? "AuthEnvelopedData" : "EnvelopedData");
    reader_.element(tag::kInteger, kMaxVersionBytes, "version");
    if (reader_.next_is(tag::context(0, true))) {
        reader_.enter(tag::context(0, true), "originatorInfo");
        reader_.skip_to_end();
        reader_.leave();
    }
    const std::vector<Bytes> values = read_recipient_values(reader_);

    reader_.enter(tag::kSequence, "encryptedContentInfo");
    content_type_ = read_oid(reader_, "content type");
    const Bytes der = reader_.element(tag::kSequence, kMaxElementBytes, "content encryption algorithm");
    const auto identifier =
        asn1::decode<asn1::AlgorithmHandle>(der, d2i_X509_ALGOR, "malformed content encryption algorithm");
    cipher_name_ = algorithm_text(identifier.get());
    if (find_algorithm(AlgorithmKind::content_cipher, identifier.get()) != nullptr) {
        algorithm_ = read_content_encryption(identifier.get());
        cipher_name_ = algorithm_->cipher->name;
        if (algorithm_->cipher->authenticated != authenticated)
            throw Error(ErrorKind::malformed, fmt::format("malformed CMS: {} in {}", cipher_name_,
                                                          authenticated ? "AuthEnvelopedData" : "EnvelopedData"));
    }
    const std::size_t key_size = algorithm_ ? algorithm_->cipher->key_size : 0;
    for (const Bytes& value : values)
        for (RecipientEntry& entry : read_recipient_info(value, key_size)) {
            if (recipients_.size() == kMaxRecipients)
                throw Error(ErrorKind::malformed,
                            fmt::format("malformed CMS: more than {} recipients", kMaxRecipients));
            recipients_.push_back(std::move(entry));
        }
    reader_.begin_octets(tag::context(0, false), "encrypted content");
}

const ContentEncryptionAlgorithm& EnvelopedDataReader::algorithm() const {
    if (!algorithm_) throw Error(ErrorKind::malformed, fmt::format("unsupported algorithm {}", cipher_name_));
    return *algorithm_;
}

void EnvelopedDataReader::finish() {
    if (!reader_.octets().empty()) throw Error(ErrorKind::malformed, "malformed CMS: content left unread");
    reader_.leave();
    if (authenticated_) {
        if (reader_.next_is(tag::context(1, true)))
            associated_data_ = asn1::attributes_der(
                reader_.element(tag::context(1, true), kMaxAttributeBytes, "authenticated attributes"));
        const Bytes der = reader_.element(kMaxTagBytes, "message authentication code");
        const auto code = asn1::decode<Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>>(
            der, d2i_ASN1_OCTET_STRING, "malformed message authentication code");
        tag_ = to_bytes(asn1::octets(code.get()));
    }
    reader_.skip_to_end();  // unprotected and unauthenticated attributes
    reader_.leave();
}

}  // namespace p11mime::cms
