#include "cms/smime/content_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "cms/key_wrap.h"
#include "cms/password_recipient.h"
#include "mime/error.h"

namespace p11mime::cms::smime {

namespace {

template <class Kind>
bool is(const RecipientEntry& entry) {
    return entry.recovery && std::holds_alternative<Kind>(*entry.recovery);
}

// Names what could still be tried: options for shared secrets, tokens for private keys.
Error no_key(const DecrypterSource& keys, const std::vector<RecipientEntry>& recipients) {
    const auto any = [&](auto fits) { return std::any_of(recipients.begin(), recipients.end(), fits); };
    if (!recipients.empty() && !any([](const RecipientEntry& entry) { return entry.recovery != nullptr; }))
        return Error(UnsupportedAlgorithm(recipients.front().unsupported));
    std::vector<std::string> hints;
    if (any(is<PasswordUnwrap>)) hints.emplace_back("--password-source opens it with its password");
    if (any(is<KekUnwrap>)) hints.emplace_back("--kek FILE opens it with the key encryption key of its id");
    const std::vector<std::string> skipped = keys.skipped();
    hints.insert(hints.end(), skipped.begin(), skipped.end());
    if (hints.empty())
        hints.emplace_back("connect the token with the key, or see 'p11mime inspect' for the recipients");
    return {ErrorKind::no_key, "none of the keys at hand is a recipient of this mail",
            fmt::format("{}", fmt::join(hints, "; "))};
}

std::uint64_t iterations_of(const std::vector<RecipientEntry>& recipients) {
    std::uint64_t iterations = 0;
    for (const RecipientEntry& entry : recipients)
        if (is<PasswordUnwrap>(entry)) iterations += std::get<PasswordUnwrap>(*entry.recovery).iterations;
    return iterations;
}

// Search looks for the content key among all recipients.
class Search {
  public:
    Search(const std::vector<RecipientEntry>& recipients, std::size_t key_size, const Effort& spent)
        : recipients_(recipients), key_size_(key_size), spent_(spent) {}

    void by_secrets(const GivenSecrets& secrets);
    void by_private_keys(DecrypterSource& keys, const Intent& intent, const std::stop_token& stop);

    const Effort& effort() const { return effort_; }
    std::optional<ContentKey> found;
    bool tried = false;  ///< something at hand is a recipient

  private:
    void with_kek(std::size_t recipient, const KeyEncryptionKey& kek);
    void with_password(std::size_t recipient, const SecretBytes& password);
    std::vector<std::size_t> recipients_of(const Decrypter& key);
    void count_operation();
    void count_iterations();
    void take(std::size_t recipient, std::optional<SecretBytes> key);

    const std::vector<RecipientEntry>& recipients_;
    std::size_t key_size_;
    Effort spent_;           // on other layers
    Effort effort_;          // on this one
    std::string incapable_;  // why a key that is a recipient's was not tried
};

// take has a random key stand for one that RSA v1.5 does not give: nothing is tried after it, neither another
// RecipientInfo nor another key, since what that opens would tell that the first failed (RFC 3218).
void Search::take(std::size_t recipient, std::optional<SecretBytes> key) {
    tried = true;
    const bool certain = !is<RsaV15>(recipients_[recipient]);
    if (key && key->size() != key_size_) key.reset();
    if (!key && !certain) key = random_key(key_size_);
    if (key) found = ContentKey{std::move(*key), recipient, certain, effort_};
}

void Search::with_kek(std::size_t recipient, const KeyEncryptionKey& kek) {
    const RecipientEntry& entry = recipients_[recipient];
    const Algorithm& wrap = *std::get<KekUnwrap>(*entry.recovery).wrap;
    const bool named = kek.id.empty() || kek.id == entry.identifier.key_identifier;
    if (named && kek.key->size() == wrap.key_size) take(recipient, unwrap_key(wrap, *kek.key, entry.encrypted_key));
}

void Search::with_password(std::size_t recipient, const SecretBytes& password) {
    const RecipientEntry& entry = recipients_[recipient];
    const auto& recovery = std::get<PasswordUnwrap>(*entry.recovery);
    take(recipient, recover_with_password(recovery, password, entry.encrypted_key));
}

// count_iterations looks at all of them before the first, so that it is one answer whichever key opens the mail.
void Search::count_iterations() {
    effort_.iterations = iterations_of(recipients_);
    if (spent_.iterations + effort_.iterations > kMaxPasswordIterations)
        throw Error(ErrorKind::malformed, fmt::format("the password recipients ask for more than {} PBKDF2 iterations",
                                                      kMaxPasswordIterations));
}

void Search::by_secrets(const GivenSecrets& secrets) {
    if (secrets.password) count_iterations();
    for (std::size_t i = 0; i < recipients_.size() && !found; ++i) {
        if (secrets.kek && is<KekUnwrap>(recipients_[i])) with_kek(i, *secrets.kek);
        if (secrets.password && is<PasswordUnwrap>(recipients_[i])) with_password(i, *secrets.password);
    }
}

// recipients_of are the entries that a key may open, RSA v1.5 last: which are tried does not depend on what it gives.
std::vector<std::size_t> Search::recipients_of(const Decrypter& key) {
    std::vector<std::size_t> fitting;
    for (std::size_t i = 0; i < recipients_.size(); ++i) {
        const Recovery* recovery = recipients_[i].recovery.get();
        if (recovery == nullptr || !needs_private_key(*recovery) || !key.is_named_by(recipients_[i].identifier))
            continue;
        if (key.supports(*recovery))
            fitting.push_back(i);
        else
            incapable_ = fmt::format("{} cannot do {}", key.name(), recipients_[i].key_management);
    }
    std::ranges::stable_partition(fitting, [&](std::size_t i) { return !is<RsaV15>(recipients_[i]); });
    return fitting;
}

void Search::count_operation() {
    if (spent_.operations + effort_.operations == kMaxPrivateKeyOperations)
        throw Error(ErrorKind::malformed, fmt::format("the mail asks for more than {} operations with private keys",
                                                      kMaxPrivateKeyOperations));
    ++effort_.operations;
}

void Search::by_private_keys(DecrypterSource& keys, const Intent& intent, const std::stop_token& stop) {
    std::vector<RecipientIdentifier> identifiers;
    for (const RecipientEntry& entry : recipients_)
        if (entry.recovery && needs_private_key(*entry.recovery)) identifiers.push_back(entry.identifier);
    const auto decrypters = identifiers.empty() ? std::vector<std::unique_ptr<Decrypter>>{} : keys.find(identifiers);

    for (const auto& decrypter : decrypters)
        for (const std::size_t i : recipients_of(*decrypter)) {
            count_operation();
            take(i, decrypter->recover(*recipients_[i].recovery, recipients_[i].encrypted_key, intent, stop));
            if (found) return;
        }
    if (!tried && !incapable_.empty()) throw Error(ErrorKind::token, incapable_, "use a token that has the mechanism");
}

}  // namespace

ContentKey find_content_key(DecrypterSource& keys, const GivenSecrets& secrets,
                            const std::vector<RecipientEntry>& recipients, std::size_t key_size, const Effort& spent,
                            const Intent& intent, const std::stop_token& stop) {
    Search search(recipients, key_size, spent);
    search.by_secrets(secrets);
    if (!search.found) search.by_private_keys(keys, intent, stop);
    if (search.found) return std::move(*search.found);
    if (!search.tried) throw no_key(keys, recipients);
    return {random_key(key_size), std::nullopt, false, search.effort()};
}

}  // namespace p11mime::cms::smime
