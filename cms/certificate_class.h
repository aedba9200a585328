#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cms/certificate.h"

namespace p11mime::cms {

/// Validation is whom the certificate authority has made sure of, in the terms of the CA/Browser Forum's S/MIME
/// Baseline Requirements: a sponsored certificate is for a person that an organization answers for.
enum class Validation { mailbox, individual, sponsor, organization, unknown };

/// Generation is of those requirements' profiles.
enum class Generation { legacy, multipurpose, strict };

/// Basis is where something of a certificate is known from.
enum class Basis {
    policy,   ///< a policy that the certificate's path is valid for
    claimed,  ///< what the certificate says of its subject or key, as whoever made it liked
};

std::string_view name(Validation value);
std::string_view name(Generation value);
std::string_view name(Basis value);

/// CertificateClass is what kind of certificate it is.
struct CertificateClass {
    Validation validation = Validation::unknown;
    Basis basis = Basis::claimed;
    std::optional<Generation> generation;
    std::optional<int> level;  ///< 1: the mailbox; 2: a person; 3: identity or organization proven by official document
    std::optional<Basis> qualified;  ///< for signatures or seals: claimed by its QCStatements (ETSI EN 319 412-5), by
                                     ///< policy where a valid policy is for such certificates too; nothing: it is not
    std::optional<Basis> on_secure_device;   ///< where the key is, claimed by QCStatements; nothing: it is not
    std::optional<std::string> policy_name;  ///< of the policy that tells the class
};

/// classify tells it by `policies`, dotted OIDs of policies that the certificate's path is valid for, else by the
/// subject. Where policies tell of more and of less, the least counts: who was validated is as the policy that asks for
/// least of that says, and the class is of a policy that says the same. It is no reason to trust anything.
CertificateClass classify(const Certificate& certificate, std::span<const std::string> policies);

}  // namespace p11mime::cms
