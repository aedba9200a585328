#include "cli/key_choice.h"

#include <fmt/format.h>

#include "cli/card_wait.h"
#include "mime/error.h"
#include "mime/hex.h"

namespace p11mime::cli {

namespace {

constexpr std::size_t kLongestId = 64;  // of CKA_ID, in bytes

}  // namespace

std::vector<std::shared_ptr<token::Token>> tokens_at_hand(Context& context) {
    require_token(context.run(), std::nullopt);
    return context.tokens().tokens();
}

void check_stored_pin(Context& context, const std::vector<std::shared_ptr<token::Token>>& tokens) {
    if (!context.pins().stored()) return;
    std::vector<std::string> uris;
    for (const auto& token : tokens)
        if (token->info().login_required && !token->info().protected_authentication_path)
            uris.push_back(token->uri().to_string());
    if (uris.size() > 1)
        throw Error(ErrorKind::usage, fmt::format("which of the {} tokens is the PIN for?", uris.size()),
                    fmt::format("--token takes one of {}", fmt::join(uris, " ")));
}

Bytes id_of(const Options& options) {
    const std::string text = options.text("id").value_or("");
    auto id = parse_hex(text);
    if (!id || id->size() > kLongestId)
        throw Error(ErrorKind::usage, fmt::format("--id does not take '{}'", text),
                    fmt::format("it takes up to {} bytes in hexadecimal digits", kLongestId));
    return std::move(*id);
}

std::shared_ptr<token::Token> only_token(Context& context) {
    const auto tokens = tokens_at_hand(context);
    if (tokens.size() == 1) return tokens.front();
    std::vector<std::string> uris;
    for (const auto& token : tokens)
        uris.push_back(token->uri().to_string());
    throw Error(ErrorKind::usage, fmt::format("which of the {} tokens?", tokens.size()),
                fmt::format("--token takes one of {}", fmt::join(uris, " ")));
}

token::KeyOnToken only_key(Context& context) {
    const token::Uri uri = token::Uri::parse(context.options().required("key"));
    require_token(context.run(), std::nullopt);
    auto found = context.tokens().find_keys({.uri = &uri, .certificate = nullptr});
    if (found.empty())
        throw Error(ErrorKind::token, fmt::format("no private key fits {}", uri.to_string()),
                    "p11mime tokens --login lists the keys");
    if (found.size() == 1) return std::move(found.front());
    std::vector<std::string> uris;
    for (const auto& one : found)
        uris.push_back(one.key.uri);
    throw Error(ErrorKind::usage, fmt::format("{} private keys fit {}", found.size(), uri.to_string()),
                fmt::format("--key takes one of {}", fmt::join(uris, " ")));
}

token::KeyOnToken key_of_certificate(Context& context, const cms::Certificate& certificate) {
    require_token(context.run(), std::nullopt);
    auto found = context.tokens().find_keys({.uri = nullptr, .certificate = &certificate});
    if (!found.empty()) return std::move(found.front());
    throw Error(ErrorKind::token, fmt::format("no key on a token belongs to the certificate {}", certificate.subject()),
                "p11mime tokens --login lists the keys");
}

}  // namespace p11mime::cli
