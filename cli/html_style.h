#pragma once

#include <string_view>

namespace p11mime::cli {

/// html_style is the style sheet of the page: one column, on whatever screen; text and background differ by a contrast
/// of 4.5 or more.
std::string_view html_style();

}  // namespace p11mime::cli
