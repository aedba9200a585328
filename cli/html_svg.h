#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cli/terminal.h"
#include "cms/smime/report.h"

namespace p11mime::cli {

/// class_of is the class of the style sheet for a tone.
std::string_view class_of(Tone tone);

/// seal_picture and lock_picture are the signs that mail programs show for signed and encrypted mail, as inline SVG.
/// The shape tells how good it is (a tick, an exclamation mark, a cross), the colour says it once more. `label` is what
/// a screen reader says; with an empty one the picture is passed over, for text that says it stands beside it.
std::string seal_picture(Tone tone, const std::string& label = {});
std::string lock_picture(Tone tone, const std::string& label = {});

/// Chain is one of certificates, as far as it was built, the root last.
struct Chain {
    std::string_view owner;  ///< what the holder of its first certificate is to the mail: "Signer"
    std::span<const cms::Certificate> certificates;
    bool trusted = false;
    bool anchored = false;             ///< the last of them is an anchor
    std::optional<std::size_t> fault;  ///< which of them it is not trusted for, where it is one of them
};
Chain chain_of(const cms::smime::SignerVerdict& signer);
Chain chain_of(const cms::PathVerdict& path);  ///< of a recipient

/// chain_picture draws a chain as inline SVG with a title and a description; "" where there is none. `id` makes its ids
/// differ from others' on the page.
std::string chain_picture(const Chain& chain, std::size_t id);

}  // namespace p11mime::cli
