#include "cli/expiry.h"

#include <fmt/format.h>

namespace p11mime::cli {

namespace {

std::string remaining(std::chrono::days left) {
    if (left.count() == 0) return "in less than a day";
    return left.count() == 1 ? "in 1 day" : fmt::format("in {} days", left.count());
}

}  // namespace

std::optional<std::string> ends_soon(const cms::Certificate& certificate, cms::Time now) {
    const auto left = certificate.not_after() - now;
    if (left < std::chrono::seconds::zero() || left > kEndsSoon) return std::nullopt;
    return fmt::format("the certificate {} ends on {}, {}", certificate.subject(),
                       cms::format_time(certificate.not_after()).substr(0, 10),
                       remaining(std::chrono::floor<std::chrono::days>(left)));
}

void warn_of_end(Context& context, const cms::Certificate& certificate) {
    if (const auto line = ends_soon(certificate, context.now()))
        context.warn_once("certificate-ends-soon", *line + ": have it renewed in time");
}

}  // namespace p11mime::cli
