#include "cms/missing_issuer.h"

#include <fmt/format.h>

#include "cms/distribution_points.h"

namespace p11mime::cms {

Fault without_parameters(const Certificate& certificate, std::string hint) {
    return {fmt::format("the key of {} takes its parameters from that of {}, which is neither trusted nor known",
                        display_name(certificate), certificate.issuer()),
            std::move(hint)};
}

std::string unknown_issuer(const Certificate& certificate, std::string_view why) {
    return fmt::format("the issuer of {} ({}) is neither trusted nor known{}{}", display_name(certificate),
                       certificate.issuer(), why.empty() ? "" : ": ", why);
}

std::string ways_to_certificate(const Certificate& issued, const Trust& trust, std::string_view which) {
    const bool may_fetch = !trust.issuers && !issuer_urls(issued).empty();
    return may_fetch ? fmt::format("--fetch-issuers fetches {}, --intermediates FILE adds it", which)
                     : fmt::format("--intermediates FILE adds {}", which);
}

namespace {

// ways_to_issuer is what could be done about an issuer that is not at hand.
std::string ways_to_issuer(const Certificate& certificate, const Trust& trust) {
    return fmt::format("{}; if it is a root that you know to be right, add it with --ca or 'p11mime certs trust'",
                       ways_to_certificate(certificate, trust, "its certificate"));
}

}  // namespace

Fault fault_without_path(const std::vector<Certificate>& chain, const InheritedKeys& inherited, bool has_namesake,
                         const Trust& trust) {
    constexpr const char* kHint = "add its root with --ca or 'p11mime certs trust' if you know that it is right";
    if (const Certificate* incomplete = inherited.incomplete()) return without_parameters(*incomplete, kHint);
    const Certificate& last = chain.back();
    const std::string who = display_name(last);
    if (!last.self_issued())
        return {unknown_issuer(last, has_namesake ? "a certificate of that name is at hand, but this one names another "
                                                    "key"
                                                  : ""),
                ways_to_issuer(last, trust)};
    const std::string reason =
        fmt::format("the {} {} is not trusted", chain.size() == 1 ? "self-signed certificate of" : "root", who);
    if (has_namesake)
        return {reason + " (another certificate of that name is at hand, with another key)",
                "somebody else may be using that name: ask in another way, by telephone for example"};
    return {reason, kHint};
}

}  // namespace p11mime::cms
