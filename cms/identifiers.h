#pragma once

#include <string_view>

#include "cms/certificate.h"
#include "cms/der.h"

namespace p11mime::cms {

/// The object identifiers that are no algorithms.
namespace oid {
inline constexpr std::string_view kData = "1.2.840.113549.1.7.1";
inline constexpr std::string_view kSignedData = "1.2.840.113549.1.7.2";
inline constexpr std::string_view kEnvelopedData = "1.2.840.113549.1.7.3";
inline constexpr std::string_view kDigestedData = "1.2.840.113549.1.7.5";
inline constexpr std::string_view kEncryptedData = "1.2.840.113549.1.7.6";
inline constexpr std::string_view kAuthenticatedData = "1.2.840.113549.1.9.16.1.2";
inline constexpr std::string_view kCompressedData = "1.2.840.113549.1.9.16.1.9";
inline constexpr std::string_view kAuthEnvelopedData = "1.2.840.113549.1.9.16.1.23";

inline constexpr std::string_view kContentType = "1.2.840.113549.1.9.3";
inline constexpr std::string_view kMessageDigest = "1.2.840.113549.1.9.4";
inline constexpr std::string_view kSigningTime = "1.2.840.113549.1.9.5";
inline constexpr std::string_view kSmimeCapabilities = "1.2.840.113549.1.9.15";
inline constexpr std::string_view kSigningCertificate = "1.2.840.113549.1.9.16.2.12";
inline constexpr std::string_view kSigningCertificateV2 = "1.2.840.113549.1.9.16.2.47";
inline constexpr std::string_view kEncryptionKeyPreference = "1.2.840.113549.1.9.16.2.11";
inline constexpr std::string_view kCountersignature = "1.2.840.113549.1.9.6";
inline constexpr std::string_view kReceiptRequest = "1.2.840.113549.1.9.16.2.1";
inline constexpr std::string_view kSecurityLabel = "1.2.840.113549.1.9.16.2.2";
inline constexpr std::string_view kMlExpansionHistory = "1.2.840.113549.1.9.16.2.3";
inline constexpr std::string_view kContentHints = "1.2.840.113549.1.9.16.2.4";
inline constexpr std::string_view kContentIdentifier = "1.2.840.113549.1.9.16.2.7";
inline constexpr std::string_view kEquivalentLabels = "1.2.840.113549.1.9.16.2.9";
inline constexpr std::string_view kContentReference = "1.2.840.113549.1.9.16.2.10";
inline constexpr std::string_view kTimestampToken = "1.2.840.113549.1.9.16.2.14";
inline constexpr std::string_view kRevocationInfoArchival = "1.2.840.113583.1.1.8";  ///< Adobe's
inline constexpr std::string_view kTstInfo = "1.2.840.113549.1.9.16.1.4";

inline constexpr std::string_view kOcspResponse = "1.3.6.1.5.5.7.16.2";  ///< id-ri-ocsp-response (RFC 5940)
inline constexpr std::string_view kPSpecified = "1.2.840.113549.1.1.9";  ///< RSAES-OAEP's label (RFC 4055 section 4.1)
inline constexpr std::string_view kEcPublicKey = "1.2.840.10045.2.1";
inline constexpr std::string_view kX25519 = "1.3.101.110";
inline constexpr std::string_view kX448 = "1.3.101.111";
}  // namespace oid

/// issuer_and_serial is the DER of IssuerAndSerialNumber.
inline Bytes issuer_and_serial(const Certificate& certificate) {
    return der_value(tag::kSequence, {certificate.issuer_der(), certificate.serial_der()});
}

}  // namespace p11mime::cms
