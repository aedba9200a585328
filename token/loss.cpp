#include "token/loss.h"

#include <fmt/format.h>

#include <algorithm>

#include "token/readers.h"
#include "token/token.h"

namespace p11mime::token {

namespace {

constexpr const char* kAgain = "insert it again and repeat the command";

std::optional<TokenInfo> token_in_slot_of(const TokenCore& core) {
    for (const Slot& slot : core.module().slots())
        if (slot.id == core.info().slot_id) return slot.token;
    return std::nullopt;
}

/// is_reader: a slot has at most 64 characters of its reader's name.
bool is_reader(const Reader& reader, const TokenInfo& token) {
    return !token.slot_description.empty() && reader.name.starts_with(token.slot_description);
}

/// gone is the words for a token whose slot is empty: the reader is asked for where the slot is one's.
Error gone(const TokenInfo& token) {
    const std::string removed = fmt::format("{} was removed", token_name(token));
    if (!token.removable) return Error(ErrorKind::token, removed, kAgain);
    try {
        const std::vector<Reader> readers = Readers().list();
        const bool there =
            std::any_of(readers.begin(), readers.end(), [&](const Reader& reader) { return is_reader(reader, token); });
        if (there) return Error(ErrorKind::token, fmt::format("{} from its reader", removed), kAgain);
        return Error(ErrorKind::token,
                     fmt::format("the reader '{}' with {} was unplugged", token.slot_description, token_name(token)),
                     "plug it in again and repeat the command");
    } catch (const Error& error) {
        return Error(ErrorKind::token, fmt::format("{} is out of reach: {}", token_name(token), error.what()),
                     error.hint());
    }
}

}  // namespace

bool same_token(const TokenInfo& a, const TokenInfo& b) {
    return a.module == b.module && a.serial == b.serial && a.label == b.label;
}

std::optional<Error> loss_of(TokenCore& core) {
    const TokenInfo& known = core.info();
    try {
        const std::optional<TokenInfo> now = token_in_slot_of(core);
        if (!now) return gone(known);
        if (!same_token(*now, known))
            return Error(
                ErrorKind::token,
                fmt::format("{} was replaced by {} (serial {})", token_name(known), token_name(*now), now->serial),
                kAgain);
        if (core.keeps_login()) return std::nullopt;
        return Error(ErrorKind::token, fmt::format("{} was removed and inserted again", token_name(known)),
                     "leave it in the reader and repeat the command");
    } catch (const Error& error) {
        return Error(ErrorKind::token, fmt::format("{} is out of reach: {}", token_name(known), error.what()),
                     error.hint().empty() ? kAgain : error.hint());
    }
}

}  // namespace p11mime::token
