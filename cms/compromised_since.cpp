#include "cms/compromised_since.h"

#include <fmt/format.h>

#include <algorithm>

namespace p11mime::cms {

std::size_t below_compromised(const std::vector<RevokedSince>& revoked_since) {
    std::size_t below = 0;
    for (const RevokedSince& each : revoked_since)
        if (!each.orderly) below = std::max(below, each.at);
    return below;
}

std::optional<Fault> unproven(PathVerdict& verdict, const Trust& trust) {
    if (!trust.stamped) return std::nullopt;
    const auto is_proved = [&](const Certificate& certificate) {
        return std::ranges::any_of(trust.stamped_certificates,
                                   [&](const CertificateHash& named) { return named.is_of(certificate); });
    };
    for (const RevokedSince& since : verdict.revoked_since) {
        if (since.orderly) continue;
        const auto below = std::span(verdict.chain).first(since.at);
        const auto open = std::ranges::find_if_not(below, is_proved);
        if (open == below.end()) continue;
        verdict.revocation = RevocationState::revoked;
        verdict.revocation_reason = fmt::format("{}, and nothing shows that the certificate of {} was there before",
                                                since.told(), display_name(*open));
        return Fault{verdict.revocation_reason, {}, Fault::Scope::path, since.at};
    }
    return std::nullopt;
}

}  // namespace p11mime::cms
