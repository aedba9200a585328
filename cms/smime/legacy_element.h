#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace p11mime::cms::smime {

/// kLegacyDisplayClass is the class of the div that is a legacy display element in HTML (RFC 9788 section 5.2.3).
inline constexpr std::string_view kLegacyDisplayClass = "header-protection-legacy-display";

/// LegacyElements is the legacy display elements at the front of a text: the lines up to the first empty one, or each
/// div of kLegacyDisplayClass in HTML (RFC 9788 section 4.5.3).
struct LegacyElements {
    std::vector<std::pair<std::size_t, std::size_t>> repeating;  ///< begin and end of those that may be left out
    bool others = false;  ///< there is one that says what no protected field says, or none at all
};

/// legacy_elements finds them. One may be left out where each of its lines is among `fields`, which are protected
/// fields as comparable() has them. `text` is in `charset`, one that has ASCII's bytes for ASCII; "" is ASCII itself.
LegacyElements legacy_elements(std::string_view text, std::string_view charset, bool is_html,
                               const std::set<std::string>& fields);

}  // namespace p11mime::cms::smime
