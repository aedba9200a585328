#include "cli/reach.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "cli/packages.h"
#include "mime/hex.h"
#include "token/readers.h"

namespace p11mime::cli {

namespace {

using Standing = Check::Standing;

// Reach is what there is between a person and their tokens.
struct Reach {
    std::vector<std::string> modules;
    std::vector<std::string> module_warnings;
    std::vector<token::SlotState> slots;
    std::vector<std::shared_ptr<token::Token>> tokens;
    bool reads_cards = false;  // some module gets its tokens from readers
    bool any_module = true;    // to know a card by
    std::optional<Error> no_pcscd;
    std::vector<token::Reader> readers;
};

// p11-kit's client has no slots while its server does not answer.
bool is_p11kit_client(const std::string& module) {
    return module.find("p11-kit-client.so") != std::string::npos;
}

// A module for cards has slots whose tokens come and go, or, without a reader, none at all.
bool reads_cards(const std::vector<std::string>& modules, const std::vector<token::SlotState>& slots) {
    return std::any_of(modules.begin(), modules.end(), [&](const std::string& module) {
        return !is_p11kit_client(module) && std::none_of(slots.begin(), slots.end(), [&](const token::SlotState& slot) {
            return slot.module == module && !slot.removable;
        });
    });
}

void list_readers(Reach& reach) {
    try {
        reach.readers = token::Readers().list();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::token) throw;
        reach.no_pcscd = error;
    }
}

Reach look(token::Tokens& tokens) {
    Reach reach{.modules = tokens.modules(),
                .module_warnings = tokens.warnings(),
                .slots = tokens.slots(),
                .tokens = tokens.tokens(),
                .no_pcscd = {},
                .readers = {}};
    reach.reads_cards = reads_cards(reach.modules, reach.slots);
    if (reach.reads_cards) list_readers(reach);
    return reach;
}

bool shows_token(const Reach& reach, const token::Reader& reader) {
    return std::any_of(reach.slots.begin(), reach.slots.end(), [&](const token::SlotState& slot) {
        return slot.token && token::may_be_slot_of(slot.description, reader);
    });
}

void check_modules(const Reach& reach, Checks& checks) {
    for (const std::string& module : reach.modules)
        checks.push_back({"module", Standing::good, fmt::format("'{}' is loaded", module), ""});
    for (const std::string& warning : reach.module_warnings)
        checks.push_back({"module", Standing::remark, warning, "'p11-kit list-modules' shows what is configured"});
    if (reach.modules.empty())
        checks.push_back({"module", Standing::failed, "no PKCS#11 module is configured",
                          "apt install opensc-pkcs11 for most cards, or name the token's own: --module FILE"});
}

// What is missing matters little to somebody whose token is there without it.
Standing missing(const Reach& reach) {
    return reach.tokens.empty() ? Standing::failed : Standing::remark;
}

void check_card(const Reach& reach, const token::Reader& reader, Checks& checks) {
    if (!reader.card) {
        checks.push_back(
            {"card", missing(reach), fmt::format("there is no card in reader '{}'", reader.name), "insert the card"});
    } else if (reader.mute) {
        checks.push_back({"card", missing(reach), fmt::format("the card in reader '{}' does not answer", reader.name),
                          "turn it round, clean its contacts, or try another reader"});
    } else if (reach.any_module && !shows_token(reach, reader)) {
        checks.push_back({"card", missing(reach),
                          fmt::format("no module knows the card in reader '{}' (ATR {})", reader.name, hex(reader.atr)),
                          "install the PKCS#11 module made for it and name it: --module FILE"});
    } else {
        checks.push_back({"card", Standing::good,
                          fmt::format("the one in reader '{}' answers (ATR {})", reader.name, hex(reader.atr)), ""});
    }
}

void check_readers(const Reach& reach, Checks& checks) {
    if (!reach.reads_cards) {
        if (!reach.modules.empty())
            checks.push_back({"pcscd", Standing::unchecked, "the module's tokens need no reader", ""});
        return;
    }
    if (reach.no_pcscd) {
        checks.push_back({"pcscd", missing(reach), reach.no_pcscd->what(), reach.no_pcscd->hint()});
        return;
    }
    checks.push_back({"pcscd", Standing::good, "runs", ""});
    if (reach.readers.empty())
        checks.push_back(
            {"reader", missing(reach), "no smart card reader is plugged in", "plug in the reader, or the USB token"});
    for (const token::Reader& reader : reach.readers)
        checks.push_back({"reader", Standing::good, fmt::format("'{}' is there", reader.name), ""});
    for (const token::Reader& reader : reach.readers)
        check_card(reach, reader, checks);
}

void check_token_there(const Reach& reach, const std::string& wanted, Checks& checks) {
    if (!reach.tokens.empty()) return;
    std::vector<std::string> others;
    for (const token::SlotState& slot : reach.slots)
        if (slot.token && slot.token->initialized)
            others.push_back(fmt::format("'{}' (serial {})", slot.token->label, slot.token->serial));
    const bool empty_one = std::any_of(reach.slots.begin(), reach.slots.end(),
                                       [](const token::SlotState& slot) { return slot.token.has_value(); });
    if (!others.empty())
        checks.push_back({"token", Standing::failed,
                          fmt::format("the token at hand is {}, not {}", fmt::join(others, ", "),
                                      wanted.empty() ? "the one that is wanted" : wanted),
                          "insert the right card, or name this one with --token"});
    else if (empty_one)
        checks.push_back({"token", Standing::failed, "the token at hand is not initialised",
                          "set it up with its maker's program, or pkcs11-tool --init-token --init-pin"});
    else if (std::any_of(reach.modules.begin(), reach.modules.end(), is_p11kit_client))
        checks.push_back({"token", Standing::failed, "no p11-kit server answers, or it has no token",
                          "start 'p11-kit server' where the token is; P11_KIT_SERVER_ADDRESS has to name its socket"});
    else
        checks.push_back(
            {"token", Standing::failed, "no token in any slot", "plug it in; --module FILE names its PKCS#11 module"});
}

Checks checks_of(const Reach& reach, const std::string& wanted) {
    Checks checks;
    check_readers(reach, checks);
    check_modules(reach, checks);
    check_token_there(reach, wanted, checks);
    return checks;
}

}  // namespace

std::string_view name(Check::Standing standing) {
    switch (standing) {
        case Standing::good:
            return "ok";
        case Standing::remark:
            return "remark";
        case Standing::failed:
            return "failed";
        case Standing::unchecked:
            return "not_checked";
    }
    return "";
}

Checks check_reach(token::Tokens& tokens, const std::string& wanted) {
    const Reach reach = look(tokens);
    Checks checks = check_packages(reach.modules, reach.no_pcscd && !token::pcscd_installed());
    for (Check& check : checks)
        if (check.standing == Standing::failed) check.standing = missing(reach);
    const Checks others = checks_of(reach, wanted);
    checks.insert(checks.end(), others.begin(), others.end());
    return checks;
}

Checks check_readers_alone() {
    Reach reach;
    reach.reads_cards = true;
    reach.any_module = false;
    list_readers(reach);
    Checks checks;
    check_readers(reach, checks);
    for (Check& check : checks)
        if (check.standing == Standing::failed) check.standing = Standing::remark;
    return checks;
}

Missing missing_token(token::Tokens& tokens, const std::string& wanted) {
    Reach reach = look(tokens);
    // A token that is there is the nearest to what is wanted; what else is missing matters only without any.
    const bool other = std::any_of(reach.slots.begin(), reach.slots.end(),
                                   [](const token::SlotState& slot) { return slot.token && slot.token->initialized; });
    reach.tokens.clear();
    Checks checks;
    if (other)
        check_token_there(reach, wanted, checks);
    else
        checks = checks_of(reach, wanted);
    const auto found = std::find_if(checks.begin(), checks.end(),
                                    [](const Check& check) { return check.standing == Standing::failed; });
    if (found == checks.end()) return {Error(ErrorKind::token, "no token is at hand"), true};
    return {Error(ErrorKind::token, found->message, found->fix),
            found->subject != "module" && (other || reach.reads_cards)};
}

}  // namespace p11mime::cli
