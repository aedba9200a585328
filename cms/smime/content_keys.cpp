#include "cms/smime/content_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "cms/key_wrap.h"
#include "cms/password_recipient.h"
#include "mime/error.h"
#include "mime/limit.h"

namespace p11mime::cms::smime {

namespace {

template <class Kind>
bool is(const RecipientEntry& entry) {
    return entry.recovery && std::holds_alternative<Kind>(*entry.recovery);
}

std::string name_of(const RecipientEntry& entry) {
    const bool named = entry.identifier != RecipientIdentifier{};
    return fmt::format("{} recipient{}{}", entry.key_management, named ? ", " : "",
                       named ? entry.identifier.text() : "");
}

// faults_of says why recipients cannot be tried, of the first few.
std::vector<std::string> faults_of(const std::vector<RecipientEntry>& recipients) {
    constexpr std::size_t kNamed = 3;
    std::vector<std::string> faults;
    for (const RecipientEntry& entry : recipients)
        if (!entry.recovery && faults.size() < kNamed)
            faults.push_back(fmt::format("{} ({})", entry.fault, name_of(entry)));
    return faults;
}

// Names what could still be tried: options for shared secrets, tokens for private keys.
Error no_key(const DecrypterSource& keys, const std::vector<RecipientEntry>& recipients) {
    const auto find = [&](auto fits) { return std::find_if(recipients.begin(), recipients.end(), fits); };
    const auto any = [&](auto fits) { return find(fits) != recipients.end(); };
    std::vector<std::string> hints = faults_of(recipients);
    if (!recipients.empty() && !any([](const RecipientEntry& entry) { return entry.recovery != nullptr; }))
        return {ErrorKind::malformed, fmt::format("{}", fmt::join(hints, "; "))};
    if (any(is<PasswordUnwrap>)) hints.emplace_back("--password-source opens it with its password");
    if (const auto kek = find(is<KekUnwrap>); kek != recipients.end())
        hints.push_back(fmt::format("--kek FILE opens it with the key encryption key of its id ({}, {} bytes)",
                                    kek->identifier.text(), std::get<KekUnwrap>(*kek->recovery).wrap->key_size));
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

Error misfit_of(const RecipientEntry& entry, std::size_t size, const KeySizes& sizes) {
    return {ErrorKind::malformed,
            fmt::format("malformed CMS: a key of {} bytes where the content takes {}{} ({})", size,
                        sizes.most > sizes.least ? "at least " : "", sizes.least, name_of(entry))};
}

OwnKey own_key(const Decrypter& key) {
    const Certificate* certificate = key.certificate();
    return {key.name(), certificate == nullptr ? std::nullopt : std::optional(*certificate), std::nullopt};
}

// Search looks for the content key among all recipients.
class Search {
  public:
    Search(const std::vector<RecipientEntry>& recipients, const KeySizes& sizes, const Effort& spent)
        : recipients_(recipients), sizes_(sizes), spent_(spent) {}

    void by_secrets(const GivenSecrets& secrets);
    void by_private_keys(DecrypterSource& keys, const Intent& intent, const std::stop_token& stop);

    const Effort& effort() const { return effort_; }
    std::optional<ContentKey> found;
    bool tried = false;                ///< something at hand is a recipient
    std::optional<Error> misfit;       ///< of a key that came out as it was put in, and does not fit
    std::vector<std::string> skipped;  ///< why keys that are recipients' were not used

  private:
    void with_kek(std::size_t recipient, const KeyEncryptionKey& kek);
    void with_password(std::size_t recipient, const SecretBytes& password);
    std::vector<std::size_t> recipients_of(const Decrypter& key);
    void skip(std::string why);
    void count_operation();
    void count_iterations();
    void take(std::size_t recipient, std::optional<SecretBytes> key);

    const std::vector<RecipientEntry>& recipients_;
    KeySizes sizes_;
    Effort spent_;   // on other layers
    Effort effort_;  // on this one
};

// take has a random key stand for one that RSA v1.5 does not give: nothing is tried after it, neither another
// RecipientInfo nor another key, since what that opens would tell that the first failed (RFC 3218).
void Search::take(std::size_t recipient, std::optional<SecretBytes> key) {
    tried = true;
    const bool certain = !is<RsaV15>(recipients_[recipient]);
    if (key && !sizes_.fit(key->size())) {
        if (certain) misfit = misfit_of(recipients_[recipient], key->size(), sizes_);
        key.reset();
    }
    if (!certain) {
        SecretBytes random = random_key(sizes_.least);  // made in any case, since the time that it takes would tell
        if (!key) key = std::move(random);
    }
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
        throw LimitExceeded(
            fmt::format("the password recipients ask for more than {} PBKDF2 iterations", kMaxPasswordIterations));
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
        if (const std::string obstacle = key.obstacle(*recovery); obstacle.empty())
            fitting.push_back(i);
        else
            skip(fmt::format("{} cannot do {}: {}", key.name(), recipients_[i].key_management, obstacle));
    }
    std::stable_partition(fitting.begin(), fitting.end(), [&](std::size_t i) { return !is<RsaV15>(recipients_[i]); });
    return fitting;
}

void Search::skip(std::string why) {
    if (std::find(skipped.begin(), skipped.end(), why) == skipped.end()) skipped.push_back(std::move(why));
}

void Search::count_operation() {
    if (spent_.operations + effort_.operations == kMaxPrivateKeyOperations)
        throw LimitExceeded(
            fmt::format("the mail asks for more than {} operations with private keys", kMaxPrivateKeyOperations));
    ++effort_.operations;
}

void Search::by_private_keys(DecrypterSource& keys, const Intent& intent, const std::stop_token& stop) {
    std::vector<RecipientIdentifier> identifiers;
    for (const RecipientEntry& entry : recipients_)
        if (entry.recovery && needs_private_key(*entry.recovery)) identifiers.push_back(entry.identifier);
    const auto decrypters =
        identifiers.empty() ? std::vector<std::unique_ptr<Decrypter>>{} : keys.find(identifiers, intent);

    for (const auto& decrypter : decrypters)
        for (const std::size_t i : recipients_of(*decrypter)) {
            count_operation();
            try {
                take(i, decrypter->recover(*recipients_[i].recovery, recipients_[i].encrypted_key, intent, stop));
            } catch (const Unsupported& why) {
                skip(why.what());
            }
            if (!found) continue;
            found->own = own_key(*decrypter);
            return;
        }
    if (!tried && !skipped.empty())
        throw Error(ErrorKind::token, fmt::format("{}", fmt::join(skipped, "; ")),
                    "use a token that has the mechanism");
}

}  // namespace

ContentKey find_content_key(DecrypterSource& keys, const GivenSecrets& secrets,
                            const std::vector<RecipientEntry>& recipients, const KeySizes& sizes, const Effort& spent,
                            const Intent& intent, const std::stop_token& stop) {
    Search search(recipients, sizes, spent);
    search.by_secrets(secrets);
    if (!search.found) search.by_private_keys(keys, intent, stop);
    if (search.found) {
        search.found->skipped = std::move(search.skipped);
        return std::move(*search.found);
    }
    if (!search.tried) throw no_key(keys, recipients);
    if (search.misfit) throw Error(*search.misfit);
    return {random_key(sizes.least), std::nullopt, false, search.effort()};
}

}  // namespace p11mime::cms::smime
