#pragma once

#include <string>
#include <string_view>

namespace p11mime::cli {

/// markup is text of others as HTML: made visible (visible()), and with nothing in it that HTML gives a meaning.
std::string markup(std::string_view text);

/// markup_lines does so with text of several lines, whose line ends and tabs stay.
std::string markup_lines(std::string_view text);

/// isolated is markup whose direction of writing does not touch what stands around it.
std::string isolated(std::string_view text);

}  // namespace p11mime::cli
