#include "cli/card_wait.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "cli/pin_cache.h"
#include "cli/settings.h"
#include "cli/signals.h"
#include "token/readers.h"

namespace p11mime::cli {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kFriendly = 60s;  // on a terminal
constexpr auto kSlice = 250ms;                   // until a signal is noticed
constexpr auto kLookAgain = 1s;                  // at slots that no reader tells of

std::chrono::seconds longest_wait(Run& run, const Missing& missing) {
    if (const auto told = wait_of(run.options())) return *told;
    const bool friendly = missing.may_come && !run.options().flag("batch") && run.terminal().interactive();
    return friendly ? kFriendly : 0s;
}

// Sleeps until readers or cards have changed, or it is time to look at the slots again.
void sleep_for_news(Clock::time_point deadline) {
    const auto until = std::min(deadline, Clock::now() + kLookAgain);
    const auto left = [&] {
        return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()), 1ms);
    };
    try {
        const token::Readers readers;
        const auto known = readers.list();
        while (Clock::now() < until && interrupting_signal() == 0) {
            readers.wait(known, std::min<std::chrono::milliseconds>(left(), kSlice), {});
            if (readers.list() != known) return;
        }
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::token) throw;
        while (Clock::now() < until && interrupting_signal() == 0)
            pause_for(std::min<std::chrono::milliseconds>(left(), kSlice));
    }
}

std::optional<Missing> looked_at(const std::function<std::optional<Missing>()>& missing) {
    try {
        return missing();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::token) throw;
        return Missing{error, true};  // a module that has just been loaded may be early
    }
}

bool is_there(Run& run, const token::TokenInfo& wanted) {
    const auto tokens = run.tokens().tokens();
    return std::any_of(tokens.begin(), tokens.end(),
                       [&](const auto& token) { return same_token(token->info(), wanted); });
}

std::string named(const token::TokenInfo& token) {
    return fmt::format("token '{}' (serial {})", token.label, token.serial);
}

// What is in the slot of a token that is wanted, or in one that was empty before.
std::optional<Missing> not_back(Run& run, const token::LostToken& lost) {
    if (is_there(run, lost.token)) return std::nullopt;
    for (const auto& token : run.tokens().tokens())
        if (token->info().module == lost.token.module && token->info().slot_description == lost.token.slot_description)
            return Missing{Error(ErrorKind::token, fmt::format("{} is not {}", named(token->info()), named(lost.token)),
                                 fmt::format("insert {}", named(lost.token))),
                           true};
    return Missing{Error(ErrorKind::token, lost.why.what(), fmt::format("insert {} again", named(lost.token))), true};
}

}  // namespace

bool waits_when_told(const Options& options) {
    return wait_of(options).value_or(0s) > 0s;
}

std::optional<Missing> wait_for_token(Run& run, const std::function<std::optional<Missing>()>& missing) {
    std::optional<Missing> now = missing();
    if (!now) return now;
    const auto longest = longest_wait(run, *now);
    const auto deadline = Clock::now() + longest;
    std::string said;
    while (now && Clock::now() < deadline) {
        if (said != now->why.what()) {
            said = now->why.what();
            run.terminal().error(said, now->why.hint());
            run.terminal().say(fmt::format("waiting for it, {} s at most", longest.count()));
        }
        sleep_for_news(deadline);
        throw_if_interrupted();
        run.tokens().refresh();
        now = looked_at(missing);
    }
    return now;
}

void require_token(Run& run, const std::optional<token::Uri>& uri) {
    struct AtHand {};
    const std::string wanted = uri ? uri->to_string() : run.options().text("token").value_or("");
    const auto missing = [&]() -> std::optional<Missing> {
        const auto tokens = run.tokens().tokens();
        const bool there = std::any_of(tokens.begin(), tokens.end(),
                                       [&](const auto& token) { return !uri || uri->matches(token->info()); });
        return there ? std::nullopt : std::optional(missing_token(run.tokens(), wanted));
    };
    const std::function<AtHand()> wait = [&] {
        if (const auto what = wait_for_token(run, missing)) throw what->why;
        return AtHand{};
    };
    (void)run.once(wanted, wait, Run::Lasts::token);
}

bool with_other_cards(Context& context, const std::string& not_found, const std::function<bool()>& look) {
    if (context.in_batch() || !waits_when_told(context.options())) return look();
    const Error missing(ErrorKind::token, not_found, "insert the card that has it");
    std::optional<std::vector<std::string>> seen;  // a card is looked at, and logged in to, once
    bool found = false;
    (void)wait_for_token(context.run(), [&]() -> std::optional<Missing> {
        std::vector<std::string> now;
        for (const auto& token : context.tokens().tokens())
            now.push_back(named(token->info()));
        if (!now.empty() && now != seen) {
            seen = now;
            found = look();
        }
        return found ? std::nullopt : std::optional(Missing{missing, false});
    });
    return found;
}

Error explained(Run& run, const Error& error) {
    if (error.kind() != ErrorKind::token) return error;
    const auto lost = run.lost_tokens();
    return lost.empty() ? error : lost.front().why;
}

bool await_return(Run& run, const std::vector<token::LostToken>& lost) {
    for (const token::LostToken& each : lost)
        forget_cached_pin(each.token);
    run.forget_tokens();
    run.tokens().refresh();
    try {
        const auto missing = wait_for_token(run, [&]() -> std::optional<Missing> {
            for (const token::LostToken& each : lost)
                if (auto what = not_back(run, each)) return what;
            return std::nullopt;
        });
        if (missing) return false;
    } catch (const Error&) {
        return false;  // a signal, which ends the batch in order
    }
    for (const token::LostToken& each : lost)
        run.terminal().say(fmt::format("token '{}' is back; going on", each.token.label));
    return true;
}

}  // namespace p11mime::cli
