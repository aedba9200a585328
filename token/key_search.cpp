#include "token/key_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <string>

#include "mime/error.h"
#include "token/key_hint.h"

namespace p11mime::token {

namespace {

bool names(const Uri& uri, const PrivateKey& key) {
    if (uri.object && *uri.object != key.label) return false;
    return !uri.id || *uri.id == text_of(key.id);
}

struct Prospect {
    KeyHint hint;
    std::shared_ptr<Pkcs11Token> token;
};

/// unsure is the answer where a stored PIN might be for any of several tokens.
Error unsure(std::string_view wanted, const std::vector<std::string>& tokens) {
    return Error(ErrorKind::usage,
                 fmt::format("{} may be on any of {} tokens, and a stored PIN is for one", wanted, tokens.size()),
                 fmt::format("--token takes one of {}", fmt::join(tokens, " ")));
}

std::string key_of(const cms::Certificate& certificate) {
    return fmt::format("the key of {}", certificate.subject());
}

/// Search is one run of find_keys.
class Search {
  public:
    Search(const KeyQuery& query, bool typed) : query_(query), typed_(typed) {}
    std::vector<KeyOnToken> run(std::span<const std::shared_ptr<Pkcs11Token>> tokens);

  private:
    void rank(std::span<const std::shared_ptr<Pkcs11Token>> tokens);
    void ask_all(KeyHint hint);
    void ask_on_chance();
    void ask_if_due(const Prospect& prospect);
    void ask(const Prospect& prospect);
    std::string wanted() const;
    template <class Work>
    void keep_going(Work work);

    const KeyQuery& query_;
    bool typed_;
    std::vector<Prospect> prospects_;  // the likeliest first
    std::size_t hiding_ = 0;           // of them
    std::vector<std::string> unasked_;
    std::vector<KeyOnToken> found_;
    std::exception_ptr trouble_;
};

std::vector<KeyOnToken> Search::run(std::span<const std::shared_ptr<Pkcs11Token>> tokens) {
    rank(tokens);
    ask_all(KeyHint::evidence);
    if (found_.empty()) ask_all(KeyHint::likely);
    if (found_.empty()) ask_on_chance();
    if (!found_.empty()) return std::move(found_);
    if (trouble_) std::rethrow_exception(trouble_);
    if (!unasked_.empty()) throw unsure(wanted(), unasked_);
    return {};
}

void Search::rank(std::span<const std::shared_ptr<Pkcs11Token>> tokens) {
    for (const auto& token : tokens) {
        if (query_.uri != nullptr && !query_.uri->matches(token->info())) continue;
        keep_going([&] {
            const KeyHint hint =
                query_.uri != nullptr ? key_hint(*token, *query_.uri) : key_hint(*token, *query_.certificate);
            if (hint != KeyHint::none) prospects_.push_back({hint, token});
            if (may_hide(*token, hint)) ++hiding_;
        });
    }
    std::stable_sort(prospects_.begin(), prospects_.end(),
                     [](const Prospect& a, const Prospect& b) { return a.hint > b.hint; });
}

void Search::ask_all(KeyHint hint) {
    for (const Prospect& prospect : prospects_)
        if (prospect.hint == hint) ask_if_due(prospect);
}

void Search::ask_on_chance() {
    for (const Prospect& prospect : prospects_)
        if (is_chance(prospect.hint) && found_.empty()) ask_if_due(prospect);
}

void Search::ask_if_due(const Prospect& prospect) {
    if (may_hide(*prospect.token, prospect.hint) && !may_ask_on_chance(*prospect.token, hiding_, typed_))
        unasked_.push_back(prospect.token->uri().to_string());
    else
        ask(prospect);  // where the PIN is locked, the login says so and sends none
}

void Search::ask(const Prospect& prospect) {
    keep_going([&] {
        TokenCore& core = *prospect.token->core();
        core.login(fmt::format("look for {}", wanted()));
        core.with_session([&](const Session& session) {
            const auto add = [&](const PrivateKey& key) {
                found_.push_back({prospect.token, describe_key(session, core.info(), key)});
            };
            if (query_.uri == nullptr) {
                const KeyHandle public_key = query_.certificate->public_key();
                if (const auto key = find_key_by_public_key(session, core.info(), public_key.get())) add(*key);
                return;
            }
            for (const PrivateKey& key : read_private_keys(session, objects_of_class(CKO_PRIVATE_KEY)))
                if (names(*query_.uri, key)) add(key);
        });
    });
}

std::string Search::wanted() const {
    return query_.uri != nullptr ? fmt::format("the key {}", query_.uri->to_string()) : key_of(*query_.certificate);
}

/// keep_going keeps the first trouble for the case that no other token has the key.
template <class Work>
void Search::keep_going(Work work) {
    try {
        work();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::token) throw;
        if (!trouble_) trouble_ = std::current_exception();
    }
}

}  // namespace

std::vector<KeyOnToken> find_keys(std::span<const std::shared_ptr<Pkcs11Token>> tokens, const KeyQuery& query,
                                  bool typed) {
    return Search(query, typed).run(tokens);
}

std::optional<Error> why_not_ask(std::span<const std::shared_ptr<Pkcs11Token>> tokens, const Token& token,
                                 const cms::Certificate& certificate, bool typed) {
    const auto asked = std::find_if(tokens.begin(), tokens.end(), [&](const auto& one) { return one.get() == &token; });
    if (typed || tokens.size() == 1 || asked == tokens.end() || (*asked)->core()->logged_in()) return std::nullopt;
    if (shows_key(**asked, certificate)) return std::nullopt;
    std::vector<std::string> hiding;
    for (const auto& one : tokens) {
        if (one != *asked && shows_key(*one, certificate))
            return Error(ErrorKind::token, fmt::format("{} shows its key", token_name(one->info())));
        if (may_hide(*one, KeyHint::hidden)) hiding.push_back(one->uri().to_string());
    }
    if (hiding.size() <= 1) return std::nullopt;
    return unsure(key_of(certificate), hiding);
}

}  // namespace p11mime::token
