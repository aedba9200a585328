#pragma once

#include <cstddef>
#include <string>

#include "cli/fd.h"
#include "cms/secret.h"

namespace p11mime::cli {

/// read_secret_file reads a file to its end, but no more than `most` bytes, into wiped memory, with no copy beside it
/// in memory or on disk. Throws Error(io), which says that `name` ("key file 'kek'") cannot be read; also where the
/// file is not open, for the reason in errno.
SecretBytes read_secret_file(const Fd& file, std::size_t most, const std::string& name);

}  // namespace p11mime::cli
