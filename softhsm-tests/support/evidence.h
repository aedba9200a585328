#pragma once

#include <optional>
#include <string>
#include <vector>

#include "softhsm-tests/support/software_key.h"

namespace p11mime::test {

/// kDay is one in minutes, as the times below are in.
inline constexpr int kDay = 24 * 60;

/// CrlSpec is what a CRL says. Times are in minutes from now.
struct CrlSpec {
    struct Entry {
        cms::Certificate certificate;
        int since = -60;
        std::string reason = {};  ///< as openssl names it: "keyCompromise"
        std::optional<int> invalid_since = {};
        bool names_issuer = false;   ///< has the certificate's issuer (certificateIssuer)
        bool odd = false;            ///< has a critical extension that nobody knows
        std::string extension = {};  ///< a line as openssl's x509v3_config has it
    };
    std::vector<Entry> entries = {};
    int number = 1;
    std::optional<int> base_number = {};  ///< of a delta CRL
    int this_update = -30;
    std::optional<int> next_update = kDay;
    std::string extensions = {};  ///< "name=value" lines as openssl's x509v3_config has them
    std::string sections = {};    ///< of openssl's configuration, that the extensions point to with "@name"
    std::string digest = "SHA256";
};
Bytes make_crl(const CrlSpec& spec, const SoftwareKey& issuer);

/// OcspSpec is what an OCSP response says of one certificate. Times are in minutes from now.
struct OcspSpec {
    enum class Status { good, revoked, unknown };
    Status status = Status::good;
    int since = -60;                        ///< of revoked
    int reason = 1;                         ///< likewise, a CRLReason; keyCompromise; -1: none
    std::optional<int> invalid_since = {};  ///< likewise, in a critical extension
    bool never_issued = false;              ///< of revoked: a hold since 1970 (RFC 6960 section 2.2)
    int this_update = -30;
    std::optional<int> next_update = kDay;
    std::optional<int> keeps_ended_since = {};  ///< archive cutoff
    Bytes request = {};                         ///< DER; its nonce is copied
    bool odd = false;                           ///< has a critical extension that nobody knows
    bool odd_single = false;                    ///< likewise, in the answer about the certificate
    std::string digest = "SHA256";
    std::string identifier_digest = "SHA1";
    bool with_certificate = true;  ///< of the responder
    int others = 0;                ///< answers about other certificates, before the one about the certificate
    int produced_at = 0;
    bool by_key = false;                        ///< names its responder by the key instead of the name
    std::vector<cms::Certificate> before = {};  ///< certificates that come before the responder's
};
Bytes make_ocsp(const OcspSpec& spec, const cms::Certificate& certificate, const cms::Certificate& issuer,
                const SoftwareKey& responder);

}  // namespace p11mime::test
