#include "token/recipients.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <set>

#include "mime/error.h"
#include "token/decrypter.h"

namespace p11mime::token {

namespace {

constexpr const char* kToDecrypt = "decrypt";

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

/// Search is one run over all tokens.
class Search {
  public:
    explicit Search(Recipients recipients) : recipients_(recipients) {}

    /// by_template asks the token for the certificates alone that can match, so that no other is read.
    void by_template(Pkcs11Token& token);
    /// by_reading reads every certificate: some tokens store CKA_SERIAL_NUMBER raw or have no such attributes.
    void by_reading(Pkcs11Token& token);
    bool found() const { return !result_.keys.empty(); }
    FoundKeys take();

  private:
    void add_certificate(Pkcs11Token& token, const CertificateObject& object);
    void add_retired_keys(Pkcs11Token& token);
    void skip(const Pkcs11Token& token, std::string_view kind, const std::string& label, std::string_view why);
    template <class Work>
    void keep_going(Work work);

    Recipients recipients_;
    FoundKeys result_;
    std::vector<std::pair<const Pkcs11Token*, cms::Certificate>> seen_;
    std::vector<std::pair<const Pkcs11Token*, Bytes>> used_ids_;
    std::exception_ptr trouble_;
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
        std::optional<PrivateKey> key = core->private_key_of(object, kToDecrypt);
        if (!key)
            return skip(token, "certificate", certificate_name(object), "no private key with its id on the token");
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
        Template any_object;
        any_object.add(CKA_ID, id);
        const bool present =
            core->with_session([&](const Session& session) { return !session.find(any_object).empty(); });
        if (!present || (found() && !core->logged_in())) continue;  // no PIN for a second token that is not needed
        core->login(kToDecrypt);
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

void Search::skip(const Pkcs11Token& token, std::string_view kind, const std::string& label, std::string_view why) {
    result_.skipped.push_back(fmt::format("{}, {} '{}': {}", token_name(token.info()), kind, label, why));
}

FoundKeys Search::take() {
    if (!found() && trouble_) std::rethrow_exception(trouble_);
    return std::move(result_);
}

}  // namespace

FoundKeys find_recipient_keys(std::span<const std::shared_ptr<Pkcs11Token>> tokens, Recipients recipients) {
    Search search(recipients);
    for (const auto& token : tokens)
        search.by_template(*token);
    if (!search.found())
        for (const auto& token : tokens)
            search.by_reading(*token);
    return search.take();
}

}  // namespace p11mime::token
