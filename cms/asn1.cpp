#include "cms/asn1.h"

#include <openssl/asn1t.h>

#include "cms/der.h"

namespace p11mime::cms::asn1 {

// OpenSSL's template macros carry no semicolons, which clang-format cannot follow.
// clang-format off

DECLARE_ASN1_ITEM(Identifier)
ASN1_CHOICE(Identifier) = {
    ASN1_SIMPLE(Identifier, d.issuer_and_serial, PKCS7_ISSUER_AND_SERIAL),
    ASN1_IMP(Identifier, d.key_identifier, ASN1_OCTET_STRING, 0),
} ASN1_CHOICE_END(Identifier)

ASN1_SEQUENCE(SignerInfo) = {
    ASN1_SIMPLE(SignerInfo, version, ASN1_INTEGER),
    ASN1_SIMPLE(SignerInfo, sid, Identifier),
    ASN1_SIMPLE(SignerInfo, digest_algorithm, X509_ALGOR),
    ASN1_IMP_SET_OF_OPT(SignerInfo, signed_attributes, X509_ATTRIBUTE, 0),
    ASN1_SIMPLE(SignerInfo, signature_algorithm, X509_ALGOR),
    ASN1_SIMPLE(SignerInfo, signature, ASN1_OCTET_STRING),
    ASN1_IMP_SET_OF_OPT(SignerInfo, unsigned_attributes, X509_ATTRIBUTE, 1),
} ASN1_SEQUENCE_END(SignerInfo)

ASN1_SEQUENCE(KeyTransRecipientInfo) = {
    ASN1_SIMPLE(KeyTransRecipientInfo, version, ASN1_INTEGER),
    ASN1_SIMPLE(KeyTransRecipientInfo, rid, Identifier),
    ASN1_SIMPLE(KeyTransRecipientInfo, key_encryption_algorithm, X509_ALGOR),
    ASN1_SIMPLE(KeyTransRecipientInfo, encrypted_key, ASN1_OCTET_STRING),
} ASN1_SEQUENCE_END(KeyTransRecipientInfo)

DECLARE_ASN1_ITEM(OriginatorPublicKey)
ASN1_SEQUENCE(OriginatorPublicKey) = {
    ASN1_SIMPLE(OriginatorPublicKey, algorithm, X509_ALGOR),
    ASN1_SIMPLE(OriginatorPublicKey, public_key, ASN1_BIT_STRING),
} ASN1_SEQUENCE_END(OriginatorPublicKey)

DECLARE_ASN1_ITEM(Originator)
ASN1_CHOICE(Originator) = {
    ASN1_SIMPLE(Originator, d.issuer_and_serial, PKCS7_ISSUER_AND_SERIAL),
    ASN1_IMP(Originator, d.key_identifier, ASN1_OCTET_STRING, 0),
    ASN1_IMP(Originator, d.public_key, OriginatorPublicKey, 1),
} ASN1_CHOICE_END(Originator)

DECLARE_ASN1_ITEM(RecipientKeyIdentifier)
ASN1_SEQUENCE(RecipientKeyIdentifier) = {
    ASN1_SIMPLE(RecipientKeyIdentifier, key_identifier, ASN1_OCTET_STRING),
    ASN1_OPT(RecipientKeyIdentifier, date, ASN1_GENERALIZEDTIME),
    ASN1_OPT(RecipientKeyIdentifier, other, ASN1_ANY),
} ASN1_SEQUENCE_END(RecipientKeyIdentifier)

DECLARE_ASN1_ITEM(KeyAgreeRecipientIdentifier)
ASN1_CHOICE(KeyAgreeRecipientIdentifier) = {
    ASN1_SIMPLE(KeyAgreeRecipientIdentifier, d.issuer_and_serial, PKCS7_ISSUER_AND_SERIAL),
    ASN1_IMP(KeyAgreeRecipientIdentifier, d.key_identifier, RecipientKeyIdentifier, 0),
} ASN1_CHOICE_END(KeyAgreeRecipientIdentifier)

ASN1_SEQUENCE(RecipientEncryptedKey) = {
    ASN1_SIMPLE(RecipientEncryptedKey, rid, KeyAgreeRecipientIdentifier),
    ASN1_SIMPLE(RecipientEncryptedKey, encrypted_key, ASN1_OCTET_STRING),
} ASN1_SEQUENCE_END(RecipientEncryptedKey)

ASN1_SEQUENCE(KeyAgreeRecipientInfo) = {
    ASN1_SIMPLE(KeyAgreeRecipientInfo, version, ASN1_INTEGER),
    ASN1_EXP(KeyAgreeRecipientInfo, originator, Originator, 0),
    ASN1_EXP_OPT(KeyAgreeRecipientInfo, ukm, ASN1_OCTET_STRING, 1),
    ASN1_SIMPLE(KeyAgreeRecipientInfo, key_encryption_algorithm, X509_ALGOR),
    ASN1_SEQUENCE_OF(KeyAgreeRecipientInfo, recipient_encrypted_keys, ASN1_ANY),
} ASN1_SEQUENCE_END(KeyAgreeRecipientInfo)

ASN1_SEQUENCE(KekRecipientInfo) = {
    ASN1_SIMPLE(KekRecipientInfo, version, ASN1_INTEGER),
    ASN1_SIMPLE(KekRecipientInfo, kekid, RecipientKeyIdentifier),
    ASN1_SIMPLE(KekRecipientInfo, key_encryption_algorithm, X509_ALGOR),
    ASN1_SIMPLE(KekRecipientInfo, encrypted_key, ASN1_OCTET_STRING),
} ASN1_SEQUENCE_END(KekRecipientInfo)

ASN1_SEQUENCE(PasswordRecipientInfo) = {
    ASN1_SIMPLE(PasswordRecipientInfo, version, ASN1_INTEGER),
    ASN1_IMP_OPT(PasswordRecipientInfo, key_derivation_algorithm, X509_ALGOR, 0),
    ASN1_SIMPLE(PasswordRecipientInfo, key_encryption_algorithm, X509_ALGOR),
    ASN1_SIMPLE(PasswordRecipientInfo, encrypted_key, ASN1_OCTET_STRING),
} ASN1_SEQUENCE_END(PasswordRecipientInfo)

ASN1_SEQUENCE(OtherRecipientInfo) = {
    ASN1_SIMPLE(OtherRecipientInfo, type, ASN1_OBJECT),
    ASN1_OPT(OtherRecipientInfo, value, ASN1_ANY),
} ASN1_SEQUENCE_END(OtherRecipientInfo)

ASN1_SEQUENCE(GcmParameters) = {
    ASN1_SIMPLE(GcmParameters, nonce, ASN1_OCTET_STRING),
    ASN1_OPT(GcmParameters, icv_length, ASN1_INTEGER),
} ASN1_SEQUENCE_END(GcmParameters)

ASN1_SEQUENCE(Rc2Parameters) = {
    ASN1_SIMPLE(Rc2Parameters, version, ASN1_INTEGER),
    ASN1_SIMPLE(Rc2Parameters, iv, ASN1_OCTET_STRING),
} ASN1_SEQUENCE_END(Rc2Parameters)

ASN1_CHOICE(EncryptionKeyPreference) = {
    ASN1_IMP(EncryptionKeyPreference, d.issuer_and_serial, PKCS7_ISSUER_AND_SERIAL, 0),
    ASN1_IMP(EncryptionKeyPreference, d.recipient_key_id, RecipientKeyIdentifier, 1),
    ASN1_IMP(EncryptionKeyPreference, d.key_identifier, ASN1_OCTET_STRING, 2),
} ASN1_CHOICE_END(EncryptionKeyPreference)

DECLARE_ASN1_ITEM(EssCertId)
ASN1_SEQUENCE(EssCertId) = {
    ASN1_OPT(EssCertId, hash_algorithm, X509_ALGOR),
    ASN1_SIMPLE(EssCertId, hash, ASN1_OCTET_STRING),
    ASN1_OPT(EssCertId, issuer_serial, ASN1_ANY),
} ASN1_SEQUENCE_END(EssCertId)

ASN1_SEQUENCE(SigningCertificate) = {
    ASN1_SEQUENCE_OF(SigningCertificate, certificates, EssCertId),
    ASN1_OPT(SigningCertificate, policies, ASN1_ANY),
} ASN1_SEQUENCE_END(SigningCertificate)

ASN1_SEQUENCE(RevocationArchive) = {
    ASN1_EXP_SEQUENCE_OF_OPT(RevocationArchive, crls, ASN1_ANY, 0),
    ASN1_EXP_SEQUENCE_OF_OPT(RevocationArchive, ocsp, ASN1_ANY, 1),
    ASN1_EXP_OPT(RevocationArchive, other, ASN1_ANY, 2),
} ASN1_SEQUENCE_END(RevocationArchive)

DECLARE_ASN1_ITEM(VerificationForm)
ASN1_ITEM_TEMPLATE(VerificationForm) =
    ASN1_EX_TEMPLATE_TYPE(ASN1_TFLG_SEQUENCE_OF | ASN1_TFLG_IMPTAG | ASN1_TFLG_UNIVERSAL, V_ASN1_SET,
                          VerificationForm, X509_ATTRIBUTE)
ASN1_ITEM_TEMPLATE_END(VerificationForm)

IMPLEMENT_ASN1_FUNCTIONS(SignerInfo)
IMPLEMENT_ASN1_FUNCTIONS(SigningCertificate)
IMPLEMENT_ASN1_FUNCTIONS(KeyTransRecipientInfo)
IMPLEMENT_ASN1_FUNCTIONS(KeyAgreeRecipientInfo)
IMPLEMENT_ASN1_FUNCTIONS(RecipientEncryptedKey)
IMPLEMENT_ASN1_FUNCTIONS(KekRecipientInfo)
IMPLEMENT_ASN1_FUNCTIONS(PasswordRecipientInfo)
IMPLEMENT_ASN1_FUNCTIONS(OtherRecipientInfo)
IMPLEMENT_ASN1_FUNCTIONS(GcmParameters)
IMPLEMENT_ASN1_FUNCTIONS(Rc2Parameters)
IMPLEMENT_ASN1_FUNCTIONS(EncryptionKeyPreference)
IMPLEMENT_ASN1_FUNCTIONS(RevocationArchive)

    // clang-format on

namespace {
    Bytes verification_form(const STACK_OF(X509_ATTRIBUTE) * attributes) {
        return encode(attributes, [](const STACK_OF(X509_ATTRIBUTE) * value, Byte * *to) {
            return ASN1_item_i2d(reinterpret_cast<const ASN1_VALUE*>(value), to, ASN1_ITEM_rptr(VerificationForm));
        });
    }

}  // namespace

Bytes verification_form(const SignerInfo& signer) {
    return verification_form(signer.signed_attributes);
}

void free_attributes(STACK_OF(X509_ATTRIBUTE) * attributes) {
    ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(attributes), ASN1_ITEM_rptr(VerificationForm));
}

AttributesHandle decode_attributes(ByteView set) {
    return decode<AttributesHandle>(
        set,
        [](std::nullptr_t, const Byte** at, long size) {
            return reinterpret_cast<STACK_OF(X509_ATTRIBUTE)*>(
                ASN1_item_d2i(nullptr, at, size, ASN1_ITEM_rptr(VerificationForm)));
        },
        "malformed attributes");
}

Bytes attributes_der(Bytes implicit_set) {
    implicit_set.front() = tag::kSet;
    return verification_form(decode_attributes(implicit_set).get());
}

cms::RecipientIdentifier identifier(const PKCS7_ISSUER_AND_SERIAL& from) {
    return {.issuer_der = encode(from.issuer, i2d_X509_NAME),
            .serial_der = encode(from.serial, i2d_ASN1_INTEGER),
            .key_identifier = {}};
}

namespace {

cms::RecipientIdentifier key_identifier(const ASN1_OCTET_STRING* from) {
    return {.issuer_der = {}, .serial_der = {}, .key_identifier = to_bytes(octets(from))};
}

}  // namespace

cms::RecipientIdentifier identifier(const Identifier& from) {
    return from.type == Identifier::kIssuerAndSerial ? identifier(*from.d.issuer_and_serial)
                                                     : key_identifier(from.d.key_identifier);
}

cms::RecipientIdentifier identifier(const RecipientKeyIdentifier& from) {
    return key_identifier(from.key_identifier);
}

cms::RecipientIdentifier identifier(const KeyAgreeRecipientIdentifier& from) {
    return from.type == KeyAgreeRecipientIdentifier::kIssuerAndSerial ? identifier(*from.d.issuer_and_serial)
                                                                      : identifier(*from.d.key_identifier);
}

cms::RecipientIdentifier identifier(const EncryptionKeyPreference& from) {
    switch (from.type) {
        case EncryptionKeyPreference::kIssuerAndSerial:
            return identifier(*from.d.issuer_and_serial);
        case EncryptionKeyPreference::kRecipientKeyId:
            return identifier(*from.d.recipient_key_id);
        default:
            return key_identifier(from.d.key_identifier);
    }
}

}  // namespace p11mime::cms::asn1
