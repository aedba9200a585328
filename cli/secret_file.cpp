#include "cli/secret_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cli/signals.h"
#include "cli/system_error.h"

namespace p11mime::cli {

namespace {

constexpr std::size_t kFirstRoom = 16 * 1024;  // bytes; most files fit

Error failed(const std::string& name) {
    return system_error(fmt::format("cannot read the {}", name), errno);
}

// Fills the room behind what is in it with what the file has, and returns how much is in it then.
std::size_t fill(const Fd& file, SecretBytes& room, std::size_t used, const std::string& name) {
    while (used < room.size()) {
        const ssize_t count = ::read(file.get(), room.data() + used, room.size() - used);
        if (count < 0 && errno == EINTR) {
            throw_if_interrupted();
            continue;
        }
        if (count < 0) throw failed(name);
        if (count == 0) break;
        used += static_cast<std::size_t>(count);
    }
    return used;
}

}  // namespace

SecretBytes read_secret_file(const Fd& file, std::size_t most, const std::string& name) {
    if (!file) throw failed(name);
    SecretBytes content(std::min(kFirstRoom, most));
    std::size_t size = fill(file, content, 0, name);
    while (size == content.size() && size < most) {
        SecretBytes larger(std::min(2 * size, most));
        std::copy_n(content.data(), size, larger.data());
        content = std::move(larger);
        size = fill(file, content, size, name);
    }
    content.shrink(size);
    return content;
}

}  // namespace p11mime::cli
