#pragma once

#include <string>

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

/// chain_picture draws a signer's chain of certificates, the signer first and the root last, as inline SVG with a title
/// and a description; "" where there is none. `id` makes its ids differ from others' on the page.
std::string chain_picture(const cms::smime::SignerVerdict& signer, std::size_t id);

}  // namespace p11mime::cli
