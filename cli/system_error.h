#pragma once

#include <string>
#include <string_view>

#include "mime/error.h"

namespace p11mime::cli {

/// system_error is the Error(io) of a call to the system that failed, "what: reason"; `cause` is an errno.
Error system_error(const std::string& what, int cause, std::string hint = {});

/// write_all writes all of a text, whatever signals come; false, with the cause in errno, where that fails.
bool write_all(int fd, std::string_view text);

}  // namespace p11mime::cli
