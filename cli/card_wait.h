#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "cli/context.h"
#include "cli/reach.h"
#include "cli/run.h"
#include "token/token.h"

namespace p11mime::cli {

/// wait_for_token looks afresh at readers and slots until `missing` finds nothing missing any more, as long as --wait
/// says: by default for a while on a terminal, and not at all elsewhere or with --batch. It says what it waits for.
/// Returns what is missing in the end. No operation with a token may be under way. Throws Error(io) once a signal has
/// come.
std::optional<Missing> wait_for_token(Run& run, const std::function<std::optional<Missing>()>& missing);

/// require_token waits for a token to be at hand, and where a URI is given for one that it matches. Throws the
/// Error(token) of what is missing in the end, each time it is asked again.
void require_token(Run& run, const std::optional<token::Uri>& uri);

/// waits_when_told says whether --wait asks to wait.
bool waits_when_told(const Options& options);

/// with_other_cards calls `look` on the tokens at hand and, for a mail that is alone and where --wait asks for it, on
/// those that come in their place, until it finds what it looks for or the time is over. It says which.
/// `not_found` tells a person what to bring.
bool with_other_cards(Context& context, const std::string& not_found, const std::function<bool()>& look);

/// explained is an Error(token) in the words of what became of the token, where it was lost meanwhile.
Error explained(Run& run, const Error& error);

/// await_return looks afresh for tokens that were lost, and waits for them as wait_for_token does; the serial number
/// counts, and another token is refused by name. All that came from tokens before is dropped. It says whether they are
/// back.
bool await_return(Run& run, const std::vector<token::LostToken>& lost);

}  // namespace p11mime::cli
