#pragma once

#include <optional>
#include <string>

#include "cli/html_mail.h"
#include "cms/smime/report.h"

namespace p11mime::cli {

/// html_page is a page that shows a verdict and, where it is given, the mail that it is about: complete in itself,
/// without scripts, links or anything that is fetched, and with a Content-Security-Policy that lets nothing else in.
/// Each part says which signature covers it, if any. UTF-8.
std::string html_page(const cms::smime::Report& report, const std::optional<MailText>& mail, cms::Time now);

}  // namespace p11mime::cli
