#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cms/certificate.h"

namespace p11mime::cms {

/// Purpose is what the certificates of a path are to be meant for; `timestamps` leaves the end certificate's own rule
/// (RFC 3161 section 2.3) to its caller.
enum class Purpose { email, timestamps, any };

/// Use is what the end certificate is judged for; `evidence` is to sign CRLs or OCSP responses, which need not be for
/// e-mail.
enum class Use { signing, encryption, evidence };

/// Fault is why a path does not hold.
struct Fault {
    /// Scope is what else it is a fault of.
    enum class Scope {
        certificate,  ///< every path through the certificate
        key,          ///< every path through any certificate of its key
        link,         ///< every path that has the certificate issued by the same one
        path,         ///< this path alone
    };

    std::string reason;  ///< one cause in plain words with the certificate concerned
    std::string hint;    ///< what could be done; may be empty
    Scope scope = Scope::path;
    std::size_t at = 0;  ///< index of the certificate in the path
};

/// issuer_key_fault finds an issuer with whose key nothing is to be verified along its path (key_fault).
std::optional<Fault> issuer_key_fault(const std::vector<Certificate>& chain);

/// path_fault finds where a path (end certificate first, of which the last is the anchor) breaks a rule that OpenSSL
/// does not hold it to: extensions that cannot be read or are critical and not processed, name constraints on
/// addresses, digests that are refused or in no table.
std::optional<Fault> path_fault(const std::vector<Certificate>& chain);

/// vouching_fault finds likewise what is against those above the end certificate having certified it: extensions that
/// cannot be read, digests of their own certificates, name constraints. What else a path has to hold tells nothing of
/// that.
std::optional<Fault> vouching_fault(const std::vector<Certificate>& chain);

/// purpose_fault finds what RFC 8550 section 4.4 does not allow of key usages, and an extended key usage along the path
/// that leaves the purpose out; OpenSSL's smimesign purpose is stricter than this. For time-stamps also an authority
/// that may certify some names alone.
std::optional<Fault> purpose_fault(const std::vector<Certificate>& chain, Purpose purpose, Use use);

/// weak_link is the first weak signature or key of a path. An anchor's own signature proves nothing and is not looked
/// at.
std::optional<Fault> weak_link(const std::vector<Certificate>& chain);

/// name_fault tells of a name that a certificate authority above may not certify; nothing where there is none.
std::optional<Fault> name_fault(const std::vector<Certificate>& chain);

/// unhandled_extension names the first critical extension of a certificate that is not processed; "" where there is
/// none.
std::string unhandled_extension(const Certificate& certificate);

}  // namespace p11mime::cms
