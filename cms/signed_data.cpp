#include "cms/signed_data.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include "cms/attributes.h"
#include "cms/identifiers.h"
#include "mime/limit.h"

namespace p11mime::cms {

namespace {

std::size_t attribute_count(const asn1::SignerInfo& signer) {
    std::size_t count = 0;
    for (const auto* attributes : {signer.signed_attributes, signer.unsigned_attributes})
        if (attributes != nullptr) count += static_cast<std::size_t>(sk_X509_ATTRIBUTE_num(attributes));
    return count;
}

// ocsp_response_in is the DER of the OCSPResponse in an OtherRevocationInfoFormat ([1] with the type and the value, RFC
// 5940 section 2.1); nothing for other types and what is malformed.
std::optional<Bytes> ocsp_response_in(Bytes info) {
    info.front() = tag::kSequence;
    try {
        const auto parsed =
            asn1::decode<asn1::OtherRecipientHandle>(info, asn1::d2i_OtherRecipientInfo, "malformed revocation info");
        if (oid_text(parsed->type) != oid::kOcspResponse || parsed->value == nullptr) return std::nullopt;
        return der_of(parsed->value, V_ASN1_SEQUENCE);
    } catch (const Error&) {
        ERR_clear_error();
        return std::nullopt;
    }
}

}  // namespace

SignedDataReader::SignedDataReader(BerReader& reader) : reader_(reader) {
    enter_structure(reader_, "SignedData");
    reader_.enter(tag::kSet, "digestAlgorithms");
    for (std::size_t count = 0; !reader_.at_end(); ++count) {
        if (count == kMaxDigestAlgorithms)
            throw LimitExceeded(fmt::format("malformed CMS: more than {} digest algorithms", kMaxDigestAlgorithms));
        const auto algorithm = read_algorithm(reader_, "digest algorithm");
        const Algorithm* row = find_algorithm(AlgorithmKind::digest, algorithm.get());
        if (row != nullptr && row->hash) digests_.insert(*row->hash);
    }
    reader_.leave();

    encapsulated_.emplace(reader_);
}

void SignedDataReader::finish() {
    encapsulated_->finish();
    if (reader_.next_is(tag::context(0, true))) read_certificates();
    if (reader_.next_is(tag::context(1, true))) read_revocation_infos();
    read_signers();
    reader_.leave();
}

void SignedDataReader::read_certificates() {
    reader_.enter(tag::context(0, true), "certificates");
    std::size_t count = 0;
    while (!reader_.at_end()) {
        const Bytes der = reader_.element(kMaxElementBytes, "certificate");
        certificate_bytes_ += der.size();
        if (certificate_bytes_ > kMaxCertificateBytes || ++count > kMaxCertificates)
            throw LimitExceeded("malformed CMS: more certificates than the limit");
        if (der.front() != tag::kSequence) {
            ++other_certificates_;
            continue;
        }
        try {
            certificates_.push_back(Certificate::from_der(der));
        } catch (const Error&) {
            ERR_clear_error();  // one that cannot be parsed is as good as one that is missing
            ++other_certificates_;
        }
    }
    reader_.leave();
}

void SignedDataReader::read_revocation_infos() {
    reader_.enter(tag::context(1, true), "crls");
    std::size_t room = kMaxCrlBytes;
    while (!reader_.at_end()) {
        const BerReader::Header header = reader_.next();
        const bool crl = header.identifier == tag::kSequence;
        ++(crl ? crl_count_ : other_revocation_infos_);
        const bool known = crl || header.identifier == tag::context(1, true);
        if (!known || !header.length || *header.length + header.size > room ||
            crls_.size() + ocsp_responses_.size() == kMaxCrls) {
            reader_.skip();
            continue;
        }
        Bytes info = reader_.element(room, "CRL");
        room -= info.size();
        if (crl)
            crls_.push_back(std::move(info));
        else if (auto response = ocsp_response_in(std::move(info)))
            ocsp_responses_.push_back(std::move(*response));
    }
    reader_.leave();
}

void SignedDataReader::read_signers() {
    std::size_t attributes = 0;
    reader_.enter(tag::kSet, "signerInfos");
    while (!reader_.at_end()) {
        if (signers_.size() == kMaxSigners)
            throw LimitExceeded(fmt::format("malformed CMS: more than {} signers", kMaxSigners));
        const Bytes der = reader_.element(tag::kSequence, kMaxSignerInfoBytes, "SignerInfo");
        signers_.push_back(asn1::decode<asn1::SignerInfoHandle>(der, asn1::d2i_SignerInfo, "malformed SignerInfo"));
        signer_bytes_ += der.size();
        attributes += attribute_count(*signers_.back());
        if (attributes > kMaxAttributes)
            throw LimitExceeded(fmt::format("malformed CMS: more than {} attributes of signers", kMaxAttributes));
        if (signer_bytes_ > kMaxSignerInfosBytes)
            throw LimitExceeded(fmt::format("malformed CMS: SignerInfos of more than {} bytes", kMaxSignerInfosBytes));
    }
    reader_.leave();
}

}  // namespace p11mime::cms
