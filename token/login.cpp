#include "token/login.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "token/ckr.h"
#include "token/lock_advice.h"
#include "token/login_lock.h"
#include "token/refused_pins.h"

namespace p11mime::token {

namespace {

constexpr std::size_t kMostTyped = 3;  // in one login, where the token does not say that tries run out

PinState state(const TokenInfo& token, PinKind kind) {
    return kind == PinKind::puk ? token.puk_state : token.pin_state;
}

bool refuses_pin(CK_RV code) {
    return code == CKR_PIN_INCORRECT || code == CKR_PIN_INVALID || code == CKR_PIN_LEN_RANGE;
}

/// is_absence says whether a token is gone. It may have looked at the PIN before.
bool is_absence(CK_RV code) {
    constexpr std::array kCodes = {CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT, CKR_TOKEN_NOT_RECOGNIZED,
                                   CKR_SESSION_HANDLE_INVALID, CKR_SESSION_CLOSED};
    return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

/// is_unsent says whether a login failed before the PIN was sent. No other code tells that of a failed one.
bool is_unsent(CK_RV code) {
    return code == CKR_SESSION_HANDLE_INVALID;
}

/// is_not_offered says whether a module that was asked to unblock a PIN has no such thing, and so has sent no PUK.
bool is_not_offered(CK_RV code) {
    constexpr std::array kCodes = {CKR_FUNCTION_NOT_SUPPORTED, CKR_USER_TYPE_INVALID, CKR_USER_PIN_NOT_INITIALIZED};
    return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

bool is_opensc(const TokenInfo& token) {
    return token.library_manufacturer.starts_with("OpenSC");
}

/// is_vague says whether a module may have no such thing: some say it that way, and others so report what the card has
/// answered to the PUK.
bool is_vague(CK_RV code) {
    constexpr std::array kCodes = {CKR_FUNCTION_REJECTED, CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED, CKR_ARGUMENTS_BAD,
                                   CKR_DATA_INVALID};
    return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

}  // namespace

void Login::user(const Session& session, const std::string& what) {
    if (done_) return;
    const auto lock = lock_login(token_);
    const auto turn = turn_of_stored("", PinKind::user);
    PinRequest wanted = request("", what, PinKind::user);
    if (wanted.token.login_required) enter(session, CKU_USER, std::move(wanted));
    done_ = true;
}

void Login::context(const Session& session, const std::string& key_label, const std::string& what) {
    const std::string label = key_label.empty() ? "(no label)" : key_label;
    const auto lock = lock_login(token_);
    const auto turn = turn_of_stored(label, PinKind::user);
    enter(session, CKU_CONTEXT_SPECIFIC, request(label, what, PinKind::user));
}

PinRequest Login::request(std::string key_label, std::string what, PinKind kind) const {
    return {.token = read_token_info(*module_, token_),
            .key_label = std::move(key_label),
            .what = std::move(what),
            .pin_source = pin_source_,
            .kind = kind};
}

/// turn_of_stored keeps other processes from using up the tries between their being read and a stored PIN's being sent.
std::unique_ptr<Turns::Turn> Login::turn_of_stored(const std::string& key_label, PinKind kind) const {
    const bool stored = pins_.answers_at_once(
        {.token = token_, .key_label = key_label, .what = "", .pin_source = pin_source_, .kind = kind});
    return stored ? std::make_unique<Turns::Turn>(module_->turns(), Turns::Kind::login) : nullptr;
}

void Login::enter(const Session& session, CK_USER_TYPE user, PinRequest request) {
    check_state(request);
    if (request.token.protected_authentication_path && pins_.use_reader(request)) {
        conclude(session.login(user, nullptr), request, nullptr);
        return;
    }
    for (std::size_t typed = 1;; ++typed) {
        const Pin pin = obtain(request);
        const CK_RV code = session.login(user, &pin.value);
        if (refuses_pin(code)) remember_refused(owner(request.kind), pin.value);
        if (refuses_pin(code) && may_retype(request, pin, typed)) continue;
        conclude(code, request, &pin);
        return;
    }
}

/// check_state refuses a locked token and says what else there is to say of the tries.
void Login::check_state(const PinRequest& request) {
    const PinState now = state(request.token, request.kind);
    if (now == PinState::locked) throw locked_error(token_, request.kind);
    if (now != PinState::ok)
        pins_.say(fmt::format("{} of {}: {}", pin_name(request.kind), token_name(token_), warning(now)));
}

Pin Login::obtain(const PinRequest& request) {
    std::optional<Pin> pin = pins_.pin(request);
    if (!pin)
        throw Error(ErrorKind::token, fmt::format("no {} for {}", pin_name(request.kind), token_name(token_)),
                    fmt::format("give one with {}, or run it on a terminal",
                                request.kind == PinKind::puk ? "--puk-source" : "--pin-source"));
    check_may_be_sent(request, *pin);
    return std::move(*pin);
}

void Login::check_may_be_sent(const PinRequest& request, const Pin& pin) const {
    if (was_refused(owner(request.kind), pin.value))
        throw Error(ErrorKind::token,
                    fmt::format("{} has refused this {} before, and it is not sent again", token_name(token_),
                                pin_name(request.kind)),
                    "give the right one");
    if (!pin.typed_by_person && is_in_doubt(owner(request.kind), pin.value))
        throw Error(ErrorKind::token,
                    fmt::format("{} was pulled, or failed, while it checked the {}; a stored {} is not sent a second "
                                "time, since each may cost a try",
                                token_name(token_), pin_name(request.kind), pin_name(request.kind)),
                    "run the command again");
    if (state(request.token, request.kind) == PinState::last_try && !pin.typed_by_person)
        throw Error(ErrorKind::token,
                    fmt::format("{} has one try left, and a stored {} is not sent on the last try", token_name(token_),
                                pin_name(request.kind)),
                    fmt::format("type the {0} yourself: --{1}-source tty", pin_name(request.kind),
                                request.kind == PinKind::puk ? "puk" : "pin"));
}

/// may_retype says whether a person may type another PIN in place of a refused one, and has the request say why. The
/// last try takes another run of the program, so that nobody uses it up in passing.
bool Login::may_retype(PinRequest& request, const Pin& pin, std::size_t typed) {
    if (!pin.typed_by_person || typed >= kMostTyped) return false;
    request.token = read_token_info(*module_, token_);
    const PinState now = request.token.pin_state;
    if (now == PinState::last_try || now == PinState::locked) return false;
    pins_.ended(request, &pin, LoginOutcome::refused);
    request.refused = fmt::format("PIN refused by {}", token_name(token_));
    return true;
}

/// conclude tells the outcome of a login, and turns one that failed into an exception. `pin` is null for a reader's own
/// PIN pad.
void Login::conclude(CK_RV code, const PinRequest& request, const Pin* pin) {
    const std::string_view what = pin_name(request.kind);
    if (code == CKR_OK) {
        if (pin != nullptr) forget_refused(owner(request.kind), pin->value);
        return pins_.ended(request, pin, LoginOutcome::accepted);
    }
    if (code == CKR_USER_ALREADY_LOGGED_IN) return pins_.ended(request, pin, LoginOutcome::unchecked);
    if (pin != nullptr && !is_unsent(code)) remember_in_doubt(owner(request.kind), pin->value);
    if (is_absence(code)) pins_.ended(request, pin, LoginOutcome::removed);
    if (refuses_pin(code)) {
        if (pin != nullptr) remember_refused(owner(request.kind), pin->value);
        pins_.ended(request, pin, LoginOutcome::refused);
        throw Error(ErrorKind::token, fmt::format("{} refused by {}", what, token_name(token_)),
                    tries_hint(request.kind));
    }
    if (code == CKR_PIN_LOCKED) {
        pins_.ended(request, pin, LoginOutcome::locked);
        throw locked_error(token_, request.kind);
    }
    throw CkrError(code, token_name(token_), "log in");
}

std::string Login::tries_hint(PinKind kind) const {
    PinState now = PinState::ok;
    try {
        now = state(read_token_info(*module_, token_), kind);
    } catch (const Error&) {
        return "check the token";
    }
    switch (now) {
        case PinState::locked:
            return kind == PinKind::puk ? "it is locked now; ask whoever issued the token"
                                        : fmt::format("the token is locked now; {}", unlock_hint(token_));
        case PinState::last_try:
            return "one try is left before the token locks";
        case PinState::few_tries:
            return "few tries are left before the token locks";
        case PinState::ok:
        case PinState::not_set:
        case PinState::to_be_changed:
            if (!shows_tries(token_)) return "check it: a TPM does not show how many tries are left before it locks";
            return kind == PinKind::puk ? "check it: after too many wrong tries it locks for good"
                                        : "check it and try again";
    }
    return {};
}

/// owner identifies the token by what stays the same when it moves to another slot, or is seen through another module:
/// the tries are the token's.
std::string Login::owner(PinKind kind) const {
    return fmt::format("{}\n{}\n{}", token_.serial, token_.label, pin_name(kind));
}

void Login::change_pin(const Session& session) {
    const auto lock = lock_login(token_);
    const auto turn = turn_of_stored("", PinKind::old_user);
    const PinRequest wanted = request("", "change it", PinKind::old_user);
    check_state(wanted);
    if (wanted.token.protected_authentication_path && pins_.use_reader(wanted)) {
        conclude(session.set_pin(nullptr, nullptr), wanted, nullptr);
        conclude_change(wanted, nullptr);
        return;
    }
    const Pin old_pin = obtain(wanted);
    const SecretBytes new_pin = obtain_new_pin(wanted);
    // NSS wants a login first, and openCryptoki's private keys are lost without one.
    const CK_RV entered = session.login(CKU_USER, &old_pin.value);
    if (entered != CKR_PIN_EXPIRED) conclude(entered, wanted, &old_pin);
    const CK_RV code = session.set_pin(&old_pin.value, &new_pin);
    if (code == CKR_PIN_INVALID || code == CKR_PIN_LEN_RANGE)
        throw CkrError(code, token_name(token_), "set the new PIN");
    if (code != CKR_OK) conclude(code, wanted, &old_pin);
    conclude_change(wanted, &new_pin);
}

SecretBytes Login::obtain_new_pin(const PinRequest& request) {
    PinRequest wanted = request;
    wanted.kind = PinKind::new_user;
    std::optional<Pin> pin = pins_.pin(wanted);
    if (!pin)
        throw Error(ErrorKind::token, fmt::format("no new PIN for {}", token_name(token_)),
                    "give one with --new-pin-source, or run it on a terminal");
    const std::size_t shortest = request.token.shortest_pin;
    const std::size_t longest = request.token.longest_pin;
    const std::size_t size = pin->value.size();
    if (size < shortest)
        throw Error(ErrorKind::token, fmt::format("the new PIN is too short for {}", token_name(token_)),
                    fmt::format("it takes at least {} characters; the old one stays as it is", shortest));
    if (longest != 0 && size > longest)
        throw Error(ErrorKind::token, fmt::format("the new PIN is too long for {}", token_name(token_)),
                    fmt::format("it takes at most {} characters; the old one stays as it is", longest));
    return std::move(pin->value);
}

/// conclude_change makes the new PIN count as right, and what is remembered of the old one as wrong.
void Login::conclude_change(const PinRequest& request, const SecretBytes* new_pin) {
    if (new_pin != nullptr) forget_refused(owner(PinKind::user), *new_pin);
    pins_.ended(request, nullptr, LoginOutcome::replaced);
}

void Login::unblock(const Session& session) {
    if (!takes_puk(token_))
        throw Error(ErrorKind::token,
                    fmt::format("module '{}' does not unblock {} with a PUK", token_.module, token_name(token_)),
                    kUnblockYubiKey);
    const auto lock = lock_login(token_);
    const auto turn = turn_of_stored("", PinKind::puk);
    const PinRequest wanted = request("", "unblock the PIN", PinKind::puk);
    check_state(wanted);
    if (wanted.token.protected_authentication_path && pins_.use_reader(wanted)) {
        unblock_on_reader(session, wanted);
        return;
    }
    const Pin puk = obtain(wanted);
    const SecretBytes new_pin = obtain_new_pin(wanted);
    if (!unblock_as_officer(session, wanted, puk, new_pin)) unblock_without_login(session, wanted, puk, new_pin);
    conclude_change(wanted, &new_pin);
}

void Login::unblock_on_reader(const Session& session, const PinRequest& request) {
    conclude(session.login(CKU_SO, nullptr), request, nullptr);
    check(session.init_pin(nullptr), token_name(token_), "set the new PIN");
    conclude_change(request, nullptr);
}

/// unblock_as_officer is how PKCS#11 does it (2.40 section 5.6): a login with the PUK and C_InitPIN. False where the
/// module offers no such login, or nothing to be done with it, and the token has counted no PUK: it may be sent again.
bool Login::unblock_as_officer(const Session& session, const PinRequest& request, const Pin& puk,
                               const SecretBytes& new_pin) {
    const CK_RV login = session.login(CKU_SO, &puk.value);
    if (is_uncounted(login, request)) return false;
    conclude(login, request, &puk);
    const CK_RV code = session.init_pin(&new_pin);
    if (code == CKR_OK) return true;
    session.logout();
    if (!is_uncounted(code, request)) check(code, token_name(token_), "set the new PIN");
    return false;
}

/// is_uncounted says of an error whether the PUK was not counted. OpenSC has CKR_GENERAL_ERROR for the answer of PIV
/// cards, which know no login with a PUK (6A88); the token's state then is as it was, and the token is there.
bool Login::is_uncounted(CK_RV code, const PinRequest& request) const {
    if (is_not_offered(code)) return true;
    if (code != CKR_GENERAL_ERROR || !is_opensc(request.token)) return false;
    const TokenInfo now = read_token_info(*module_, token_);
    return now.puk_state == request.token.puk_state && now.pin_state == request.token.pin_state;
}

/// unblock_without_login is what some modules take in its place, OpenSC among them: C_SetPIN with the PUK as old PIN.
/// Others take that for a PIN, and count it, so only a PIN that has no try to lose gets it.
void Login::unblock_without_login(const Session& session, const PinRequest& request, const Pin& puk,
                                  const SecretBytes& new_pin) {
    const auto not_offered = [&](std::string_view or_else) {
        return Error(
            ErrorKind::token,
            fmt::format("module '{}' does not unblock {} with a PUK{}", token_.module, token_name(token_), or_else),
            is_opensc(request.token)
                ? "OpenSC does where opensc.conf says user_pin_unblock_style = set_pin_in_unlogged_session"
                : "use the tool that came with the token");
    };
    if (request.token.pin_state != PinState::locked) throw not_offered("");
    const CK_RV code = session.set_pin(&puk.value, &new_pin);
    if (code == CKR_PIN_LOCKED || is_not_offered(code) || is_vague(code)) throw not_offered(", or the PUK is locked");
    conclude(code, request, &puk);
}

}  // namespace p11mime::token
