#include "token/loss.h"

#include <fmt/format.h>

#include <algorithm>

#include "token/module.h"

namespace p11mime::token {

namespace {

constexpr const char* kRepeat = "repeat the command";

/// kNoticing is longer than pcscd takes between two looks at a reader that does not report by itself.
constexpr std::chrono::milliseconds kNoticing = std::chrono::seconds(1);

Error lost(const std::string& message, const std::string& hint) {
    return Error(ErrorKind::token, message, hint);
}

/// reader_of finds a token's reader: a slot has at most 64 characters of its name.
const Reader* reader_of(const TokenInfo& token, const std::vector<Reader>& readers) {
    const auto found = std::find_if(readers.begin(), readers.end(), [&](const Reader& reader) {
        return !token.slot_description.empty() && reader.name.starts_with(token.slot_description);
    });
    return found == readers.end() ? nullptr : &*found;
}

/// without_pcscd is for a token that was seen through a pcscd which has ended since.
Error without_pcscd(const TokenInfo& token) {
    const std::string gone = fmt::format("{} is out of reach", token_name(token));
    try {
        const std::vector<Reader> readers = Readers().list();
        if (reader_of(token, readers) != nullptr) return lost(fmt::format("{}: pcscd was started anew", gone), kRepeat);
        return lost(fmt::format("the reader '{}' with {} was unplugged", token.slot_description, token_name(token)),
                    "plug it in again and repeat the command");
    } catch (const Error& why) {
        return lost(fmt::format("{}: {}", gone, why.what()), why.hint());
    }
}

}  // namespace

std::shared_ptr<CardsSeen> see_cards() {
    try {
        return std::make_shared<CardsSeen>();
    } catch (const Error&) {
        return nullptr;
    }
}

std::optional<CardPlace> CardPlace::find(const std::shared_ptr<CardsSeen>& seen, const TokenInfo& token) {
    const Reader* reader = seen && token.removable ? reader_of(token, seen->readers) : nullptr;
    if (reader == nullptr) return std::nullopt;
    return CardPlace(seen, *reader);
}

std::optional<Error> CardPlace::loss(const TokenInfo& token, bool trouble) const {
    std::vector<Reader> readers;
    try {
        const std::lock_guard lock(seen_->mutex);
        if (trouble) seen_->pcscd.wait(seen_->readers, kNoticing, {});
        readers = seen_->pcscd.list();
    } catch (const Error&) {
        return without_pcscd(token);
    }
    const Reader* now = reader_of(token, readers);
    if (now == nullptr)
        return lost(fmt::format("the reader '{}' with {} was unplugged", before_.name, token_name(token)),
                    "plug it in again and repeat the command");
    const std::string removed = fmt::format("{} was removed from its reader", token_name(token));
    if (!now->card) return lost(removed, "insert it again and repeat the command");
    if (now->movements == before_.movements) return std::nullopt;
    return lost(fmt::format("{}, and a card was inserted", removed), kRepeat);
}

std::string card_mark(const TokenInfo& token) {
    if (!token.removable) return {};
    try {
        const std::vector<Reader> readers = Readers().list();
        const Reader* reader = reader_of(token, readers);
        return reader == nullptr ? "" : fmt::format("{} {}", reader->movements, pcscd_mark());
    } catch (const Error&) {
        return {};
    }
}

}  // namespace p11mime::token
