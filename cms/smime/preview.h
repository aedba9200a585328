#pragma once

#include <string>
#include <vector>

#include "cms/certificate.h"
#include "cms/smime/mail.h"

namespace p11mime::cms::smime {

/// kPreviewed is how many bytes of what is signed a preview looks at.
inline constexpr std::size_t kPreviewed = 64 * 1024;

/// preview says why a mail will not be valid for who reads it although its signatures hold and all certificates are
/// trusted and for its sender: what a reader of signed mail doubts in its header, in that of its content, and in what
/// is near them; "" where nothing speaks against it. `mail` has the header as it goes out but for the fields of its
/// outermost layer, `content` is the front of what is signed, kPreviewed bytes or all of it, and `encrypted` says
/// whether encryption goes around.
std::string preview(const Mail& mail, ByteView content, const std::vector<Certificate>& signers, bool encrypted);

}  // namespace p11mime::cms::smime
