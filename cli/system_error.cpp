#include "cli/system_error.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace p11mime::cli {

Error system_error(const std::string& what, int cause, std::string hint) {
    return {ErrorKind::io, fmt::format("{}: {}", what, std::strerror(cause)), std::move(hint)};
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::write(fd, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

}  // namespace p11mime::cli
