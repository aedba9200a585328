#include "cli/pins.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "cli/pin_cache.h"
#include "cli/pin_record.h"
#include "cli/terminal.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

using token::LoginOutcome;
using token::PinKind;
using token::PinRequest;
using token::PinState;

constexpr std::size_t kLongestIntent = 160;  // of a prompt: a subject may be of any length
constexpr const char* kReuse =
    "--pin-reuse: the PIN that you type now signs and decrypts every mail of this run, without asking again";

std::string identity(const token::TokenInfo& token) {
    return token.module + '\0' + token.serial + '\0' + token.label;
}

bool names_token(const token::Uri& uri) {
    return uri.token || uri.serial || uri.slot_id || uri.pin_value || uri.pin_source;
}

// Several modules may show one token, whose tries are the same ones.
std::string identity_in_any_module(const token::TokenInfo& token) {
    return token.serial + '\0' + token.label;
}

// A URI names a file, as "file:" URI or plain path (RFC 7512 section 2.4).
SecretBytes from_uri_source(const std::string& pin_source) {
    std::string path = pin_source;
    if (path.starts_with("file:")) path.erase(0, 5);
    if (path.starts_with("///")) path.erase(0, 2);
    if (path.empty() || (path == pin_source && path.front() != '/'))
        throw Error(ErrorKind::usage, "pin-source in a PKCS#11 URI must be file:PATH or an absolute path");
    return read_secret({PinSource::Kind::file, path}, "PIN");
}

PinState state(const PinRequest& request) {
    if (request.kind == PinKind::new_user) return PinState::ok;
    return request.kind == PinKind::puk ? request.token.puk_state : request.token.pin_state;
}

bool is_login(const PinRequest& request) {
    return request.kind == PinKind::user && request.key_label.empty();
}

// Whose PIN, for which key and what.
std::vector<std::string> subject_of(const PinRequest& request) {
    std::vector<std::string> lines{fmt::format("token '{}'", request.token.label)};
    if (!request.token.serial.empty()) lines.front() += fmt::format(" ({})", request.token.serial);
    if (!request.key_label.empty()) lines.push_back(fmt::format("key '{}'", request.key_label));
    if (!request.what.empty() && request.kind != PinKind::new_user)
        lines.push_back(fmt::format("to {}", shortened(request.what, kLongestIntent)));
    return lines;
}

// A PIN that nobody typed and that the token has refused, in this run or an earlier one: only by this record is one
// that shows no tries, such as a TPM, kept from being locked by whatever runs again and again.
void check_record(const PinRequest& request, const token::Pin& pin) {
    if (request.kind == PinKind::new_user) return;
    const auto when = refused_at(request.token, request.kind, pin.value);
    if (!when) return;
    throw Error(ErrorKind::token,
                fmt::format("token '{}' has refused this {} before ({}), and it is not sent again", request.token.label,
                            token::pin_name(request.kind), cms::format_time(*when)),
                "give the right one; should this be the right one by now: p11mime tokens --forget");
}

void record(const PinRequest& request, const token::Pin* pin, LoginOutcome outcome, Terminal& terminal) {
    try {
        if (outcome == LoginOutcome::accepted || outcome == LoginOutcome::replaced)
            forget_refused_pins(request.token);
        else if (outcome == LoginOutcome::refused && pin != nullptr && !pin->typed_by_person)
            record_refused_pin(request.token, request.kind, pin->value);
    } catch (const Error& error) {
        terminal.say(fmt::format("{}; a stored PIN that was refused may be sent again in another run", error.what()));
    }
}

bool is_set(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0';
}

}  // namespace

bool Pins::stored() const {
    const bool in_uri = std::any_of(settings_.uris.begin(), settings_.uris.end(),
                                    [](const token::Uri& uri) { return uri.pin_value || uri.pin_source; });
    return in_uri || (settings_.source && settings_.source->stored());
}

const std::optional<PinSource>& Pins::source_of(PinKind kind) const {
    if (kind == PinKind::puk) return settings_.puk_source;
    return kind == PinKind::new_user ? settings_.new_source : settings_.source;
}

std::optional<token::Pin> Pins::pin(const PinRequest& request) {
    const std::lock_guard lock(mutex_);
    expect_first(request);
    const auto& source = source_of(request.kind);
    if (source && source->kind == PinSource::Kind::pad)
        throw Error(ErrorKind::token, fmt::format("the reader of token '{}' has no PIN pad", request.token.label),
                    "--pin-source tty asks on the terminal");
    if (has_given(request)) {
        auto stored = given(request);
        if (stored) check_record(request, *stored);
        return stored;
    }
    if (auto pin = remembered(request)) return pin;
    return ask(request);
}

bool Pins::answers_at_once(const PinRequest& request) {
    const std::lock_guard lock(mutex_);
    return has_given(request) || remembered(request);
}

// A token that asks for its login once more has refused the first one, unless a person is to try again.
void Pins::expect_first(const PinRequest& request) {
    if (!is_login(request) || !request.refused.empty()) return;
    if (asked_.insert(identity_in_any_module(request.token)).second) return;
    throw Error(ErrorKind::token,
                fmt::format("the login to token '{}' has failed before and is not tried again", request.token.label),
                "run the command again with the right PIN");
}

bool Pins::has_given(const PinRequest& request) const {
    const auto& source = source_of(request.kind);
    if (source && source->stored()) return true;
    if (request.kind == PinKind::puk || request.kind == PinKind::new_user) return false;
    const bool in_uri = std::any_of(settings_.uris.begin(), settings_.uris.end(), [&](const token::Uri& uri) {
        return (uri.pin_value || uri.pin_source) && uri.matches(request.token);
    });
    return in_uri || !request.pin_source.empty();
}

std::optional<token::Pin> Pins::given(const PinRequest& request) {
    if (request.kind == PinKind::puk || request.kind == PinKind::new_user)
        return token::Pin{read_secret(*source_of(request.kind), token::pin_name(request.kind)), false};
    const auto uris = bound_to(request.token);
    if (uris.empty()) {
        terminal_.say(
            fmt::format("the PIN given is another token's and is not sent to token '{0}' (serial {1}); "
                        "--token 'pkcs11:serial={1}' names it",
                        request.token.label, request.token.serial));
        return std::nullopt;
    }
    for (const token::Uri* uri : uris) {
        if (uri == nullptr) continue;
        if (uri->pin_value) return token::Pin{uri->pin_value->copy(), false};
        if (uri->pin_source) return token::Pin{from_uri_source(*uri->pin_source), false};
    }
    if (!request.pin_source.empty()) return token::Pin{from_uri_source(request.pin_source), false};
    if (!settings_.source || !settings_.source->stored()) return std::nullopt;
    if (read_.empty()) read_ = read_secret(*settings_.source, "PIN");
    return token::Pin{read_.copy(), false};
}

// What the token may have the PIN of: URIs that name it, or null where none names a token. Each is bound to the first
// token that asks, since a second one with the same label is another card, whose tries the PIN would cost too.
std::vector<const token::Uri*> Pins::bound_to(const token::TokenInfo& token) {
    std::vector<const token::Uri*> wanted;
    bool some_name_a_token = false;
    for (const token::Uri& uri : settings_.uris) {
        if (!names_token(uri)) continue;
        some_name_a_token = true;
        if (uri.matches(token)) wanted.push_back(&uri);
    }
    if (!some_name_a_token) wanted.push_back(nullptr);
    std::erase_if(wanted, [&](const token::Uri* uri) {
        return bound_.try_emplace(uri, identity(token)).first->second != identity(token);
    });
    return wanted;
}

// A PIN that was typed before: in this run, for a key that asks each time (--pin-reuse), or in an earlier one, for a
// login (--pin-cache). On the last try it is asked for anew.
std::optional<token::Pin> Pins::remembered(const PinRequest& request) const {
    if (request.kind != PinKind::user || !request.refused.empty() || state(request) == PinState::last_try)
        return std::nullopt;
    if (is_login(request)) {
        if (!settings_.cache) return std::nullopt;
        auto pin = cached_pin(request.token);
        return pin ? std::optional(token::Pin{std::move(*pin), false}) : std::nullopt;
    }
    const auto typed = typed_.find(identity(request.token));
    return typed == typed_.end() ? std::nullopt : std::optional(token::Pin{typed->second.copy(), false});
}

std::optional<token::Pin> Pins::ask(const PinRequest& request) {
    if (settings_.reuse && request.kind == PinKind::user && !told_of_reuse_) {
        terminal_.say(kReuse);
        told_of_reuse_ = true;
    }
    Question question{.prompt = std::string(token::pin_name(request.kind)),
                      .details = subject_of(request),
                      .refused = request.refused};
    if (state(request) != PinState::ok) question.details.emplace_back(warning(state(request)));
    auto typed = type(question, source_of(request.kind), request.kind == PinKind::new_user);
    return typed ? std::optional(token::Pin{std::move(*typed), true}) : std::nullopt;
}

std::optional<SecretBytes> Pins::type(const Question& question, const std::optional<PinSource>& source, bool twice) {
    if (settings_.batch) return std::nullopt;
    auto typed = type_once(question, source);
    if (!typed || !twice) return typed;
    Question once_more = question;
    once_more.prompt += " again";
    const auto again = type_once(once_more, source);
    const bool same =
        again && std::equal(typed->data(), typed->data() + typed->size(), again->data(), again->data() + again->size());
    if (!same) throw Error(ErrorKind::usage, fmt::format("the two entries of the {} differ", question.prompt));
    return typed;
}

std::optional<SecretBytes> Pins::type_once(const Question& question, const std::optional<PinSource>& source) {
    if (source ? source->kind == PinSource::Kind::pinentry : prefers_pinentry()) {
        const auto program = Pinentry::find(settings_.pinentry_program);
        if (!program)
            throw Error(ErrorKind::token, "no pinentry program is installed", "--pin-source tty asks on the terminal");
        const auto quiet = terminal_.hush();
        return Pinentry(*program, settings_.secret_variables).ask(question);
    }
    if (!question.refused.empty()) terminal_.say(question.refused);
    const std::string of = question.details.empty() ? "" : " of ";
    return terminal_.ask_secret(fmt::format("{}{}{}", question.prompt, of, fmt::join(question.details, ", ")));
}

bool Pins::prefers_pinentry() const {
    return (is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") || is_set("GPG_TTY")) &&
           Pinentry::find(settings_.pinentry_program);
}

bool Pins::use_reader(const PinRequest& request) {
    const std::lock_guard lock(mutex_);
    const auto& source = source_of(request.kind);
    const bool pad_wanted = source && source->kind == PinSource::Kind::pad;
    if ((source && !pad_wanted) || has_given(request)) return false;
    expect_first(request);
    if (settings_.batch && !pad_wanted)
        throw Error(ErrorKind::token,
                    fmt::format("--batch asks nobody to enter the {} of token '{}' on its reader",
                                token::pin_name(request.kind), request.token.label),
                    "--pin-source pad does");
    std::string what(token::pin_name(request.kind));
    if (request.kind == PinKind::old_user) what = "old PIN, then the new one,";
    if (request.kind == PinKind::puk) what = "PUK, then the new PIN,";
    terminal_.say(fmt::format("enter the {} of {} on the reader", what, fmt::join(subject_of(request), ", ")));
    return true;
}

void Pins::ended(const PinRequest& request, const token::Pin* pin, LoginOutcome outcome) {
    const std::lock_guard lock(mutex_);
    if (outcome != LoginOutcome::refused && outcome != LoginOutcome::locked)
        asked_.erase(identity_in_any_module(request.token));
    record(request, pin, outcome, terminal_);
    if (request.kind == PinKind::puk && outcome != LoginOutcome::replaced) return;
    switch (outcome) {
        case LoginOutcome::accepted:
            if (pin == nullptr || !pin->typed_by_person || request.kind != PinKind::user) return;
            if (settings_.reuse) typed_.insert_or_assign(identity(request.token), pin->value.copy());
            if (settings_.cache && is_login(request)) cache(request, *pin);
            return;
        case LoginOutcome::unchecked:
            return;
        case LoginOutcome::refused:
        case LoginOutcome::locked:
        case LoginOutcome::removed:
        case LoginOutcome::replaced:
            typed_.erase(identity(request.token));
            (void)forget_cached_pin(request.token);
            return;
    }
}

void Pins::cache(const PinRequest& request, const token::Pin& pin) {
    try {
        cache_pin(request.token, pin.value, *settings_.cache);
    } catch (const Error& error) {
        if (!told_of_no_cache_) terminal_.say(fmt::format("{}; --pin-cache has no effect", error.what()));
        told_of_no_cache_ = true;
    }
}

SecretBytes Pins::secret(const std::optional<PinSource>& source, const std::string& what, bool twice) {
    const std::lock_guard lock(mutex_);
    if (source && source->stored()) return read_secret(*source, what);
    const std::string hint = "name a source with --password-source";
    if (settings_.batch) throw Error(ErrorKind::usage, fmt::format("--batch does not ask for the {}", what), hint);
    auto typed = type({.prompt = what, .details = {}, .refused = {}}, source, twice);
    if (!typed) throw Error(ErrorKind::usage, fmt::format("no {} and no terminal to ask on", what), hint);
    return std::move(*typed);
}

}  // namespace p11mime::cli
