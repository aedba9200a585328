#pragma once

#include "cli/options.h"
#include "cli/pins.h"
#include "cms/key_management.h"

namespace p11mime::cli {

/// read_kek reads a key encryption key from a file: 16, 24 or 32 bytes, raw or in hex; in hex the key's id may stand
/// before it, as "ID:KEY". Throws Error(io) where the file cannot be read, Error(usage) where it holds no such key.
cms::KeyEncryptionKey read_kek(const std::string& path);

/// given_secrets are those of --kek and --password-source. For encryption the key encryption key needs an id, and a
/// password is typed twice. Throws Error(usage), Error(io).
cms::GivenSecrets given_secrets(const Options& options, Pins& pins);

/// gives_secrets says whether there are any.
bool gives_secrets(const Options& options);

}  // namespace p11mime::cli
