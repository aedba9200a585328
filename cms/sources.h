#pragma once

#include <optional>
#include <vector>

#include "cms/certificate.h"
#include "cms/decrypter.h"

namespace p11mime::cms {

/// CertificateSource looks certificates up: anchors, intermediates, correspondents. Implemented in cli/ (files, the
/// address book) and token/ (libnssckbi).
class CertificateSource {
  public:
    virtual ~CertificateSource() = default;
    virtual std::vector<Certificate> by_subject(ByteView name_der) = 0;
    virtual std::optional<Certificate> by_identifier(const RecipientIdentifier& identifier) = 0;
};

/// Revocation is the state of one certificate at a time.
enum class RevocationState { good, revoked, unknown, not_checked };

/// RevocationSource answers for a certificate and its issuer. Without one, revocation is not_checked.
class RevocationSource {
  public:
    virtual ~RevocationSource() = default;
    virtual RevocationState state(const Certificate& certificate, const Certificate& issuer, Time at) = 0;
};

/// Clock tells the time, so that tests and --at can set it.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Time now() const = 0;
};

/// SystemClock is the machine's clock.
class SystemClock final : public Clock {
  public:
    Time now() const override {
        return std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
    }
};

}  // namespace p11mime::cms
