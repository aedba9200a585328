#include "cms/signed_data.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include "cms/identifiers.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kMaxOidBytes = 128;
constexpr std::size_t kMaxVersionBytes = 16;

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

SignedDataReader::SignedDataReader(BerReader& reader) : reader_(reader), octets_(reader) {
    reader_.enter(tag::kSequence, "SignedData");
    reader_.element(tag::kInteger, kMaxVersionBytes, "version");
    reader_.enter(tag::kSet, "digestAlgorithms");
    while (!reader_.at_end()) {
        const Bytes der = reader_.element(tag::kSequence, kMaxElementBytes, "digest algorithm");
        const auto algorithm = asn1::decode<asn1::AlgorithmHandle>(der, d2i_X509_ALGOR, "malformed digest algorithm");
        const Algorithm* row = find_algorithm(AlgorithmKind::digest, algorithm.get());
        if (row != nullptr && row->hash) digests_.insert(*row->hash);
    }
    reader_.leave();

    reader_.enter(tag::kSequence, "encapsulated content");
    content_type_ = read_oid(reader_, "encapsulated content type");
    has_content_ = !reader_.at_end();
    if (!has_content_) return;
    reader_.enter(tag::context(0, true), "eContent");
    // PKCS#7 (RFC 2315) allows any type here; its SignedData over something else than an octet string is not S/MIME.
    reader_.begin_octets(tag::kOctetString, "octet string as content");
}

void SignedDataReader::finish() {
    if (has_content_) {
        if (!reader_.octets().empty()) throw Error(ErrorKind::malformed, "malformed CMS: content left unread");
        reader_.leave();
    }
    reader_.leave();
    if (reader_.next_is(tag::context(0, true))) read_certificates();
    if (reader_.next_is(tag::context(1, true))) read_revocation_infos();
    read_signers();
    reader_.leave();
}

void SignedDataReader::read_certificates() {
    reader_.enter(tag::context(0, true), "certificates");
    std::size_t total = 0;
    std::size_t count = 0;
    while (!reader_.at_end()) {
        const Bytes der = reader_.element(kMaxElementBytes, "certificate");
        total += der.size();
        if (total > kMaxCertificateBytes || ++count > kMaxCertificates)
            throw Error(ErrorKind::malformed, "malformed CMS: more certificates than the limit");
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
        if (!crl || !header.length || *header.length + header.size > room || crls_.size() == kMaxCrls) {
            reader_.skip();
            continue;
        }
        crls_.push_back(reader_.element(room, "CRL"));
        room -= crls_.back().size();
    }
    reader_.leave();
}

void SignedDataReader::read_signers() {
    reader_.enter(tag::kSet, "signerInfos");
    while (!reader_.at_end()) {
        if (signers_.size() == kMaxSigners)
            throw Error(ErrorKind::malformed, fmt::format("malformed CMS: more than {} signers", kMaxSigners));
        const Bytes der = reader_.element(tag::kSequence, kMaxElementBytes, "SignerInfo");
        signers_.push_back(asn1::decode<asn1::SignerInfoHandle>(der, asn1::d2i_SignerInfo, "malformed SignerInfo"));
    }
    reader_.leave();
}

}  // namespace p11mime::cms
