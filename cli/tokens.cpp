#include <fmt/format.h>

#include "cli/card_wait.h"
#include "cli/commands.h"
#include "cli/key_choice.h"
#include "cli/listing_json.h"
#include "cli/pin_cache.h"
#include "cli/pin_record.h"
#include "mime/error.h"

namespace p11mime::cli {

namespace {

TokenListing look_at(Context& context, token::Token& token) {
    TokenListing listing{.info = token.info(), .uri = token.uri().to_string(), .certificates = {}, .keys = {}};
    const bool login = context.options().flag("login");
    if (login) {
        try {
            token.login("list the keys");
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::token) throw;
            listing.login_error = error;
        }
    }
    listing.certificates = token.certificates();
    listing.keys = token.private_keys(false);
    listing.keys_complete = !listing.info.login_required || (login && !listing.login_error);
    return listing;
}

std::string certificate_line(const token::CertificateObject& object) {
    if (!object.certificate) return "unreadable";
    const cms::Certificate& certificate = *object.certificate;
    const auto emails = certificate.emails();
    std::string line = certificate.subject();
    if (!emails.empty()) line += fmt::format(" <{}>", fmt::join(emails, ", "));
    return fmt::format("{}, {}, until {}", line, certificate.key_type(),
                       cms::format_time(certificate.not_after()).substr(0, 10));
}

std::string key_line(const token::KeyObject& key) {
    std::vector<std::string_view> uses;
    if (key.can_sign) uses.emplace_back("sign");
    if (key.can_decrypt) uses.emplace_back("decrypt");
    if (key.can_derive) uses.emplace_back("derive");
    return fmt::format("{} ({}){}", key.description, fmt::join(uses, ", "),
                       key.always_authenticate ? ", asks for the PIN each time" : "");
}

void print(Terminal& terminal, const TokenListing& token) {
    const token::TokenInfo& info = token.info;
    terminal.print(fmt::format("token '{}': {} {}, serial {}", info.label, info.manufacturer, info.model, info.serial));
    terminal.print(fmt::format("  {}", token.uri));
    terminal.print(fmt::format("  in slot {}: {}", info.slot_id, info.slot_description));
    terminal.print(fmt::format("  PIN: {}{}{}", name(info.pin_state),
                               info.protected_authentication_path ? ", PIN pad" : "",
                               info.login_required ? "" : ", no login needed"));
    for (const auto& object : token.certificates) {
        terminal.print(fmt::format("  certificate '{}': {}", object.label, certificate_line(object)));
        terminal.print(fmt::format("    {}", object.uri));
    }
    for (const auto& key : token.keys) {
        terminal.print(fmt::format("  key '{}': {}", key.label, key_line(key)));
        terminal.print(fmt::format("    {}", key.uri));
    }
    if (token.login_error)
        terminal.print(fmt::format("  no login: {}", token.login_error->what()));
    else if (!token.keys_complete)
        terminal.print("  private keys may be hidden before login: --login shows all");
}

void print(Context& context, const std::vector<token::SlotState>& slots, const std::vector<TokenListing>& tokens) {
    for (const auto& slot : slots)
        if (!slot.token)
            context.terminal().print(
                fmt::format("slot {} without a token: {} ({})", slot.slot_id, slot.description, slot.module));
    for (const TokenListing& token : tokens)
        print(context.terminal(), token);
}

// --forget drops PINs, and needs no module for it.
int forget_pins(Context& context) {
    std::optional<token::Uri> tokens;
    if (const auto uri = context.options().text("token")) tokens = token::Uri::parse(*uri);
    const std::size_t count = forget_cached_pins(tokens);
    context.terminal().say(fmt::format("{} cached {} forgotten", count, count == 1 ? "PIN" : "PINs"));
    if (const std::size_t refused = forget_refused_pins(tokens); refused > 0)
        context.terminal().say(fmt::format("{} refused {} forgotten", refused, refused == 1 ? "PIN" : "PINs"));
    context.deliver({}, tokens_report(frame_of(context, 0, "done"), {}, {}, count));
    return 0;
}

}  // namespace

int list_tokens(Context& context) {
    if (context.options().flag("forget")) return forget_pins(context);
    if (waits_when_told(context.options())) require_token(context.run(), std::nullopt);
    const auto slots = context.tokens().slots();
    const auto tokens = context.tokens().tokens();
    if (context.options().flag("login")) check_stored_pin(context, tokens);
    std::vector<TokenListing> listings;
    for (const auto& token : tokens)
        listings.push_back(look_at(context, *token));
    if (!context.reports_to_stdout()) print(context, slots, listings);
    if (listings.empty()) throw missing_token(context.tokens(), context.options().text("token").value_or("")).why;
    ReportFrame frame = frame_of(context, 0, "done");
    for (const TokenListing& listing : listings) {
        if (!listing.login_error) continue;
        context.terminal().error(listing.login_error->what(), listing.login_error->hint());
        if (frame.error) continue;
        frame.exit = 4;
        frame.result = "error";
        frame.error = listing.login_error;
    }
    context.deliver({}, tokens_report(frame, slots, listings));
    return frame.exit;
}

}  // namespace p11mime::cli
