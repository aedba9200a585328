#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cms/sources.h"

namespace p11mime::cms {

enum class Purpose { email, any };

/// Trust is what a path is judged by.
struct Trust {
    std::vector<std::shared_ptr<CertificateSource>> anchors;
    std::vector<std::shared_ptr<CertificateSource>> intermediates;  ///< also asked for a missing signer's certificate
    std::shared_ptr<RevocationSource> revocation;                   ///< null: not_checked
    std::shared_ptr<const Clock> clock;
    std::optional<Time> at;  ///< the time to judge at, now where unset
    Purpose purpose = Purpose::email;
    bool allow_weak = false;  ///< accept SHA-1 signatures and RSA under 2048 bits in the path
};

/// Use is what the end certificate is judged for.
enum class Use { signing, encryption };

/// PathVerdict is the outcome of path validation (RFC 5280, with the e-mail rules of RFC 8550).
struct PathVerdict {
    bool trusted = false;
    std::string reason;              ///< one cause in plain words with the certificate concerned; empty where trusted
    std::vector<Certificate> chain;  ///< as far as it was built, end certificate first
    std::optional<Certificate>
        completed;  ///< the end certificate with the key parameters that it inherits along the path, which was built
                    ///< to an anchor though it need not be trusted; nothing where it has its own
    bool weak = false;              ///< a signature or key in the path is weak (strength, not trust)
    std::size_t verifications = 0;  ///< of signatures, to find the parameters that keys inherit
    RevocationState revocation = RevocationState::not_checked;
    std::string revocation_reason;
};

/// validate builds and checks a path from `certificate` to an anchor. `surplus` are further certificates, e.g. from the
/// message.
PathVerdict validate(const Certificate& certificate, std::span<const Certificate> surplus, const Trust& trust, Use use);

/// MemoryCertificates is a CertificateSource over a list.
class MemoryCertificates final : public CertificateSource {
  public:
    explicit MemoryCertificates(std::vector<Certificate> certificates) : certificates_(std::move(certificates)) {}
    std::vector<Certificate> by_subject(ByteView name_der) override;
    std::optional<Certificate> by_identifier(const RecipientIdentifier& identifier) override;

  private:
    std::vector<Certificate> certificates_;
};

}  // namespace p11mime::cms
