#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/key_choice.h"
#include "cli/listing_json.h"
#include "cli/packages.h"
#include "cli/reach.h"
#include "cli/token_checks.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

using Standing = Check::Standing;

// A test signature costs a login, which nobody is put through unasked.
bool may_sign(Context& context, const token::Token& token) {
    if (context.options().flag("sign")) return true;
    if (context.options().flag("batch") || token.info().pin_state == token::PinState::locked) return false;
    return context.terminal()
        .confirm(fmt::format("make a test signature with token '{}'? It asks for the PIN", token.info().label))
        .value_or(false);
}

void add(Checks& checks, Checks more) {
    std::move(more.begin(), more.end(), std::back_inserter(checks));
}

// What goes wrong half-way is the finding.
Checks guarded(std::string subject, const std::function<Checks()>& look) {
    try {
        return look();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::token) throw;
        return {{std::move(subject), Standing::failed, error.what(), error.hint()}};
    }
}

Checks check_token(Context& context, token::Token& token, Uses& uses) {
    Checks checks;
    add(checks, guarded("token", [&] { return check_certificates(context, token); }));
    const bool agreed = may_sign(context, token);
    const Checks refused = guarded("signature", [&] {
        if (agreed) token.login("make a test signature");
        return Checks{};
    });
    add(checks, guarded("mechanism", [&] { return check_mechanisms(token); }));
    add(checks, guarded("mechanism", [&] {
            add_uses(context, token, agreed && refused.empty(), uses);
            return Checks{};
        }));
    if (refused.empty())
        add(checks,
            guarded("signature", [&] { return agreed ? check_signature(context, token) : check_no_signature(token); }));
    else
        add(checks, refused);
    return checks;
}

bool has(const Checks& checks, Standing standing) {
    return std::any_of(checks.begin(), checks.end(), [&](const Check& check) { return check.standing == standing; });
}

// A token without certificates keeps nobody from mail where another one serves: NSS has one for the session beside the
// database, and TPMs have an empty one in waiting.
void excuse(Checks& checks) {
    const auto is_of_token = [](const Check& check) {
        return check.subject == "certificate" || check.subject == "token";
    };
    for (Check& check : checks)
        if (check.standing == Standing::failed && is_of_token(check)) check.standing = Standing::remark;
}

// A module that does not load leaves what can be looked at without it.
Checks reach_checks(Context& context) {
    try {
        return check_reach(context.tokens(), context.options().text("token").value_or(""));
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::token) throw;
        Checks checks = check_packages(context.options().list("module"), false);
        add(checks, check_readers_alone());
        checks.push_back({"module", Standing::failed, error.what(), error.hint()});
        return checks;
    }
}

Checks all_checks(Context& context) {
    Checks checks = reach_checks(context);
    if (has(checks, Standing::failed)) return checks;
    Uses uses;
    const auto tokens = context.tokens().tokens();
    if (context.options().flag("sign")) check_stored_pin(context, tokens);
    std::vector<std::pair<Checks, bool>> each_token;  // and whether it has certificates
    for (const auto& token : tokens) {
        Uses own;
        Checks found = check_token(context, *token, own);
        each_token.emplace_back(std::move(found), own.certificates);
        uses.certificates |= own.certificates;
        uses.may_sign |= own.may_sign;
        uses.may_decrypt |= own.may_decrypt;
        uses.sign |= own.sign;
        uses.decrypt |= own.decrypt;
    }
    for (auto& [found, has_certificates] : each_token) {
        if (!has_certificates && (uses.sign || uses.decrypt)) excuse(found);
        add(checks, std::move(found));
    }
    add(checks, check_uses(uses, context.options().flag("sign")));
    return checks;
}

void print(Terminal& terminal, const Checks& checks) {
    for (const Check& check : checks) {
        terminal.print(fmt::format("{:<11}  {}: {}", name(check.standing), check.subject, check.message));
        if (!check.fix.empty()) terminal.print(fmt::format("             → {}", check.fix));
    }
}

// Trouble with the token keeps mail from being made at all, so it counts before a certificate that is not trusted.
const Check* worst(const Checks& checks) {
    const Check* found = nullptr;
    for (const Check& check : checks) {
        if (check.standing != Standing::failed) continue;
        if (found == nullptr || (check.kind == ErrorKind::token && found->kind != ErrorKind::token)) found = &check;
    }
    return found;
}

}  // namespace

int examine(Context& context) {
    const Checks checks = all_checks(context);
    if (!context.reports_to_stdout()) print(context.terminal(), checks);
    ReportFrame frame = frame_of(context, 0, "done");
    if (const Check* failed = worst(checks)) {
        frame.error = Error(failed->kind, fmt::format("{}: {}", failed->subject, failed->message), failed->fix);
        frame.exit = status_of(failed->kind);
        frame.result = result_of(*frame.error);
        context.terminal().error(frame.error->what(), frame.error->hint());
    }
    context.deliver({}, doctor_report(frame, checks));
    return frame.exit;
}

}  // namespace p11mime::cli
