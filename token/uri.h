#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cms/secret.h"
#include "token/token_info.h"

namespace p11mime::token {

/// Uri is a PKCS#11 URI (RFC 7512). Absent attributes match everything.
struct Uri {
    std::optional<std::string> token, manufacturer, model, serial;
    std::optional<std::string> library_manufacturer, library_description, library_version;
    std::optional<std::string> slot_description, slot_manufacturer;
    std::optional<unsigned long> slot_id;
    std::optional<std::string> object;  ///< CKA_LABEL
    std::optional<std::string> type;    ///< cert, data, private, public, secret-key
    std::optional<std::string> id;      ///< CKA_ID, raw bytes
    std::optional<std::string> module_name, module_path;
    std::optional<std::string> pin_source;
    std::optional<SecretBytes> pin_value;

    /// parse throws Error(usage) naming what is wrong; unknown path attributes are errors, vendor attributes ("x-…")
    /// are ignored, and pin-source=|command is refused.
    static Uri parse(std::string_view text);
    /// to_string prints the canonical form; a pin-value is never printed.
    std::string to_string() const;
    /// matches says whether it names the token, or is silent on it; of a module-path it takes the file itself, its bare
    /// name, or a directory that it is in.
    bool matches(const TokenInfo& token) const;
};

}  // namespace p11mime::token
