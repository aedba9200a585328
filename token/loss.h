#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "mime/error.h"
#include "token/readers.h"
#include "token/token_info.h"

namespace p11mime::token {

/// CardsSeen is the readers as they were when tokens were found in them, and the connection over which they were seen:
/// it fails once that pcscd has ended.
struct CardsSeen {
    Readers pcscd;
    const std::vector<Reader> readers = pcscd.list();
    std::mutex mutex;  // of the connection
};

/// see_cards returns nothing where pcscd cannot be asked.
std::shared_ptr<CardsSeen> see_cards();

/// CardPlace is the reader that a token was found in, or the several of which it may be in any: then the token counts
/// as lost with each card in these, since OpenSC cannot be asked. Safe for several threads.
class CardPlace {
  public:
    /// find returns nothing where no reader tells of the token.
    static std::optional<CardPlace> find(const std::shared_ptr<CardsSeen>& seen, const TokenInfo& token);

    /// loss says why the token is no longer usable: pulled, its reader unplugged, pcscd gone; nothing where it has not
    /// moved. `trouble` gives pcscd the time that it takes to notice.
    std::optional<Error> loss(const TokenInfo& token, bool trouble) const;

  private:
    CardPlace(std::shared_ptr<CardsSeen> seen, std::vector<Reader> readers)
        : seen_(std::move(seen)), before_(std::move(readers)) {}

    std::shared_ptr<CardsSeen> seen_;
    std::vector<Reader> before_;  // at least one
};

/// card_mark changes once a card has come to or gone from a reader that the token may be in, or pcscd has started anew
/// and may have missed that. "" for a token in no reader, and without pcscd.
std::string card_mark(const TokenInfo& token);

}  // namespace p11mime::token
