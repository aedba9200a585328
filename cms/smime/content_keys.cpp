#include "cms/smime/content_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "mime/error.h"

namespace p11mime::cms::smime {

namespace {

bool may_open(const Decrypter& key, const RecipientEntry& entry) {
    if (!entry.recovery) return false;
    const Certificate* certificate = key.certificate();
    return certificate == nullptr || entry.identifier.matches(*certificate);
}

Error no_key(const DecrypterSource& keys, const std::vector<RecipientEntry>& recipients) {
    const bool any_supported = std::any_of(recipients.begin(), recipients.end(),
                                           [](const RecipientEntry& entry) { return entry.recovery.has_value(); });
    if (!any_supported && !recipients.empty())
        return {ErrorKind::malformed, fmt::format("unsupported algorithm {}", recipients.front().unsupported)};
    std::string seen;
    for (const std::string& line : keys.skipped())
        seen += (seen.empty() ? "" : "; ") + line;
    return {ErrorKind::no_key, "none of the keys at hand is a recipient of this mail",
            seen.empty() ? "connect the token with the key, or see 'p11mime inspect' for the recipients" : seen};
}

}  // namespace

ContentKey find_content_key(DecrypterSource& keys, const std::vector<RecipientEntry>& recipients, std::size_t key_size,
                            const std::string& intent, const std::stop_token& stop) {
    std::vector<RecipientIdentifier> identifiers;
    for (const RecipientEntry& entry : recipients)
        if (entry.recovery) identifiers.push_back(entry.identifier);
    const auto decrypters = identifiers.empty() ? std::vector<std::unique_ptr<Decrypter>>{} : keys.find(identifiers);
    if (decrypters.empty()) throw no_key(keys, recipients);

    bool tried = false;
    std::string incapable;
    for (const auto& decrypter : decrypters)
        for (std::size_t i = 0; i < recipients.size(); ++i) {
            if (!may_open(*decrypter, recipients[i])) continue;
            const Recovery& recovery = *recipients[i].recovery;
            if (!decrypter->supports(recovery)) {
                incapable = fmt::format("{} cannot do {}", decrypter->name(), recovery_name(recovery));
                continue;
            }
            tried = true;
            auto key = decrypter->recover(recovery, recipients[i].encrypted_key, {intent}, stop);
            if (key && key->size() == key_size) return {std::move(*key), i, !std::holds_alternative<RsaV15>(recovery)};
        }
    if (!tried)
        throw incapable.empty() ? no_key(keys, recipients)
                                : Error(ErrorKind::token, incapable, "use a token that has the mechanism");
    return {random_key(key_size), std::nullopt, false};
}

}  // namespace p11mime::cms::smime
