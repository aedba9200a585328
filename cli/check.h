#pragma once

#include <string>
#include <vector>

#include "mime/error.h"

namespace p11mime::cli {

/// Check is one thing that was looked at between a person and a signed mail.
struct Check {
    enum class Standing {
        good,
        remark,     ///< works, but is worth knowing
        failed,     ///< keeps mail from being signed or decrypted
        unchecked,  ///< the message says why
    };
    /// "packages", "pcscd", "reader", "card", "module", "token", "certificate", "mechanism", "signature"
    std::string subject;
    Standing standing = Standing::good;
    std::string message;                ///< one line
    std::string fix;                    ///< what to do about it; "" where there is nothing to do
    ErrorKind kind = ErrorKind::token;  ///< of a failed one: the exit status
};
using Checks = std::vector<Check>;

/// name is "ok", "remark", "failed", "not_checked".
std::string_view name(Check::Standing standing);

}  // namespace p11mime::cli
