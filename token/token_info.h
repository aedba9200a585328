#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace p11mime::token {

/// PinState is what a token tells of its user PIN before a login; PKCS#11 has no number of tries.
enum class PinState { ok, few_tries, last_try, locked, not_set, to_be_changed };
std::string_view name(PinState state);  ///< "ok", "few tries left", "last try", "locked", "not set", "must be changed"
/// warning is a sentence for whoever is to enter the PIN, "a wrong one was entered before, few tries are left"; "" for
/// `ok`.
std::string_view warning(PinState state);

/// TokenInfo is what C_GetTokenInfo and the slot say, white space trimmed.
struct TokenInfo {
    std::string module;  ///< path of the module file
    unsigned long slot_id = 0;
    std::string slot_description;
    std::string label;
    std::string manufacturer;
    std::string model;
    std::string serial;
    PinState pin_state = PinState::ok;
    PinState puk_state = PinState::ok;  ///< of the security officer's PIN; never `not_set`
    std::size_t shortest_pin = 0;       ///< in bytes
    std::size_t longest_pin = 0;        ///< in bytes; 0 where the token sets no limit
    bool initialized = false;
    bool login_required = false;
    bool protected_authentication_path = false;  ///< a PIN pad: the PIN is entered on the reader
    bool read_only = false;
    bool removable = false;
    std::optional<std::size_t> most_sessions;  ///< that one program may open; nothing where the token sets no limit
    std::string slot_manufacturer;
    std::string library_manufacturer;
    std::string library_description;
    std::string library_version;  ///< "major.minor"
};

}  // namespace p11mime::token
