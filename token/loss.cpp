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

/// named_readers are those that a token's slot may stand for.
std::vector<Reader> named_readers(const TokenInfo& token, const std::vector<Reader>& readers) {
    std::vector<Reader> named;
    std::copy_if(readers.begin(), readers.end(), std::back_inserter(named),
                 [&](const Reader& reader) { return may_be_slot_of(token.slot_description, reader); });
    return named;
}

/// places are the readers that a token may be in: any with a card where its slot's name says nothing.
std::vector<Reader> places(const TokenInfo& token, const std::vector<Reader>& readers) {
    const std::vector<Reader> named = named_readers(token, readers);
    const std::vector<Reader>& among = named.empty() ? readers : named;
    std::vector<Reader> with_card;
    std::copy_if(among.begin(), among.end(), std::back_inserter(with_card),
                 [](const Reader& reader) { return reader.card; });
    return with_card.empty() ? named : with_card;
}

const Reader* reader_named(const std::vector<Reader>& readers, const std::string& name) {
    const auto found =
        std::find_if(readers.begin(), readers.end(), [&](const Reader& reader) { return reader.name == name; });
    return found == readers.end() ? nullptr : &*found;
}

Error unplugged(const Reader& reader, const TokenInfo& token) {
    return lost(fmt::format("the reader '{}' with {} was unplugged", reader.name, token_name(token)),
                "plug it in again and repeat the command");
}

/// without_pcscd is for a token that was seen through a pcscd which has ended since.
Error without_pcscd(const TokenInfo& token, const Reader& before) {
    const std::string gone = fmt::format("{} is out of reach", token_name(token));
    try {
        if (reader_named(Readers().list(), before.name) != nullptr)
            return lost(fmt::format("{}: pcscd was started anew", gone), kRepeat);
        return unplugged(before, token);
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
    if (!seen || !token.removable) return std::nullopt;
    std::vector<Reader> readers = places(token, seen->readers);
    if (readers.empty()) return std::nullopt;
    return CardPlace(seen, std::move(readers));
}

std::optional<Error> CardPlace::loss(const TokenInfo& token, bool trouble) const {
    std::vector<Reader> readers;
    try {
        const std::lock_guard lock(seen_->mutex);
        if (trouble) seen_->pcscd.wait(seen_->readers, kNoticing, {});
        readers = seen_->pcscd.list();
    } catch (const Error&) {
        return without_pcscd(token, before_.front());
    }
    const std::string removed = fmt::format("{}{} was removed from its reader", token_name(token),
                                            before_.size() == 1 ? "" : " or another card");
    for (const Reader& before : before_) {
        const Reader* now = reader_named(readers, before.name);
        if (now == nullptr) return unplugged(before, token);
        if (!now->card) return lost(removed, "insert it again and repeat the command");
        if (now->movements != before.movements)
            return lost(fmt::format("{}, and a card was inserted", removed), kRepeat);
    }
    return std::nullopt;
}

std::string card_mark(const TokenInfo& token) {
    if (!token.removable) return {};
    try {
        const std::vector<Reader> readers = Readers().list();
        std::string movements;
        for (const Reader& reader : places(token, readers))
            movements += fmt::format("{} ", reader.movements);
        return movements.empty() ? "" : movements + pcscd_mark();
    } catch (const Error&) {
        return {};
    }
}

}  // namespace p11mime::token
