#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "cms/decrypter.h"
#include "cms/sign_scheme.h"

namespace p11mime::cms {

/// Profile is what a certificate for e-mail is for.
enum class Profile { sign, encrypt, both };

/// CertificateSubject is whom a certificate is for, and what it tells of their key. Empty parts are left out.
struct CertificateSubject {
    std::string common_name;
    std::string organization;
    std::string country;  ///< two letters
    std::vector<std::string> emails;
    Abilities abilities{};            ///< of the key, announced to those who encrypt to it
    Profile profile = Profile::both;  ///< as far as the key can
};

/// certificate_request is the DER of a PKCS#10 request (RFC 2986) with the e-mail addresses in subjectAltName, signed
/// by the key of `spki_der`. Throws Error(usage) where the key cannot do what the profile is for.
Bytes certificate_request(const Bytes& spki_der, const CertificateSubject& subject, Signer& signer,
                          const SignScheme& scheme);

/// self_signed is an end-entity certificate for e-mail, for trying things out.
Certificate self_signed(const Bytes& spki_der, const CertificateSubject& subject, Signer& signer,
                        const SignScheme& scheme, Time from, std::chrono::days lifetime);

/// pem armours DER, e.g. with the label "CERTIFICATE REQUEST".
std::string pem(ByteView der, std::string_view label);

}  // namespace p11mime::cms
