#include "cms/distrust.h"

#include <fmt/format.h>

#include <algorithm>

#include "cms/trust_settings.h"

namespace p11mime::cms {

namespace {

bool has_use(const std::vector<std::string>& uses, std::string_view use) {
    return std::ranges::any_of(uses,
                               [&](const std::string& each) { return each == use || each == SN_anyExtendedKeyUsage; });
}

bool rejects(const Certificate& certificate, Purpose purpose) {
    return has_use(trust_settings(certificate).rejected,
                   purpose == Purpose::timestamps ? SN_time_stamp : SN_email_protect);
}

// Distrust is what is said against the holder of a key.
struct Distrust {
    bool rejected = false;      // by the settings of one of its certificates
    std::optional<Time> after;  // for what it issues later, unless one of them is trusted for all mail
};

Distrust distrust_of(const Certificate& holder, const Candidates& candidates, Purpose purpose) {
    Distrust found;
    bool trusted = false;
    for (const Certificate& each : candidates.anchors) {
        if (!same_name_and_key(each, holder)) continue;
        found.rejected = found.rejected || rejects(each, purpose);
        found.after = std::max(found.after, trust_settings(each).distrust_after);
        trusted = trusted || trusts_all_mail(each);
    }
    if (trusted) found.after.reset();
    found.rejected = found.rejected || std::ranges::any_of(candidates.untrusted, [&](const Certificate& each) {
                         return rejects(each, purpose) && same_name_and_key(each, holder);
                     });
    return found;
}

// date_fault tells of an end certificate that begins after the date of distrust of one above it, or of itself.
std::optional<Fault> date_fault(const std::vector<Certificate>& chain, std::size_t at, Time date, Use use) {
    const Certificate& end = chain.front();
    const std::string who = display_name(chain[at]);
    const auto fault = [&](std::string reason) {
        return Fault{std::move(reason), "add the root with --ca or 'p11mime certs trust' if you trust it all the same",
                     Fault::Scope::key, at};
    };
    if (date == kDistrusted) return fault(fmt::format("Mozilla distrusts {}", who));
    if (use == Use::evidence || end.not_before() <= date) return std::nullopt;
    return fault(
        fmt::format("Mozilla no longer trusts what {} has issued since {}, and the certificate of {} begins at {}", who,
                    format_time(date), display_name(end), format_time(end.not_before())));
}

}  // namespace

Fault settings_fault(const Certificate& anchor, Purpose purpose, std::size_t at) {
    return {fmt::format("{} is not trusted for {}, by the settings in its file", display_name(anchor),
                        purpose == Purpose::timestamps ? "time-stamps" : "e-mail"),
            "'p11mime certs list' shows the trusted and rejected uses of one's own anchors, 'openssl x509 -in FILE "
            "-noout -text' those in a file",
            Fault::Scope::certificate, at};
}

std::optional<Fault> distrust_fault(const std::vector<Certificate>& chain, const Candidates& candidates,
                                    Purpose purpose, Use use) {
    for (std::size_t i = chain.size(); i-- > 0;) {
        const Distrust distrust = distrust_of(chain[i], candidates, purpose);
        std::optional<Fault> fault;
        if (distrust.after) fault = date_fault(chain, i, *distrust.after, use);
        if (distrust.rejected) fault = settings_fault(chain[i], purpose, i);
        if (!fault) continue;
        fault->scope = Fault::Scope::key;
        if (i + 1 < chain.size())
            fault->reason += fmt::format("; that {} certifies it changes nothing", display_name(chain[i + 1]));
        return fault;
    }
    return std::nullopt;
}

}  // namespace p11mime::cms
