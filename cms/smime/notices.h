#pragma once

#include <string_view>

namespace p11mime::cms::smime {

/// is_notice knows what mail programs write before the parts of a multipart for readers without MIME, in many
/// languages, whatever its lines.
bool is_notice(std::string_view text);

}  // namespace p11mime::cms::smime
