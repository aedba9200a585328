#include "cms/certificate_request.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <bit>

#include "cms/asn1.h"
#include "cms/der.h"
#include "cms/identifiers.h"
#include "cms/smime/capabilities.h"
#include "mime/address.h"

namespace p11mime::cms {

namespace {

constexpr std::string_view kExtensionRequest = "1.2.840.113549.1.9.14";

void add_entry(X509_NAME* name, int nid, std::string_view value) {
    if (value.empty()) return;
    require(X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8, reinterpret_cast<const Byte*>(value.data()),
                                       static_cast<int>(value.size()), -1, 0) == 1,
            "unusable subject name", ErrorKind::usage);
}

Bytes subject_name(const CertificateSubject& subject) {
    const NameHandle name(X509_NAME_new());
    add_entry(name.get(), NID_countryName, subject.country);
    add_entry(name.get(), NID_organizationName, subject.organization);
    add_entry(name.get(), NID_commonName, subject.common_name);
    return encode(name.get(), i2d_X509_NAME);
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<Byte>(c) < 0x80; });
}

// general_name is rfc822Name or, beyond ASCII, SmtpUTF8Mailbox (RFC 9598).
Bytes general_name(const std::string& mailbox) {
    if (!mime::is_mailbox(mailbox))
        throw Error(ErrorKind::usage, "'" + mailbox + "' is not an e-mail address", "write it as local@domain");
    if (is_ascii(mailbox)) return der_value(tag::context(1, false), bytes_of(mailbox));
    const Bytes utf8 = der_value(0x0c, bytes_of(mailbox));
    return der_value(tag::context(0, true), {der_oid("1.3.6.1.5.5.7.8.9"), der_value(tag::context(0, true), utf8)});
}

Bytes extension(std::string_view oid, bool critical, ByteView value) {
    const Bytes yes{0x01, 0x01, 0xff};
    return der_value(tag::kSequence,
                     {der_oid(oid), critical ? ByteView(yes) : ByteView(), der_value(tag::kOctetString, value)});
}

Bytes subject_alternative_name(const CertificateSubject& subject) {
    Bytes names;
    for (const std::string& mailbox : subject.emails)
        names = concat({names, general_name(mailbox)});
    return extension("2.5.29.17", false, der_value(tag::kSequence, names));
}

// KeyUsage is a bit of the key usage extension (RFC 5280 section 4.2.1.3).
enum KeyUsage : Byte { kDigitalSignature = 0x80, kKeyEncipherment = 0x20, kKeyAgreement = 0x08 };

// usage_for_encryption is the one of keyEncipherment and keyAgreement that fits a key that signs so; 0 where none does.
Byte usage_for_encryption(const SignScheme& scheme) {
    if (std::holds_alternative<RsaPkcs1>(scheme)) return kKeyEncipherment;
    return std::holds_alternative<Ecdsa>(scheme) ? kKeyAgreement : 0;
}

Bytes key_usage(const SignScheme& scheme, Profile profile) {
    const Byte encryption = profile == Profile::sign ? 0 : usage_for_encryption(scheme);
    const Byte signing = profile == Profile::encrypt ? 0 : kDigitalSignature;
    const auto bits = static_cast<Byte>(signing | encryption);
    if (bits == 0)
        throw Error(ErrorKind::usage, "this kind of key signs only and cannot be encrypted to",
                    "an encryption certificate takes an RSA key or one on a NIST or brainpool curve");
    const auto unused = static_cast<Byte>(std::countr_zero(bits));
    return extension("2.5.29.15", true, Bytes{0x03, 0x02, unused, bits});
}

Bytes extended_key_usage() {
    return extension("2.5.29.37", false, der_value(tag::kSequence, der_oid("1.3.6.1.5.5.7.3.4")));
}

Bytes subject_key_identifier(const Bytes& spki_der) {
    return extension("2.5.29.14", false, der_value(tag::kOctetString, key_identifier(spki_der)));
}

Bytes extensions(const Bytes& spki_der, const CertificateSubject& subject, const SignScheme& scheme) {
    const Bytes not_a_ca = der_value(tag::kSequence, ByteView{});
    const Bytes capabilities =
        subject.profile == Profile::sign  // nobody encrypts to it
            ? Bytes{}
            : extension(oid::kSmimeCapabilities, false, smime::own_capabilities(subject.abilities));
    return der_value(tag::kSequence,
                     {extension("2.5.29.19", true, not_a_ca), key_usage(scheme, subject.profile), extended_key_usage(),
                      subject_key_identifier(spki_der), subject_alternative_name(subject), capabilities});
}

Bytes signed_by(Signer& signer, const SignScheme& scheme, const Bytes& to_be_signed, const char* what) {
    const Bytes signature = signer.sign(scheme, to_be_signed, {what}, {});
    const Byte unused_bits = 0;
    return der_value(tag::kSequence, {to_be_signed, certificate_algorithm(scheme),
                                      der_value(0x03, {ByteView(&unused_bits, 1), signature})});
}

Bytes random_serial() {
    Bytes serial(16);
    require(RAND_bytes(serial.data(), static_cast<int>(serial.size())) == 1, "no random numbers", ErrorKind::io);
    serial[0] = static_cast<Byte>((serial[0] & 0x7f) | 0x40);
    return der_value(tag::kInteger, serial);
}

Bytes time_der(Time time) {
    const Handle<ASN1_TIME, ASN1_TIME_free> value(ASN1_TIME_set(nullptr, time.time_since_epoch().count()));
    return encode(value.get(), i2d_ASN1_TIME);
}

void require_subject(const CertificateSubject& subject) {
    if (subject.emails.empty())
        throw Error(ErrorKind::usage, "a certificate for e-mail needs an e-mail address", "give one with --email");
}

}  // namespace

Bytes certificate_request(const Bytes& spki_der, const CertificateSubject& subject, Signer& signer,
                          const SignScheme& scheme) {
    require_subject(subject);
    const Bytes attribute = der_value(
        tag::kSequence, {der_oid(kExtensionRequest), der_value(tag::kSet, extensions(spki_der, subject, scheme))});
    const Bytes info = der_value(
        tag::kSequence, {der_integer(0), subject_name(subject), spki_der, der_value(tag::context(0, true), attribute)});
    return signed_by(signer, scheme, info, "sign a certificate request");
}

Certificate self_signed(const Bytes& spki_der, const CertificateSubject& subject, Signer& signer,
                        const SignScheme& scheme, Time from, std::chrono::days lifetime) {
    require_subject(subject);
    const Bytes name = subject_name(subject);
    const Bytes validity = der_value(tag::kSequence, {time_der(from), time_der(from + lifetime)});
    const Bytes to_be_signed =
        der_value(tag::kSequence, {der_value(tag::context(0, true), der_integer(2)), random_serial(),
                                   certificate_algorithm(scheme), name, validity, name, spki_der,
                                   der_value(tag::context(3, true), extensions(spki_der, subject, scheme))});
    return Certificate::from_der(signed_by(signer, scheme, to_be_signed, "sign a certificate"));
}

std::string pem(ByteView der, std::string_view label) {
    const BioHandle bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio(bio.get(), std::string(label).c_str(), "", der.data(), static_cast<long>(der.size())) > 0,
            "cannot write PEM");
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

}  // namespace p11mime::cms
