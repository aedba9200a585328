#include "cms/asn1.h"
#include "cms/digests.h"
#include "cms/identifiers.h"
#include "cms/signer_info.h"
#include "cms/smime/capabilities.h"
#include "cms/timestamp.h"

namespace p11mime::cms {

namespace {

Bytes attribute(std::string_view oid, ByteView value) {
    return der_value(tag::kSequence, {der_oid(oid), der_value(tag::kSet, value)});
}

// signing_time is UTCTime through 2049 and GeneralizedTime after (RFC 5652 section 11.3).
Bytes signing_time(Time time) {
    const Handle<ASN1_TIME, ASN1_TIME_free> value(ASN1_TIME_set(nullptr, time.time_since_epoch().count()));
    return encode(value.get(), i2d_ASN1_TIME);
}

// signing_certificate_v2 names the certificate by its SHA-256, the default hash (RFC 5035 section 3).
Bytes signing_certificate_v2(const Certificate& certificate) {
    const Bytes general_names = der_value(tag::kSequence, der_value(tag::context(4, true), certificate.issuer_der()));
    const Bytes issuer_serial = der_value(tag::kSequence, {general_names, certificate.serial_der()});
    const Bytes hash = der_value(tag::kOctetString, digest_of(Hash::sha256, certificate.der()));
    const Bytes ess_cert_id = der_value(tag::kSequence, {hash, issuer_serial});
    return der_value(tag::kSequence, der_value(tag::kSequence, ess_cert_id));
}

// encryption_key_preference is the choice issuerAndSerialNumber [0] (RFC 8551 section 2.5.3).
Bytes encryption_key_preference(const Certificate& certificate) {
    return der_value(tag::context(0, true), {certificate.issuer_der(), certificate.serial_der()});
}

}  // namespace

Bytes make_signer_info(Signer& signer, const SignScheme& scheme, const SignedAttributes& content,
                       const Intent& intent) {
    const Certificate& certificate = signer.certificate();
    std::vector<Bytes> attributes{
        attribute(oid::kContentType, der_oid(content.content_type)),
        attribute(oid::kSigningTime, signing_time(content.signing_time)),
        attribute(oid::kMessageDigest, der_value(tag::kOctetString, content.message_digest)),
        attribute(oid::kSmimeCapabilities, smime::own_capabilities(content.abilities)),
        attribute(oid::kSigningCertificateV2, signing_certificate_v2(certificate)),
    };
    if (content.encryption_certificate)
        attributes.push_back(
            attribute(oid::kEncryptionKeyPreference, encryption_key_preference(*content.encryption_certificate)));

    Bytes signed_attributes = der_set_of(tag::kSet, std::move(attributes));
    const Bytes signature = signer.sign(scheme, signed_attributes, intent, {});
    signed_attributes.front() = tag::context(0, true);
    Bytes unsigned_attributes;
    if (content.timestamps != nullptr)
        unsigned_attributes = der_value(tag::context(1, true),
                                        attribute(oid::kTimestampToken, get_timestamp(signature, *content.timestamps)));
    return der_value(
        tag::kSequence,
        {der_integer(1), issuer_and_serial(certificate), digest_identifier(scheme_hash(scheme)), signed_attributes,
         signer_info_algorithm(scheme), der_value(tag::kOctetString, signature), unsigned_attributes});
}

}  // namespace p11mime::cms
