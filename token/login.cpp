#include "token/login.h"

#include <fmt/format.h>

#include "token/ckr.h"
#include "token/refused_pins.h"

namespace p11mime::token {

namespace {

constexpr std::string_view kPin = "PIN";
constexpr std::string_view kPuk = "PUK";
constexpr const char* kUnblockHint = "unblock it with the PUK: p11mime key unblock";

Error locked(const TokenInfo& token) {
    return Error(ErrorKind::token, fmt::format("{} is locked", token_name(token)), kUnblockHint);
}

bool is_refusal(CK_RV code) {
    return code == CKR_PIN_INCORRECT || code == CKR_PIN_INVALID || code == CKR_PIN_LEN_RANGE;
}

}  // namespace

void Login::user(const Session& session, const std::string& what) {
    if (done_) return;
    TokenInfo now = read_token_info(*module_, token_);
    if (now.login_required)
        enter(session, CKU_USER, {.token = std::move(now), .key_label = "", .what = what, .pin_source = pin_source_});
    done_ = true;
}

void Login::context(const Session& session, const std::string& key_label, const std::string& what) {
    enter(session, CKU_CONTEXT_SPECIFIC,
          {.token = read_token_info(*module_, token_),
           .key_label = key_label.empty() ? "(no label)" : key_label,
           .what = what,
           .pin_source = pin_source_});
}

void Login::enter(const Session& session, CK_USER_TYPE user, PinRequest request) {
    if (request.token.pin_state == PinState::locked) throw locked(token_);
    say_state(request.token);
    if (request.token.protected_authentication_path) {
        pins_.use_reader(request);
        judge(session.login(user, nullptr), owner(kPin), nullptr, kPin);
        return;
    }
    const Pin pin = obtain(request);
    refuse_to_repeat(owner(kPin), pin.value, kPin);
    if (request.token.pin_state == PinState::last_try && !pin.typed_by_person)
        throw Error(
            ErrorKind::token,
            fmt::format("{} has one try left, and a stored PIN is not sent on the last try", token_name(token_)),
            "type the PIN yourself: --pin-source tty");
    judge(session.login(user, &pin.value), owner(kPin), &pin.value, kPin);
}

Pin Login::obtain(const PinRequest& request) {
    std::optional<Pin> pin = pins_.pin(request);
    if (!pin)
        throw Error(ErrorKind::token, fmt::format("no PIN for {}", token_name(token_)),
                    "give one with --pin-source, or run it on a terminal");
    return std::move(*pin);
}

void Login::say_state(const TokenInfo& now) {
    switch (now.pin_state) {
        case PinState::ok:
        case PinState::locked:
            return;
        case PinState::few_tries:
            pins_.say(fmt::format("{}: a wrong PIN was entered before, few tries are left", token_name(now)));
            return;
        case PinState::last_try:
            pins_.say(fmt::format("{}: this is the last try before the PIN is locked", token_name(now)));
            return;
        case PinState::not_set:
            pins_.say(fmt::format("{}: no PIN is set yet", token_name(now)));
            return;
        case PinState::to_be_changed:
            pins_.say(fmt::format("{}: the PIN must be changed: p11mime key change-pin", token_name(now)));
            return;
    }
}

/// judge turns the outcome of a login into an exception where it failed. `pin` is null for a reader's own PIN pad.
void Login::judge(CK_RV code, const std::string& owner, const SecretBytes* pin, std::string_view pin_name) {
    if (code == CKR_OK || code == CKR_USER_ALREADY_LOGGED_IN) return;
    if (is_refusal(code)) {
        if (pin != nullptr) remember_refused(owner, *pin);
        throw Error(ErrorKind::token, fmt::format("{} refused by {}", pin_name, token_name(token_)),
                    pin_name == kPin ? tries_hint() : "check it: after too many wrong tries it locks for good");
    }
    if (code == CKR_PIN_LOCKED && pin_name == kPin) throw locked(token_);
    if (code == CKR_PIN_LOCKED)
        throw Error(ErrorKind::token, fmt::format("the {} of {} is locked", pin_name, token_name(token_)),
                    "ask whoever issued the token");
    throw CkrError(code, token_name(token_), "log in");
}

void Login::refuse_to_repeat(const std::string& owner, const SecretBytes& pin, std::string_view pin_name) const {
    if (!was_refused(owner, pin)) return;
    throw Error(ErrorKind::token,
                fmt::format("{} has refused this {} before, and it is not sent again", token_name(token_), pin_name),
                "give the right one");
}

std::string Login::tries_hint() const {
    PinState state = PinState::ok;
    try {
        state = read_token_info(*module_, token_).pin_state;
    } catch (const Error&) {
        return "check the token";
    }
    switch (state) {
        case PinState::locked:
            return fmt::format("the token is locked now; {}", kUnblockHint);
        case PinState::last_try:
            return "one try is left before the token locks";
        case PinState::few_tries:
            return "few tries are left before the token locks";
        case PinState::ok:
        case PinState::not_set:
        case PinState::to_be_changed:
            return "check it and try again";
    }
    return {};
}

/// owner identifies the token by what stays the same when it moves to another slot.
std::string Login::owner(std::string_view pin_name) const {
    return fmt::format("{}\n{}\n{}\n{}", token_.module, token_.serial, token_.label, pin_name);
}

void Login::change_pin(const Session& session, const SecretBytes& old_pin, const SecretBytes& new_pin) {
    const TokenInfo now = read_token_info(*module_, token_);
    if (now.pin_state == PinState::locked) throw locked(token_);
    say_state(now);
    if (now.protected_authentication_path) {
        pins_.use_reader({.token = now, .key_label = "", .what = "change the PIN", .pin_source = ""});
        judge(session.set_pin(nullptr, nullptr), owner(kPin), nullptr, kPin);
        return;
    }
    refuse_to_repeat(owner(kPin), old_pin, kPin);
    // NSS wants a login first, and openCryptoki's private keys are lost without one.
    const CK_RV entered = session.login(CKU_USER, &old_pin);
    if (entered != CKR_PIN_EXPIRED) judge(entered, owner(kPin), &old_pin, kPin);
    const CK_RV code = session.set_pin(&old_pin, &new_pin);
    if (code == CKR_PIN_INVALID || code == CKR_PIN_LEN_RANGE)
        throw CkrError(code, token_name(token_), "set the new PIN");
    judge(code, owner(kPin), &old_pin, kPin);
    forget_refused(owner(kPin), new_pin);
}

void Login::unblock(const Session& session, const SecretBytes& puk, const SecretBytes& new_pin) {
    const TokenInfo now = read_token_info(*module_, token_);
    if (now.protected_authentication_path) {
        pins_.use_reader({.token = now, .key_label = "", .what = "unblock the PIN", .pin_source = ""});
        judge(session.login(CKU_SO, nullptr), owner(kPuk), nullptr, kPuk);
        check(session.init_pin(nullptr), token_name(token_), "set the new PIN");
        return;
    }
    refuse_to_repeat(owner(kPuk), puk, kPuk);
    judge(session.login(CKU_SO, &puk), owner(kPuk), &puk, kPuk);
    check(session.init_pin(&new_pin), token_name(token_), "set the new PIN");
    forget_refused(owner(kPin), new_pin);
}

}  // namespace p11mime::token
