#pragma once

#include <optional>
#include <string>

#include "mime/bytes.h"

namespace p11mime::cms {

/// name_outline is the same for names that are one, however they are encoded (RFC 5280 section 7.1), and may be so for
/// others. It tells names apart at a tenth of what name_hash takes, but not all: nothing where one has letters
/// beyond ASCII, a value that is no text or of wide characters, or several values in one RDN.
std::optional<std::string> name_outline(ByteView name_der);

}  // namespace p11mime::cms
