#pragma once

#include <string>
#include <string_view>

#include "cms/secret.h"

namespace p11mime::cli {

/// PinSource is where a PIN or password comes from: "tty", "pinentry", "pad", "env:VAR", "file:PATH" or "fd:N".
struct PinSource {
    enum class Kind { tty, pinentry, pad, env, file, fd } kind = Kind::tty;
    std::string where;  ///< variable, path or number

    /// parse throws Error(usage), without repeating what might be a PIN.
    static PinSource parse(std::string_view text);

    /// stored says whether the secret comes from anything but a person.
    bool stored() const { return kind == Kind::env || kind == Kind::file || kind == Kind::fd; }
};

/// read_secret takes a PIN or a password (`what`, for messages) from a source that is stored: the variable (which is
/// then wiped and unset), or the first line of the file or descriptor without its line ending. Throws Error(usage)
/// where there is none, Error(io) where it cannot be read.
SecretBytes read_secret(const PinSource& source, std::string_view what);

}  // namespace p11mime::cli
