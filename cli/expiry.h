#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "cli/context.h"
#include "cms/certificate.h"

namespace p11mime::cli {

/// kEndsSoon is how long before its end a certificate of one's own is worth a warning.
inline constexpr std::chrono::days kEndsSoon{30};

/// ends_soon says of a certificate that it ends within kEndsSoon, and when; nothing where it holds for longer or has
/// ended.
std::optional<std::string> ends_soon(const cms::Certificate& certificate, cms::Time now);

/// warn_of_end warns of a certificate of one's own that ends soon, once a certificate.
void warn_of_end(Context& context, const cms::Certificate& certificate);

}  // namespace p11mime::cli
