#pragma once

#include <string>
#include <vector>

#include "cms/certificate.h"
#include "cms/smime/report.h"
#include "token/token_info.h"

namespace p11mime::cli {

/// WatchEvent is what happened to a reader or a card, as docs/json.md has it.
struct WatchEvent {
    enum class Kind { pcscd_started, pcscd_stopped, reader_added, reader_removed, card_inserted, card_removed };
    Kind kind;
    cms::Time time{};
    bool initial = false;                  ///< it was so when watching began
    std::string reader;                    ///< "" where none is concerned
    std::string atr;                       ///< hex; "" where there is none
    std::vector<token::TokenInfo> tokens;  ///< on the card
    std::vector<cms::smime::Warning> warnings;
};

/// name is "card-inserted" and so on.
std::string_view name(WatchEvent::Kind kind);

/// event_line is an event for people; event_json one for programs, with a line feed.
std::string event_line(const WatchEvent& event);
std::string event_json(const WatchEvent& event);

/// run_hook starts a command of the shell with the event in its environment, and does not wait for it:
/// P11MIME_EVENT, P11MIME_INITIAL ("1" or ""), P11MIME_READER, P11MIME_ATR, and of the first token on the card
/// P11MIME_TOKEN (label), P11MIME_SERIAL, P11MIME_MODULE; "" where there is none. Its output goes to standard error.
/// `hidden` names variables that it is not to inherit, since they hold secrets. Throws Error(io) where there is no
/// shell.
void run_hook(const std::string& command, const WatchEvent& event, const std::vector<std::string>& hidden);

}  // namespace p11mime::cli
