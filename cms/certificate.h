#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cms/handle.h"
#include "mime/bytes.h"

namespace p11mime::cms {

using Time = std::chrono::sys_seconds;

inline constexpr auto kClockSkew = std::chrono::minutes(5);  ///< that two honest clocks may differ

/// format_time gives RFC 3339 in UTC; parse_time reads RFC 3339 and returns nothing where it is none.
std::string format_time(Time time);
std::optional<Time> parse_time(std::string_view text);

/// to_time reads an ASN1_TIME (UTCTime or GeneralizedTime).
std::optional<Time> to_time(const ASN1_TIME* time);

/// Certificate is an X.509 certificate as a value; copies share it.
class Certificate {
  public:
    /// from_der parses one certificate. Throws Error(malformed).
    static Certificate from_der(ByteView der);
    /// from_file_bytes reads every certificate in PEM, DER or a certs-only PKCS#7 bundle. Throws Error(malformed) where
    /// there is none, or one is broken.
    static std::vector<Certificate> from_file_bytes(ByteView bytes);
    explicit Certificate(X509Handle x509) : x509_(std::move(x509)) {}

    X509* get() const { return x509_.get(); }
    Bytes der() const;
    std::string pem() const;

    std::string subject() const;                          ///< RFC 2253 form in UTF-8, e.g. "CN=Alice,O=Example"
    std::string common_name() const;                      ///< "" where there is none
    std::string issuer() const;                           ///< as subject()
    Bytes subject_der() const;                            ///< DER of the Name
    Bytes issuer_der() const;                             ///< DER of the Name
    Bytes serial_der() const;                             ///< DER of the INTEGER, as CKA_SERIAL_NUMBER has it
    std::string serial_hex() const;                       ///< lower case, no leading zeros beyond whole bytes
    std::string fingerprint_sha256() const;               ///< lower case hex
    std::optional<Bytes> subject_key_identifier() const;  ///< from the extension alone
    Bytes spki_der() const;                               ///< SubjectPublicKeyInfo

    /// emails is the subjectAltName rfc822Names and SmtpUTF8Mailboxes, without repeats; only where there are none, the
    /// subject's emailAddresses (RFC 8550 section 3): some CAs put what nobody checked there.
    std::vector<std::string> emails() const;
    bool has_email(std::string_view mailbox) const;

    Time not_before() const;
    Time not_after() const;
    bool valid_at(Time time) const;
    bool self_issued() const;
    bool is_ca() const;

    /// The key usage extension (RFC 8550 section 4.4.2); absent allows everything.
    bool allows_signing() const;        ///< digitalSignature or nonRepudiation
    bool allows_key_transport() const;  ///< keyEncipherment, for RSA
    bool allows_key_agreement() const;  ///< keyAgreement, for EC, X25519 and X448
    bool allows_encryption() const;     ///< whichever of the two fits the key
    bool allows_email() const;          ///< extended key usage absent, emailProtection or anyExtendedKeyUsage
    bool allows_timestamps() const;     ///< extended key usage absent, timeStamping or anyExtendedKeyUsage

    /// smime_capabilities is the DER of the SMIMECapabilities extension (RFC 4262), if there.
    std::optional<Bytes> smime_capabilities() const;

    /// public_key throws Error(malformed) where OpenSSL cannot use it.
    KeyHandle public_key() const;
    std::string key_type() const;  ///< "RSA-2048", "P-256", "Ed25519", …
    bool is_rsa() const;
    bool is_ec() const;
    bool is_xdh() const;  ///< X25519 or X448

    friend bool operator==(const Certificate& a, const Certificate& b) { return X509_cmp(a.get(), b.get()) == 0; }

  private:
    std::shared_ptr<X509> x509_;
};

/// display_name is the subject for people, or the serial number where there is none.
std::string display_name(const Certificate& certificate);

/// same_name_and_key says whether two certificates are of one holder: what one of them has signed, the other has.
bool same_name_and_key(const Certificate& a, const Certificate& b);

/// key_identifier is the SHA-1 of the bits of a public key (DER SubjectPublicKeyInfo), which most CAs take for the
/// subject key identifier (RFC 5280 section 4.2.1.2, method 1): an identifier, not a protection. Throws
/// Error(malformed).
Bytes key_identifier(ByteView spki_der);

/// name_text is a distinguished name in RFC 2253 form in UTF-8; of one that nobody could read, of over 2 KiB, its size.
std::string name_text(const X509_NAME* name);

/// name_hash is the same for names that are one as RFC 5280 section 7.1 compares them, however they are encoded, and
/// seldom for others: 32 bits, as openssl's -subject_hash.
std::uint32_t name_hash(const X509_NAME* name);
std::uint32_t name_hash(ByteView name_der);  ///< of bytes that are no name too

/// key_description names a kind of key for people: "RSA-2048", "P-256", "Ed25519", …
std::string key_description(const EVP_PKEY* key);

}  // namespace p11mime::cms
