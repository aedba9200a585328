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

namespace {

bool is_proved(const Certificate& certificate, const Trust& trust) {
    return std::ranges::any_of(trust.stamped_certificates,
                               [&](const CertificateHash& named) { return named.is_of(certificate); });
}

std::optional<Fault> below_compromised_key(PathVerdict& verdict, const Trust& trust) {
    for (const RevokedSince& since : verdict.revoked_since) {
        if (since.orderly) continue;
        const auto below = std::span(verdict.chain).first(since.at);
        const auto open =
            std::ranges::find_if_not(below, [&](const Certificate& each) { return is_proved(each, trust); });
        if (open == below.end()) continue;
        verdict.revocation = RevocationState::revoked;
        verdict.revocation_reason = fmt::format("{}, and nothing shows that the certificate of {} was there before",
                                                since.told(), display_name(*open));
        return Fault{verdict.revocation_reason, {}, Fault::Scope::path, since.at};
    }
    return std::nullopt;
}

std::optional<Fault> below_ended(const PathVerdict& verdict, const Trust& trust) {
    const Time now = trust.clock->now();
    const auto above = std::span(verdict.chain).subspan(1);
    const auto ended = std::ranges::find_if(above, [&](const Certificate& each) { return each.not_after() <= now; });
    if (ended == above.end() || is_proved(verdict.chain.front(), trust)) return std::nullopt;
    return Fault{
        fmt::format("the certificate of {} has ended on {}, and nothing shows that the certificate of {} was "
                    "there before",
                    display_name(*ended), format_time(ended->not_after()), display_name(verdict.chain.front())),
        fmt::format("--at {}, if you know by other means that it was signed then", format_time(*trust.at)),
        Fault::Scope::path, static_cast<std::size_t>(ended - above.begin()) + 1};
}

}  // namespace

std::optional<Fault> unproven(PathVerdict& verdict, const Trust& trust) {
    if (!trust.stamped) return std::nullopt;
    auto fault = below_compromised_key(verdict, trust);
    if (!fault) fault = below_ended(verdict, trust);
    verdict.unproven = fault.has_value();
    return fault;
}

}  // namespace p11mime::cms
