#pragma once

#include <openssl/asn1.h>
#include <openssl/asn1err.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include "cms/decrypter.h"
#include "cms/encode.h"
#include "cms/handle.h"
#include "mime/bytes.h"

/// The bounded values of CMS (RFC 5652, RFC 5753, RFC 5084, RFC 8551) as OpenSSL ASN.1 templates. The structures around
/// them, which hold content of any size, are read and written as streams instead (ber_reader.h, der.h).
namespace p11mime::cms::asn1 {

/// SignerIdentifier and RecipientIdentifier (RFC 5652 sections 5.3 and 6.2.1) are the same choice.
struct Identifier {
    enum { kIssuerAndSerial, kKeyIdentifier };
    int type;
    union {
        PKCS7_ISSUER_AND_SERIAL* issuer_and_serial;
        ASN1_OCTET_STRING* key_identifier;
    } d;
};

struct SignerInfo {
    ASN1_INTEGER* version;
    Identifier* sid;
    X509_ALGOR* digest_algorithm;
    STACK_OF(X509_ATTRIBUTE) * signed_attributes;
    X509_ALGOR* signature_algorithm;
    ASN1_OCTET_STRING* signature;
    STACK_OF(X509_ATTRIBUTE) * unsigned_attributes;
};

struct KeyTransRecipientInfo {
    ASN1_INTEGER* version;
    Identifier* rid;
    X509_ALGOR* key_encryption_algorithm;
    ASN1_OCTET_STRING* encrypted_key;
};

struct OriginatorPublicKey {
    X509_ALGOR* algorithm;
    ASN1_BIT_STRING* public_key;
};

struct Originator {
    enum { kIssuerAndSerial, kKeyIdentifier, kPublicKey };
    int type;
    union {
        PKCS7_ISSUER_AND_SERIAL* issuer_and_serial;
        ASN1_OCTET_STRING* key_identifier;
        OriginatorPublicKey* public_key;
    } d;
};

/// RecipientKeyIdentifier (RFC 5652 section 6.2.2).
struct RecipientKeyIdentifier {
    ASN1_OCTET_STRING* key_identifier;
    ASN1_GENERALIZEDTIME* date;
    ASN1_TYPE* other;
};

struct KeyAgreeRecipientIdentifier {
    enum { kIssuerAndSerial, kKeyIdentifier };
    int type;
    union {
        PKCS7_ISSUER_AND_SERIAL* issuer_and_serial;
        RecipientKeyIdentifier* key_identifier;
    } d;
};

struct RecipientEncryptedKey {
    KeyAgreeRecipientIdentifier* rid;
    ASN1_OCTET_STRING* encrypted_key;
};

/// KeyAgreeRecipientInfo (RFC 5652 section 6.2.2); each of the keys is a RecipientEncryptedKey, decoded by itself.
struct KeyAgreeRecipientInfo {
    ASN1_INTEGER* version;
    Originator* originator;
    ASN1_OCTET_STRING* ukm;
    X509_ALGOR* key_encryption_algorithm;
    STACK_OF(ASN1_TYPE) * recipient_encrypted_keys;
};

/// KekRecipientInfo (RFC 5652 section 6.2.3); KEKIdentifier has the shape of RecipientKeyIdentifier.
struct KekRecipientInfo {
    ASN1_INTEGER* version;
    RecipientKeyIdentifier* kekid;
    X509_ALGOR* key_encryption_algorithm;
    ASN1_OCTET_STRING* encrypted_key;
};

/// PasswordRecipientInfo (RFC 5652 section 6.2.4).
struct PasswordRecipientInfo {
    ASN1_INTEGER* version;
    X509_ALGOR* key_derivation_algorithm;
    X509_ALGOR* key_encryption_algorithm;
    ASN1_OCTET_STRING* encrypted_key;
};

/// OtherRecipientInfo (RFC 5652 section 6.2.5); `value` is null where the type goes without.
struct OtherRecipientInfo {
    ASN1_OBJECT* type;
    ASN1_TYPE* value;
};

/// GcmParameters (RFC 5084 section 3.2); icv_length absent means 12.
struct GcmParameters {
    ASN1_OCTET_STRING* nonce;
    ASN1_INTEGER* icv_length;
};

/// Rc2Parameters is RC2CBCParameter (RFC 3370 section 5.2).
struct Rc2Parameters {
    ASN1_INTEGER* version;
    ASN1_OCTET_STRING* iv;
};

/// EncryptionKeyPreference is SMIMEEncryptionKeyPreference (RFC 8551 section 2.5.3).
struct EncryptionKeyPreference {
    enum { kIssuerAndSerial, kRecipientKeyId, kKeyIdentifier };
    int type;
    union {
        PKCS7_ISSUER_AND_SERIAL* issuer_and_serial;
        RecipientKeyIdentifier* recipient_key_id;
        ASN1_OCTET_STRING* key_identifier;
    } d;
};

/// SigningCertificate is ESS SigningCertificate and SigningCertificateV2 (RFC 5035): they differ in the hash, which is
/// optional.
struct EssCertId {
    X509_ALGOR* hash_algorithm;
    ASN1_OCTET_STRING* hash;
    ASN1_TYPE* issuer_serial;
};
DEFINE_STACK_OF(EssCertId)

struct SigningCertificate {
    STACK_OF(EssCertId) * certificates;
    ASN1_TYPE* policies;
};

/// RevocationArchive is Adobe's RevocationInfoArchival (ISO 32000-1 section 12.8.3.3.2).
struct RevocationArchive {
    STACK_OF(ASN1_TYPE) * crls;
    STACK_OF(ASN1_TYPE) * ocsp;
    ASN1_TYPE* other;
};

DECLARE_ASN1_FUNCTIONS(SignerInfo)
DECLARE_ASN1_FUNCTIONS(SigningCertificate)
DECLARE_ASN1_FUNCTIONS(KeyTransRecipientInfo)
DECLARE_ASN1_FUNCTIONS(KeyAgreeRecipientInfo)
DECLARE_ASN1_FUNCTIONS(RecipientEncryptedKey)
DECLARE_ASN1_FUNCTIONS(KekRecipientInfo)
DECLARE_ASN1_FUNCTIONS(PasswordRecipientInfo)
DECLARE_ASN1_FUNCTIONS(OtherRecipientInfo)
DECLARE_ASN1_FUNCTIONS(GcmParameters)
DECLARE_ASN1_FUNCTIONS(Rc2Parameters)
DECLARE_ASN1_FUNCTIONS(EncryptionKeyPreference)
DECLARE_ASN1_FUNCTIONS(RevocationArchive)

using SignerInfoHandle = Handle<SignerInfo, SignerInfo_free>;
using KeyTransHandle = Handle<KeyTransRecipientInfo, KeyTransRecipientInfo_free>;
using KeyAgreeHandle = Handle<KeyAgreeRecipientInfo, KeyAgreeRecipientInfo_free>;
using RecipientEncryptedKeyHandle = Handle<RecipientEncryptedKey, RecipientEncryptedKey_free>;
using KekHandle = Handle<KekRecipientInfo, KekRecipientInfo_free>;
using PasswordHandle = Handle<PasswordRecipientInfo, PasswordRecipientInfo_free>;
using OtherRecipientHandle = Handle<OtherRecipientInfo, OtherRecipientInfo_free>;
using GcmParametersHandle = Handle<GcmParameters, GcmParameters_free>;
using Rc2ParametersHandle = Handle<Rc2Parameters, Rc2Parameters_free>;
using EncryptionKeyPreferenceHandle = Handle<EncryptionKeyPreference, EncryptionKeyPreference_free>;
using SigningCertificateHandle = Handle<SigningCertificate, SigningCertificate_free>;
using RevocationArchiveHandle = Handle<RevocationArchive, RevocationArchive_free>;
using AlgorithmHandle = Handle<X509_ALGOR, X509_ALGOR_free>;

/// decode_known parses one value with its d2i function; it must fill `der`. Null where a CHOICE in it is none of those
/// known, which is an extension. Throws Error(malformed) naming `what`.
template <class H, class D2i>
H decode_known(ByteView der, D2i d2i, const char* what) {
    ERR_clear_error();
    const Byte* at = der.data();
    H value(d2i(nullptr, &at, static_cast<long>(der.size())));
    const bool unknown = !value && ERR_GET_REASON(ERR_peek_error()) == ASN1_R_NO_MATCHING_CHOICE_TYPE;
    require(unknown || (value && at == der.data() + der.size()), what);
    ERR_clear_error();
    return value;
}

/// decode is decode_known() where every CHOICE must be known.
template <class H, class D2i>
H decode(ByteView der, D2i d2i, const char* what) {
    H value = decode_known<H>(der, d2i, what);
    if (!value) throw Error(ErrorKind::malformed, std::string(what) + ": no known choice");
    return value;
}

/// octets views the content of a string type.
inline ByteView octets(const ASN1_STRING* string) {
    return {ASN1_STRING_get0_data(string), static_cast<std::size_t>(ASN1_STRING_length(string))};
}

/// sequence_parameters views the parameters of an algorithm where they are a SEQUENCE; empty where they are not.
inline ByteView sequence_parameters(const X509_ALGOR* algorithm) {
    if (algorithm->parameter == nullptr || algorithm->parameter->type != V_ASN1_SEQUENCE) return {};
    return octets(algorithm->parameter->value.sequence);
}

/// algorithm_parameter reads the AlgorithmIdentifier that is the parameters of another, as those of key wraps, masks
/// and digests are. Throws Error(malformed) naming `what`.
inline AlgorithmHandle algorithm_parameter(const X509_ALGOR* algorithm, const char* what) {
    return decode<AlgorithmHandle>(sequence_parameters(algorithm), d2i_X509_ALGOR, what);
}

/// verification_form is the DER that the signature over signed attributes covers (RFC 5652 section 5.4): the SET OF in
/// the order in which it came, so that signers who did not sort still verify.
Bytes verification_form(const SignerInfo& signer);

void free_attributes(STACK_OF(X509_ATTRIBUTE) * attributes);
using AttributesHandle = Handle<STACK_OF(X509_ATTRIBUTE), free_attributes>;

/// decode_attributes parses a SET OF Attribute. Throws Error(malformed).
AttributesHandle decode_attributes(ByteView set);

/// attributes_der is the DER of a SET OF Attribute that is there under an implicit tag, in the order in which it came.
Bytes attributes_der(Bytes implicit_set);

/// identifier turns the choices above into the value that keys and certificates are matched with.
cms::RecipientIdentifier identifier(const Identifier& from);
cms::RecipientIdentifier identifier(const KeyAgreeRecipientIdentifier& from);
cms::RecipientIdentifier identifier(const RecipientKeyIdentifier& from);
cms::RecipientIdentifier identifier(const PKCS7_ISSUER_AND_SERIAL& from);
cms::RecipientIdentifier identifier(const EncryptionKeyPreference& from);

}  // namespace p11mime::cms::asn1
