#include "cms/certificate.h"

#include <fmt/format.h>
#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "cms/asn1.h"
#include "cms/digests.h"
#include "cms/encode.h"
#include "cms/openssl_error.h"
#include "cms/pem.h"
#include "mime/address.h"
#include "mime/header.h"
#include "mime/hex.h"

namespace p11mime::cms {

namespace {

using CmsHandle = Handle<CMS_ContentInfo, CMS_ContentInfo_free>;

void free_certificates(STACK_OF(X509) * stack) {
    sk_X509_pop_free(stack, X509_free);
}
using CertificateStack = Handle<STACK_OF(X509), free_certificates>;
using GeneralNamesHandle = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;
using IntegerHandle = Handle<ASN1_INTEGER, ASN1_INTEGER_free>;

BioHandle read_bio(ByteView bytes) {
    BioHandle bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
    if (!bio) throw std::bad_alloc();
    return bio;
}

std::string bio_text(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

// pem_content is the bytes inside the first PEM armour, or nothing.
Bytes pem_content(ByteView bytes) {
    const BioHandle bio = read_bio(bytes);
    char* name = nullptr;
    char* header = nullptr;
    Byte* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) return {};
    Bytes content(data, data + size);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    return content;
}

// plain_mailbox refuses what could be read as another address than it is: NUL and other control characters, and what
// is read as one in a header field alone ("x"<alice@example.org>@example.com).
bool plain_mailbox(std::string_view text) {
    return mime::normal_mailbox(text) &&
           std::all_of(text.begin(), text.end(), [](char c) { return static_cast<Byte>(c) > 0x20 && c != 0x7f; });
}

void add_mailbox(std::vector<std::string>& mailboxes, const ASN1_STRING* string) {
    const std::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                                static_cast<std::size_t>(ASN1_STRING_length(string)));
    if (!plain_mailbox(text)) return;
    if (std::find(mailboxes.begin(), mailboxes.end(), text) == mailboxes.end()) mailboxes.emplace_back(text);
}

std::vector<Certificate> from_stack(CertificateStack stack) {
    std::vector<Certificate> certificates;
    for (int i = 0; stack && i < sk_X509_num(stack.get()); ++i) {
        X509* x509 = sk_X509_value(stack.get(), i);
        X509_up_ref(x509);
        certificates.emplace_back(X509Handle(x509));
    }
    return certificates;
}

std::vector<Certificate> from_bundle(CmsHandle bundle) {
    if (!bundle || OBJ_obj2nid(CMS_get0_type(bundle.get())) != NID_pkcs7_signed) return {};
    return from_stack(CertificateStack(CMS_get1_certs(bundle.get())));
}

}  // namespace

bool same_name_and_key(const Certificate& a, const Certificate& b) {
    const EVP_PKEY* key = X509_get0_pubkey(a.get());
    const EVP_PKEY* other = X509_get0_pubkey(b.get());
    const bool same = X509_NAME_cmp(X509_get_subject_name(a.get()), X509_get_subject_name(b.get())) == 0 &&
                      key != nullptr && other != nullptr && EVP_PKEY_eq(key, other) == 1;
    ERR_clear_error();
    return same;
}

Bytes key_identifier(ByteView spki_der) {
    const auto key =
        asn1::decode<Handle<X509_PUBKEY, X509_PUBKEY_free>>(spki_der, d2i_X509_PUBKEY, "unusable public key");
    const Byte* bits = nullptr;
    int size = 0;
    X509_PUBKEY_get0_param(nullptr, &bits, &size, nullptr, key.get());
    return digest_of(Hash::sha1, {bits, static_cast<std::size_t>(size)});
}

std::string name_text(const X509_NAME* name) {
    constexpr int kMaxNameBytes = 2048;  // of DER; text takes three times as much, and long to make
    if (const int size = i2d_X509_NAME(name, nullptr); size > kMaxNameBytes)
        return fmt::format("a name of {} bytes", size);
    BioHandle bio(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~static_cast<unsigned long>(ASN1_STRFLGS_ESC_MSB));
    return bio_text(bio.get());
}

std::uint32_t name_hash(const X509_NAME* name) {
    return static_cast<std::uint32_t>(X509_NAME_hash_ex(name, nullptr, nullptr, nullptr));
}

std::uint32_t name_hash(ByteView name_der) {
    const Byte* at = name_der.data();
    const NameHandle name(d2i_X509_NAME(nullptr, &at, static_cast<long>(name_der.size())));
    ERR_clear_error();
    return name ? name_hash(name.get()) : 0;
}

Certificate Certificate::from_der(ByteView der) {
    const Byte* at = der.data();
    X509Handle x509(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    require(x509 && at == der.data() + der.size(), "not an X.509 certificate");
    return Certificate(std::move(x509));
}

std::vector<Certificate> Certificate::from_file_bytes(ByteView bytes) {
    require(!bytes.empty(), "there is nothing in it");
    std::vector<Certificate> certificates;
    const BioHandle pem = read_bio(bytes);
    while (X509Handle x509{PEM_read_bio_X509_AUX(pem.get(), nullptr, nullptr, nullptr)})
        certificates.emplace_back(std::move(x509));
    if (!certificates.empty()) {
        require_pem_end("a certificate is broken");
    } else {
        const Bytes armoured = pem_content(bytes);
        const BioHandle bundle = read_bio(armoured.empty() ? bytes : ByteView(armoured));
        certificates = from_bundle(CmsHandle(d2i_CMS_bio(bundle.get(), nullptr)));
    }
    ERR_clear_error();
    if (certificates.empty()) certificates.push_back(from_der(bytes));
    return certificates;
}

Bytes Certificate::der() const {
    return encode(get(), i2d_X509);
}

std::string Certificate::pem() const {
    BioHandle bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_X509(bio.get(), get()) == 1, "cannot write a certificate");
    return bio_text(bio.get());
}

std::string Certificate::subject() const {
    return name_text(X509_get_subject_name(get()));
}
std::string Certificate::issuer() const {
    return name_text(X509_get_issuer_name(get()));
}

std::string display_name(const Certificate& certificate) {
    const std::string subject = certificate.subject();
    return subject.empty() ? "serial " + certificate.serial_hex() : subject;
}

std::string Certificate::common_name() const {
    const X509_NAME* name = X509_get_subject_name(get());
    const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at < 0) return {};
    Byte* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (size < 0) return {};
    std::string result(reinterpret_cast<char*>(text), static_cast<std::size_t>(size));
    OPENSSL_free(text);
    return result;
}

Bytes Certificate::subject_der() const {
    return encode(X509_get_subject_name(get()), i2d_X509_NAME);
}
Bytes Certificate::issuer_der() const {
    return encode(X509_get_issuer_name(get()), i2d_X509_NAME);
}
Bytes Certificate::serial_der() const {
    return encode(X509_get0_serialNumber(get()), i2d_ASN1_INTEGER);
}

std::string Certificate::serial_hex() const {
    const BignumHandle number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(get()), nullptr));
    char* text = BN_bn2hex(number.get());
    std::string result = mime::ascii_lower(text);
    OPENSSL_free(text);
    return result;
}

std::string Certificate::fingerprint_sha256() const {
    Byte digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    require(X509_digest(get(), EVP_sha256(), digest, &size) == 1, "cannot digest a certificate");
    return hex({digest, size});
}

std::optional<Bytes> Certificate::subject_key_identifier() const {
    const ASN1_OCTET_STRING* identifier = X509_get0_subject_key_id(get());
    if (identifier == nullptr) return std::nullopt;
    const Byte* data = ASN1_STRING_get0_data(identifier);
    return Bytes(data, data + ASN1_STRING_length(identifier));
}

Bytes Certificate::spki_der() const {
    return encode(X509_get_X509_PUBKEY(get()), i2d_X509_PUBKEY);
}

std::vector<std::string> Certificate::emails() const {
    std::vector<std::string> mailboxes;
    bool alternatives = false;
    const GeneralNamesHandle names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(get(), NID_subject_alt_name, nullptr, nullptr)));
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
        const bool international = name->type == GEN_OTHERNAME &&
                                   OBJ_obj2nid(name->d.otherName->type_id) == NID_id_on_SmtpUTF8Mailbox &&
                                   name->d.otherName->value->type == V_ASN1_UTF8STRING;
        if (name->type == GEN_EMAIL) add_mailbox(mailboxes, name->d.rfc822Name);
        if (international) add_mailbox(mailboxes, name->d.otherName->value->value.utf8string);
        alternatives = alternatives || international || name->type == GEN_EMAIL;
    }
    if (alternatives) return mailboxes;
    const X509_NAME* subject = X509_get_subject_name(get());
    for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_pkcs9_emailAddress, at)) >= 0;)
        add_mailbox(mailboxes, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    return mailboxes;
}

bool Certificate::has_email(std::string_view mailbox) const {
    const auto mailboxes = emails();
    return std::any_of(mailboxes.begin(), mailboxes.end(),
                       [&](const std::string& own) { return mime::same_mailbox(own, mailbox); });
}

Time Certificate::not_before() const {
    return to_time(X509_get0_notBefore(get())).value_or(Time::max());
}
Time Certificate::not_after() const {
    return to_time(X509_get0_notAfter(get())).value_or(Time::min());
}
bool Certificate::valid_at(Time time) const {
    return not_before() <= time && time <= not_after();
}

bool Certificate::self_issued() const {
    return X509_NAME_cmp(X509_get_subject_name(get()), X509_get_issuer_name(get())) == 0;
}

bool Certificate::is_ca() const {
    return X509_check_ca(get()) != 0;
}

bool Certificate::allows_signing() const {
    return (X509_get_key_usage(get()) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) != 0;
}
bool Certificate::allows_key_transport() const {
    return (X509_get_key_usage(get()) & KU_KEY_ENCIPHERMENT) != 0;
}
bool Certificate::allows_key_agreement() const {
    return (X509_get_key_usage(get()) & KU_KEY_AGREEMENT) != 0;
}
bool Certificate::allows_encryption() const {
    if (is_rsa()) return allows_key_transport();
    return (is_ec() || is_xdh()) && allows_key_agreement();
}
bool Certificate::allows_email() const {
    return (X509_get_extended_key_usage(get()) & (XKU_SMIME | XKU_ANYEKU)) != 0;
}
bool Certificate::allows_timestamps() const {
    return (X509_get_extended_key_usage(get()) & (XKU_TIMESTAMP | XKU_ANYEKU)) != 0;
}

std::optional<Bytes> Certificate::smime_capabilities() const {
    const int at = X509_get_ext_by_NID(get(), NID_SMIMECapabilities, -1);
    if (at < 0) return std::nullopt;
    const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(X509_get_ext(get(), at));
    const Byte* data = ASN1_STRING_get0_data(value);
    return Bytes(data, data + ASN1_STRING_length(value));
}

KeyHandle Certificate::public_key() const {
    KeyHandle key(X509_get_pubkey(get()));
    require(key != nullptr, "unusable public key in a certificate");
    return key;
}

std::string Certificate::key_type() const {
    const KeyHandle key(X509_get_pubkey(get()));
    ERR_clear_error();
    return key ? key_description(key.get()) : "unknown";
}

bool Certificate::is_rsa() const {
    return EVP_PKEY_is_a(X509_get0_pubkey(get()), "RSA") == 1;
}
bool Certificate::is_ec() const {
    return EVP_PKEY_is_a(X509_get0_pubkey(get()), "EC") == 1;
}
bool Certificate::is_xdh() const {
    const EVP_PKEY* key = X509_get0_pubkey(get());
    return EVP_PKEY_is_a(key, "X25519") == 1 || EVP_PKEY_is_a(key, "X448") == 1;
}

std::string key_description(const EVP_PKEY* key) {
    if (EVP_PKEY_is_a(key, "RSA")) return fmt::format("RSA-{}", EVP_PKEY_get_bits(key));
    if (EVP_PKEY_is_a(key, "DSA")) return fmt::format("DSA-{}", EVP_PKEY_get_bits(key));
    if (EVP_PKEY_is_a(key, "EC")) {
        char group[64] = "";
        EVP_PKEY_get_group_name(key, group, sizeof group, nullptr);
        const char* nist = EC_curve_nid2nist(OBJ_sn2nid(group));
        return nist == nullptr ? group : nist;
    }
    if (EVP_PKEY_is_a(key, "ED25519")) return "Ed25519";
    if (EVP_PKEY_is_a(key, "ED448")) return "Ed448";
    const char* type = EVP_PKEY_get0_type_name(key);
    return type == nullptr ? "unknown" : type;
}

}  // namespace p11mime::cms
