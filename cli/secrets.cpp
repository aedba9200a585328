#include "cli/secrets.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>

#include "cli/secret_file.h"
#include "mime/error.h"
#include "mime/hex.h"

namespace p11mime::cli {

namespace {

constexpr std::size_t kLongestFile = 4096;  // of a key
constexpr const char* kFormHint =
    "the file holds 16, 24 or 32 bytes, raw or in hex; in hex the key's id may stand before it: ID:KEY";

bool is_key_size(std::size_t size) {
    return size == 16 || size == 24 || size == 32;
}

// from_hex reads pairs of hexadecimal digits; nothing where a text is anything else.
std::optional<SecretBytes> from_hex(ByteView text) {
    if (text.empty() || text.size() % 2 != 0) return std::nullopt;
    SecretBytes bytes(text.size() / 2);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto byte = hex_byte(text_of(text.subspan(2 * i, 2)));
        if (!byte) return std::nullopt;
        bytes.data()[i] = *byte;
    }
    return bytes;
}

ByteView without_trailing_space(ByteView text) {
    while (!text.empty() && std::isspace(text.back()) != 0)
        text = text.first(text.size() - 1);
    return text;
}

}  // namespace

cms::KeyEncryptionKey read_kek(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const SecretBytes content = read_secret_file(file, kLongestFile, fmt::format("key file '{}'", path));
    const ByteView text = without_trailing_space(content);
    const auto colon = static_cast<std::size_t>(std::find(text.begin(), text.end(), ':') - text.begin());
    const bool named = colon < text.size();
    const auto id = named ? parse_hex(text_of(text.first(colon))) : Bytes{};
    auto key = from_hex(named ? text.subspan(colon + 1) : text);
    // 16 random bytes are no hex digits.
    if (key && is_key_size(key->size()) && id && id->empty() != named)
        return {.id = *id, .key = std::make_shared<const SecretBytes>(std::move(*key))};
    if (is_key_size(content.size())) return {.id = {}, .key = std::make_shared<const SecretBytes>(content.copy())};
    throw Error(ErrorKind::usage, fmt::format("'{}' holds no key encryption key", path), kFormHint);
}

bool gives_secrets(const Options& options) {
    return options.text("kek") || options.text("password-source");
}

cms::GivenSecrets given_secrets(const Options& options, Pins& pins) {
    const bool encrypts = options.takes(kRecipients);
    cms::GivenSecrets secrets;
    if (const auto file = options.text("kek")) {
        secrets.kek = read_kek(*file);
        if (encrypts && secrets.kek->id.empty())
            throw Error(ErrorKind::usage,
                        fmt::format("the key in '{}' has no id for its recipient to find it by", *file), kFormHint);
    }
    if (const auto source = options.text("password-source"))
        secrets.password =
            std::make_shared<const SecretBytes>(pins.secret(PinSource::parse(*source), "password", encrypts));
    return secrets;
}

}  // namespace p11mime::cli
