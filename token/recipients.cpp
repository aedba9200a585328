#include "token/recipients.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <set>

#include "mime/error.h"
#include "token/decrypter.h"
#include "token/key_hint.h"
#include "token/key_search.h"

namespace p11mime::token {

namespace {

using Recipients = std::span<const cms::RecipientIdentifier>;

bool is_recipient(const CertificateObject& object, Recipients recipients) {
    return object.certificate && std::any_of(recipients.begin(), recipients.end(), [&](const auto& recipient) {
               return recipient.matches(*object.certificate);
           });
}

std::string certificate_name(const CertificateObject& object) {
    if (!object.label.empty() || !object.certificate) return object.label;
    return object.certificate->subject();
}

/// Elsewhere is a recipient's certificate that is not beside its key, and where it is.
struct Elsewhere {
    CertificateObject object;
    std::string place;
    bool own = false;  ///< that of whoever uses the tokens
};

/// Prospect is a token that may have the key of such a certificate.
struct Prospect {
    KeyHint hint;
    std::shared_ptr<Pkcs11Token> token;
    const Elsewhere* certificate;

    bool is_chance() const { return token::is_chance(hint); }
};

/// Search is one run over all tokens.
class Search {
  public:
    Search(Recipients recipients, std::span<const std::shared_ptr<Pkcs11Token>> tokens, const cms::Intent& intent,
           bool typed)
        : recipients_(recipients), tokens_(tokens), intent_(intent), typed_(typed) {}

    /// by_template asks the token for the certificates alone that can match, so that no other is read.
    void by_template(Pkcs11Token& token);
    /// by_reading reads every certificate: some tokens store CKA_SERIAL_NUMBER raw or have no such attributes.
    void by_reading(Pkcs11Token& token);
    /// by_others looks for keys whose certificate is not beside them.
    void by_others(const OtherCertificates& others);
    bool found() const { return !result_.keys.empty(); }
    FoundKeys take();

  private:
    void add_certificate(Pkcs11Token& token, const CertificateObject& object);
    void add_retired_keys(Pkcs11Token& token);
    void collect(const std::shared_ptr<cms::CertificateSource>& source, const std::string& place, bool own);
    std::vector<Prospect> prospects();
    bool shows(const Session& session, const Bytes& id) const;
    bool may_ask(const Prospect& prospect, std::size_t chances);
    void ask(const Prospect& prospect);
    void skip(const Pkcs11Token& token, std::string_view kind, const std::string& label, std::string_view why);
    template <class Work>
    void keep_going(Work work);

    Recipients recipients_;
    std::span<const std::shared_ptr<Pkcs11Token>> tokens_;
    const cms::Intent& intent_;
    bool typed_;
    FoundKeys result_;
    std::vector<std::pair<const Pkcs11Token*, cms::Certificate>> seen_;
    std::vector<std::pair<const Pkcs11Token*, Bytes>> used_ids_;
    std::vector<Elsewhere> elsewhere_;
    std::exception_ptr trouble_;
    std::optional<Error> unsure_;  // which token a stored PIN is for
};

/// keep_going keeps the first trouble for the case that nothing else is found.
template <class Work>
void Search::keep_going(Work work) {
    try {
        work();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::token) throw;
        result_.skipped.emplace_back(error.what());
        if (!trouble_) trouble_ = std::current_exception();
    }
}

void Search::by_template(Pkcs11Token& token) {
    keep_going([&] {
        for (const cms::RecipientIdentifier& recipient : recipients_) {
            CertificateQuery query;
            if (recipient.key_identifier.empty()) {
                query.issuer_der = recipient.issuer_der;
                query.serial_der = recipient.serial_der;
            } else {
                query.id = recipient.key_identifier;
            }
            for (const CertificateObject& object : token.find_certificates(query))
                if (is_recipient(object, recipients_)) add_certificate(token, object);
        }
        add_retired_keys(token);
    });
}

void Search::by_reading(Pkcs11Token& token) {
    keep_going([&] {
        std::set<Bytes> ids;
        for (const CertificateObject& object : token.certificates()) {
            if (is_recipient(object, recipients_))
                add_certificate(token, object);
            else
                skip(token, "certificate", certificate_name(object),
                     object.certificate ? "not a recipient" : "it cannot be read");
            ids.insert(object.id);
        }
        for (const KeyObject& key : token.private_keys(false))
            if (!ids.contains(key.id)) skip(token, "key", key.label, "no certificate, and its id is no recipient's");
    });
}

void Search::add_certificate(Pkcs11Token& token, const CertificateObject& object) {
    const auto seen = std::make_pair(static_cast<const Pkcs11Token*>(&token), *object.certificate);
    if (std::find(seen_.begin(), seen_.end(), seen) != seen_.end()) return;
    seen_.push_back(seen);
    const std::shared_ptr<TokenCore>& core = token.core();
    if (found() && !core->logged_in()) {
        result_.keys.push_back(std::make_unique<TokenDecrypter>(core, object, std::nullopt));
        return;
    }
    keep_going([&] {
        const auto keep_for_others = [&](std::string_view why) {
            elsewhere_.push_back({object, token_name(token.info()), true});
            skip(token, "certificate", certificate_name(object), why);
        };
        if (const auto why = why_not_ask(tokens_, token, *object.certificate, typed_)) {
            if (why->kind() == ErrorKind::usage) unsure_ = why;
            return keep_for_others(why->what());
        }
        std::optional<PrivateKey> key = core->private_key_of(object, intent_.what);
        if (!key) return keep_for_others("no private key with its id on the token");
        used_ids_.emplace_back(&token, key->id);
        result_.keys.push_back(std::make_unique<TokenDecrypter>(core, object, std::move(key)));
    });
}

/// add_retired_keys finds keys that have outlived their certificate, by the id that is their key identifier.
void Search::add_retired_keys(Pkcs11Token& token) {
    const std::shared_ptr<TokenCore>& core = token.core();
    for (const cms::RecipientIdentifier& recipient : recipients_) {
        const Bytes& id = recipient.key_identifier;
        const auto used = std::make_pair(static_cast<const Pkcs11Token*>(&token), id);
        if (id.empty() || std::find(used_ids_.begin(), used_ids_.end(), used) != used_ids_.end()) continue;
        const bool present = core->with_session([&](const Session& session) { return shows(session, id); });
        if (!present || (found() && !core->logged_in())) continue;  // no PIN for a second token that is not needed
        core->login(intent_.what);
        for (const PrivateKey& key : core->private_keys(id)) {
            const Bytes spki =
                core->with_session([&](const Session& session) { return read_public_key(session, core->info(), key); });
            if (spki.empty())
                skip(token, "key", key.label, "its public half cannot be read");
            else
                result_.keys.push_back(std::make_unique<TokenDecrypter>(core, key, spki));
        }
    }
}

/// shows says whether a token shows an object with an id. A certificate alone is not worth a stored PIN that may be for
/// another token.
bool Search::shows(const Session& session, const Bytes& id) const {
    if (!typed_ && tokens_.size() > 1) return shows_key_with(session, id);
    Template any_object;
    any_object.add(CKA_ID, id);
    return !session.find(any_object).empty();
}

void Search::by_others(const OtherCertificates& others) {
    collect(others.own, "--own-cert", true);
    collect(others.known, "the address book", false);
    const std::vector<Prospect> ranked = prospects();
    std::set<const Pkcs11Token*> hiding;
    for (const Prospect& prospect : ranked)
        if (may_hide(*prospect.token, prospect.hint)) hiding.insert(prospect.token.get());
    for (const Prospect& prospect : ranked)
        if (may_ask(prospect, hiding.size())) ask(prospect);
}

void Search::collect(const std::shared_ptr<cms::CertificateSource>& source, const std::string& place, bool own) {
    if (!source) return;
    try {
        for (const cms::RecipientIdentifier& recipient : recipients_) {
            const std::vector<cms::Certificate> named = source->by_identifier(recipient);
            if (named.empty() || !recipient.matches(named.front())) continue;
            elsewhere_.push_back(
                {{.label = named.front().subject(), .id = {}, .certificate = named.front(), .uri = ""}, place, own});
        }
    } catch (const Error& error) {
        result_.skipped.emplace_back(error.what());  // what cannot be read may not be needed
    }
}

std::vector<Prospect> Search::prospects() {
    std::vector<Prospect> all;
    for (const Elsewhere& one : elsewhere_)
        for (const auto& token : tokens_)
            keep_going([&] {
                const KeyHint hint = key_hint(*token, *one.object.certificate);
                if (hint != KeyHint::none) all.push_back({hint, token, &one});
            });
    std::stable_sort(all.begin(), all.end(), [](const Prospect& a, const Prospect& b) { return a.hint > b.hint; });
    return all;
}

/// may_ask says whether a token is worth a login, and why it is not.
bool Search::may_ask(const Prospect& prospect, std::size_t chances) {
    if (prospect.hint == KeyHint::evidence) return true;
    if (found()) return !prospect.is_chance();
    const auto refuse = [&](std::string_view why) {
        skip(*prospect.token, "certificate", certificate_name(prospect.certificate->object), why);
        return false;
    };
    const PinState state = prospect.token->info().pin_state;
    if (prospect.is_chance() && (state == PinState::locked || state == PinState::not_set))
        return refuse(fmt::format("its key may be there, but the PIN is {}", name(state)));
    if (prospect.hint == KeyHint::hidden && !prospect.certificate->own)
        return refuse("nothing shows its key there; where the certificate is your own, --own-cert FILE says so");
    if (!may_ask_on_chance(*prospect.token, chances, typed_))
        return refuse("its key may be there or on another token, and a stored PIN is for one; --token names it");
    return true;
}

void Search::ask(const Prospect& prospect) {
    const std::shared_ptr<TokenCore>& core = prospect.token->core();
    const CertificateObject& object = prospect.certificate->object;
    if (found() && !core->logged_in()) {
        result_.keys.push_back(std::make_unique<TokenDecrypter>(core, object, std::nullopt));
        return;
    }
    keep_going([&] {
        const std::string what = fmt::format("{} the key of {}, whose certificate is in {}, to {}",
                                             prospect.is_chance() ? "look for" : "use", object.certificate->subject(),
                                             prospect.certificate->place, intent_.what);
        if (std::optional<PrivateKey> key = core->private_key_of(object, what))
            result_.keys.push_back(std::make_unique<TokenDecrypter>(core, object, std::move(key)));
        else
            skip(*prospect.token, "certificate", certificate_name(object), "its key is not on this token");
    });
}

void Search::skip(const Pkcs11Token& token, std::string_view kind, const std::string& label, std::string_view why) {
    result_.skipped.push_back(fmt::format("{}, {} '{}': {}", token_name(token.info()), kind, label, why));
}

FoundKeys Search::take() {
    if (!found() && trouble_) std::rethrow_exception(trouble_);
    if (!found() && unsure_) throw Error(*unsure_);
    return std::move(result_);
}

}  // namespace

FoundKeys find_recipient_keys(std::span<const std::shared_ptr<Pkcs11Token>> tokens, Recipients recipients,
                              const cms::Intent& intent, const OtherCertificates& others) {
    Search search(recipients, tokens, intent, others.typed);
    for (const auto& token : tokens)
        search.by_template(*token);
    if (!search.found())
        for (const auto& token : tokens)
            search.by_reading(*token);
    if (!search.found()) search.by_others(others);
    return search.take();
}

}  // namespace p11mime::token
