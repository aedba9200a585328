#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cms/digests.h"
#include "cms/identifiers.h"
#include "cms/sign_scheme.h"
#include "softhsm-tests/support/software_key.h"

/// CMS built value by value, with whatever an attacker would put there. Of SignedData, keys are on P-256 and digests
/// SHA-256.
namespace p11mime::test::craft {

using namespace p11mime::cms;

/// content_info is the DER of a ContentInfo around a structure.
inline std::string content_info(std::string_view type, ByteView structure) {
    return std::string(
        text_of(der_value(tag::kSequence, {der_oid(type), der_value(tag::context(0, true), structure)})));
}

/// encapsulated is an EncapsulatedContentInfo.
inline Bytes encapsulated(std::string_view type, ByteView content) {
    return der_value(tag::kSequence,
                     {der_oid(type), der_value(tag::context(0, true), der_value(tag::kOctetString, content))});
}

/// compressed_data is a CompressedData.
inline Bytes compressed_data(ByteView content, std::string_view type = oid::kData,
                             std::string_view algorithm = "1.2.840.113549.1.9.16.3.8") {
    return der_value(tag::kSequence, {der_integer(0), der_algorithm(algorithm), encapsulated(type, content)});
}

inline Bytes attribute(std::string_view oid, std::vector<Bytes> values) {
    return der_value(tag::kSequence, {der_oid(oid), der_set_of(tag::kSet, std::move(values))});
}

inline Bytes content_type(std::string_view type = oid::kData) {
    return attribute(oid::kContentType, {der_oid(type)});
}

inline Bytes message_digest(std::string_view content, Hash hash = Hash::sha256) {
    return attribute(oid::kMessageDigest, {der_value(tag::kOctetString, digest_of(hash, bytes_of(content)))});
}

inline Bytes signing_certificate_v2(const Certificate& certificate) {
    const Bytes hash = der_value(tag::kOctetString, digest_of(Hash::sha256, certificate.der()));
    return attribute(oid::kSigningCertificateV2,
                     {der_value(tag::kSequence, der_value(tag::kSequence, der_value(tag::kSequence, hash)))});
}

/// Info is a SignerInfo that signs attributes; without any, `content`.
struct Info {
    const SoftwareKey& key;
    std::optional<std::vector<Bytes>> attributes;
    std::string_view content;
    SignScheme scheme = Ecdsa{Hash::sha256};
    Bytes digest_algorithm = {};     ///< empty: the scheme's
    Bytes signature_algorithm = {};  ///< empty: the scheme's
    std::vector<Bytes> unsigned_attributes = {};
    std::function<Bytes(ByteView signature)> unsigned_over = {};  ///< one more unsigned attribute
    bool by_key = false;                                          ///< names the signer by the identifier of the key
};

inline Bytes signer_info(Info info) {
    Bytes set = info.attributes ? der_set_of(tag::kSet, std::move(*info.attributes)) : Bytes{};
    const ByteView message = set.empty() ? bytes_of(info.content) : ByteView(set);
    const Bytes signature = sign_with(info.key.key.get(), info.scheme, message);
    if (!set.empty()) set.front() = tag::context(0, true);
    if (info.digest_algorithm.empty()) info.digest_algorithm = digest_identifier(scheme_hash(info.scheme));
    if (info.signature_algorithm.empty()) info.signature_algorithm = signer_info_algorithm(info.scheme);
    if (info.unsigned_over) info.unsigned_attributes.push_back(info.unsigned_over(signature));
    const Bytes after = info.unsigned_attributes.empty()
                            ? Bytes{}
                            : der_set_of(tag::context(1, true), std::move(info.unsigned_attributes));
    const Certificate& certificate = info.key.certificate;
    const Bytes identifier = info.by_key
                                 ? der_value(tag::context(0, false), certificate.subject_key_identifier().value())
                                 : issuer_and_serial(certificate);
    return der_value(tag::kSequence, {der_integer(info.by_key ? 3 : 1), identifier, info.digest_algorithm, set,
                                      info.signature_algorithm, der_value(tag::kOctetString, signature), after});
}

inline Bytes signer_info(const SoftwareKey& key, std::optional<std::vector<Bytes>> attributes,
                         std::string_view content) {
    return signer_info({.key = key, .attributes = std::move(attributes), .content = content});
}

inline std::vector<Bytes> usual_attributes(std::string_view content, Hash hash = Hash::sha256) {
    return {content_type(), message_digest(content, hash)};
}

struct Signed {
    std::optional<std::string_view> content;  ///< nothing: detached
    std::vector<Bytes> signer_infos;
    std::vector<Certificate> certificates;
    std::string_view type = oid::kData;
    std::vector<Bytes> more_certificates = {};  ///< other forms of CertificateChoices
    std::vector<Bytes> revocation_infos = {};
};

/// signed_data is the DER of a ContentInfo.
inline std::string signed_data(const Signed& from) {
    const Bytes content =
        from.content ? encapsulated(from.type, bytes_of(*from.content)) : der_value(tag::kSequence, der_oid(from.type));
    std::vector<Bytes> certificates;
    for (const Certificate& each : from.certificates)
        certificates.push_back(each.der());
    certificates.insert(certificates.end(), from.more_certificates.begin(), from.more_certificates.end());
    const Bytes crls =
        from.revocation_infos.empty() ? Bytes{} : der_set_of(tag::context(1, true), from.revocation_infos);
    const Bytes digests = der_value(tag::kSet, der_algorithm(digest_algorithm(Hash::sha256).oid));
    const Bytes value = der_value(
        tag::kSequence, {der_integer(1), digests, content,
                         certificates.empty() ? Bytes{} : der_set_of(tag::context(0, true), std::move(certificates)),
                         crls, der_set_of(tag::kSet, from.signer_infos)});
    return content_info(oid::kSignedData, value);
}

}  // namespace p11mime::test::craft
