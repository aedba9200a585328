#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cms/smime/report.h"

namespace p11mime::cli {

/// What the layers of a mail protect of its header (RFC 9788 section 4.3), for people who know nothing of it.

/// field_words says what holds of the mail's field of a name: that a signature covers it, and that it came encrypted,
/// or that no signature covers it; nothing where the payload was not reached, so that it is not known.
std::optional<std::string> field_words(const cms::smime::Report& report, std::string_view name);

/// protects_header says whether the layers protect any field at all.
bool protects_header(const cms::smime::Report& report);

/// header_lines says it of all fields, those of which the same holds in one line; nothing of a bare entity.
std::vector<std::string> header_lines(const cms::smime::Report& report);

}  // namespace p11mime::cli
