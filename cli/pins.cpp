#include "cli/pins.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
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

std::string identity(const token::TokenInfo& token) {
    return token.module + '\0' + token.serial + '\0' + token.label;
}

// A URI names a file, as "file:" URI or plain path (RFC 7512 section 2.4).
std::string file_of(const std::string& pin_source) {
    std::string path = pin_source;
    if (path.starts_with("file:")) path.erase(0, 5);
    if (path.starts_with("///")) path.erase(0, 2);
    if (path.empty() || (path == pin_source && path.front() != '/'))
        throw Error(ErrorKind::usage, "pin-source in a PKCS#11 URI must be file:PATH or an absolute path");
    return path;
}

}  // namespace

PinSource PinSource::parse(std::string_view text) {
    const std::string hint = "sources are tty, env:VAR, file:PATH and fd:N";
    if (text == "tty") return {};
    if (text == "pinentry" || text == "pad")
        throw Error(ErrorKind::usage, fmt::format("the source {} is not available in this version", text), hint);
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
            break;
    }
    if (secret.empty()) throw Error(ErrorKind::usage, fmt::format("the source of the {} gives an empty one", what));
    return secret;
}

bool Pins::stored() const {
    const bool in_uri = std::any_of(settings_.uris.begin(), settings_.uris.end(),
                                    [](const token::Uri& uri) { return uri.pin_value || uri.pin_source; });
    return in_uri || (settings_.source && settings_.source->kind != PinSource::Kind::tty);
}

bool Pins::may_have(const token::TokenInfo& token) {
    const bool named = std::any_of(settings_.uris.begin(), settings_.uris.end(), [&](const token::Uri& uri) {
        return (uri.token || uri.serial || uri.slot_id) && uri.matches(token);
    });
    if (named) return true;
    if (!bound_to_) bound_to_ = identity(token);
    if (*bound_to_ == identity(token)) return true;
    terminal_.say(fmt::format(
        "the PIN given went to another token and is not sent to token '{}'; --token URI names one", token.label));
    return false;
}

token::Pin Pins::given(const token::PinRequest& request) {
    for (const token::Uri& uri : settings_.uris) {
        if (!uri.matches(request.token)) continue;
        if (uri.pin_value) return token::Pin{uri.pin_value->copy(), false};
        if (uri.pin_source) return token::Pin{from_file("PIN", file_of(*uri.pin_source)), false};
    }
    if (!request.pin_source.empty()) return token::Pin{from_file("PIN", file_of(request.pin_source)), false};
    if (read_.empty()) read_ = read_secret(*settings_.source, "PIN");
    return token::Pin{read_.copy(), false};
}

bool Pins::has_given(const token::PinRequest& request) const {
    const bool in_uri = std::any_of(settings_.uris.begin(), settings_.uris.end(), [&](const token::Uri& uri) {
        return (uri.pin_value || uri.pin_source) && uri.matches(request.token);
    });
    return in_uri || !request.pin_source.empty() ||
           (settings_.source && settings_.source->kind != PinSource::Kind::tty);
}

std::optional<token::Pin> Pins::ask(const token::PinRequest& request) {
    if (settings_.batch) return std::nullopt;
    std::string prompt = fmt::format("PIN of token '{}'", request.token.label);
    if (!request.token.serial.empty()) prompt += fmt::format(" ({})", request.token.serial);
    if (!request.key_label.empty()) prompt += fmt::format(", key '{}'", request.key_label);
    if (!request.what.empty()) prompt += fmt::format(", to {}", request.what);
    auto typed = terminal_.ask_secret(prompt);
    if (!typed) return std::nullopt;
    return token::Pin{std::move(*typed), true};
}

// A token that asks for its login once more has refused the first one.
void Pins::expect_first(const token::PinRequest& request) {
    if (!request.key_label.empty() || logged_in_.insert(identity(request.token)).second) return;
    throw Error(ErrorKind::token,
                fmt::format("the login to token '{}' has failed before and is not tried again", request.token.label),
                "run the command again with the right PIN");
}

std::optional<token::Pin> Pins::pin(const token::PinRequest& request) {
    const std::lock_guard lock(mutex_);
    expect_first(request);
    if (!has_given(request)) return ask(request);
    if (!may_have(request.token)) return std::nullopt;
    return given(request);
}

void Pins::use_reader(const token::PinRequest& request) {
    const std::lock_guard lock(mutex_);
    expect_first(request);
    terminal_.say(fmt::format("enter the PIN of token '{}' on the reader", request.token.label));
}

SecretBytes Pins::secret(const std::optional<PinSource>& source, const std::string& what, bool twice) {
    if (source && source->kind != PinSource::Kind::tty) return read_secret(*source, what);
    const std::string hint = "name a source with --pin-source, --puk-source, --new-pin-source or --password-source";
    if (settings_.batch) throw Error(ErrorKind::usage, fmt::format("--batch does not ask for the {}", what), hint);
    auto typed = terminal_.ask_secret(what);
    if (!typed) throw Error(ErrorKind::usage, fmt::format("no {} and no terminal to ask on", what), hint);
    if (!twice) return std::move(*typed);
    const auto again = terminal_.ask_secret(fmt::format("{} again", what));
    const bool same =
        again && std::equal(typed->data(), typed->data() + typed->size(), again->data(), again->data() + again->size());
    if (!same) throw Error(ErrorKind::usage, fmt::format("the two entries of the {} differ", what));
    return std::move(*typed);
}

}  // namespace p11mime::cli
