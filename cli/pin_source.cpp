#include "cli/pin_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cli/fd.h"
#include "cli/signals.h"
#include "cli/system_error.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

constexpr std::size_t kLongest = 1024;  // of PINs and passwords

SecretBytes first_line(int fd, std::string_view what, const std::string& name) {
    SecretBytes line(kLongest);
    std::size_t size = 0;
    for (;;) {
        Byte byte = 0;
        wait_readable(fd);
        const ssize_t count = ::read(fd, &byte, 1);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw system_error(fmt::format("cannot read the {} from {}", what, name), errno);
        if (count == 0 || byte == '\n') break;
        if (size == line.size())
            throw Error(ErrorKind::usage, fmt::format("the first line of {} is no {}", name, what));
        line.data()[size++] = byte;
    }
    if (size > 0 && line.data()[size - 1] == '\r') --size;
    line.shrink(size);
    return line;
}

SecretBytes from_environment(std::string_view what, const std::string& variable) {
    char* value = std::getenv(variable.c_str());
    if (value == nullptr)
        throw Error(ErrorKind::usage, fmt::format("the environment has no variable {} with a {}", variable, what));
    SecretBytes pin(bytes_of(value));
    // Children are not to inherit it.
    ::explicit_bzero(value, std::strlen(value));
    ::unsetenv(variable.c_str());
    return pin;
}

SecretBytes from_file(std::string_view what, const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) throw system_error(fmt::format("cannot open the {} file '{}'", what, path), errno);
    return first_line(file.get(), what, fmt::format("'{}'", path));
}

SecretBytes from_descriptor(std::string_view what, const std::string& number) {
    return first_line(std::atoi(number.c_str()), what, fmt::format("file descriptor {}", number));
}

}  // namespace

PinSource PinSource::parse(std::string_view text) {
    const std::string hint = "sources are tty, pinentry, pad, env:VAR, file:PATH and fd:N";
    if (text == "tty") return {};
    if (text == "pinentry") return {Kind::pinentry, {}};
    if (text == "pad") return {Kind::pad, {}};
    const auto colon = text.find(':');
    const std::string_view kind = text.substr(0, colon);
    const std::string where(colon == std::string_view::npos ? "" : text.substr(colon + 1));
    if (kind == "env" && !where.empty() && where.find('=') == std::string::npos) return {Kind::env, where};
    if (kind == "file" && !where.empty() && where != "-") return {Kind::file, where};
    const bool number = !where.empty() && where.size() < 6 &&
                        std::all_of(where.begin(), where.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (kind == "fd" && number) return {Kind::fd, where};
    throw Error(ErrorKind::usage, "unknown source of a PIN or password", hint);
}

SecretBytes read_secret(const PinSource& source, std::string_view what) {
    SecretBytes secret;
    switch (source.kind) {
        case PinSource::Kind::env:
            secret = from_environment(what, source.where);
            break;
        case PinSource::Kind::file:
            secret = from_file(what, source.where);
            break;
        case PinSource::Kind::fd:
            secret = from_descriptor(what, source.where);
            break;
        case PinSource::Kind::tty:
        case PinSource::Kind::pinentry:
        case PinSource::Kind::pad:
            break;
    }
    if (secret.empty()) throw Error(ErrorKind::usage, fmt::format("the source of the {} gives an empty one", what));
    return secret;
}

}  // namespace p11mime::cli
