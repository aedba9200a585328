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

bool has_pin(const Prospect& prospect) {
    const PinState state = prospect.token->info().pin_state;
    return state != PinState::locked && state != PinState::not_set;
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
    void ask(const Prospect& prospect);
    std::string wanted() const;
    template <class Work>
    void keep_going(Work work);

    const KeyQuery& query_;
    bool typed_;
    std::vector<Prospect> prospects_;  // the likeliest first
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
    if (!unasked_.empty())
        throw Error(
            ErrorKind::usage,
            fmt::format("{} may be on any of {} tokens, and a stored PIN is for one", wanted(), unasked_.size()),
            fmt::format("--token takes one of {}", fmt::join(unasked_, " ")));
    return {};
}

void Search::rank(std::span<const std::shared_ptr<Pkcs11Token>> tokens) {
    for (const auto& token : tokens) {
        if (query_.uri != nullptr && !query_.uri->matches(token->info())) continue;
        keep_going([&] {
            const KeyHint hint =
                query_.uri != nullptr ? key_hint(*token, *query_.uri) : key_hint(*token, *query_.certificate);
            if (hint != KeyHint::none) prospects_.push_back({hint, token});
        });
    }
    std::stable_sort(prospects_.begin(), prospects_.end(),
                     [](const Prospect& a, const Prospect& b) { return a.hint > b.hint; });
}

void Search::ask_all(KeyHint hint) {
    for (const Prospect& prospect : prospects_)
        if (prospect.hint == hint) ask(prospect);
}

void Search::ask_on_chance() {
    const auto chances = std::count_if(prospects_.begin(), prospects_.end(),
                                       [](const Prospect& one) { return is_chance(one.hint) && has_pin(one); });
    for (const Prospect& prospect : prospects_) {
        if (!is_chance(prospect.hint) || !found_.empty()) continue;
        if (has_pin(prospect) && !may_ask_on_chance(*prospect.token, static_cast<std::size_t>(chances), typed_))
            unasked_.push_back(prospect.token->uri().to_string());
        else
            ask(prospect);  // where the PIN is locked, the login says so and sends none
    }
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
    return query_.uri != nullptr ? fmt::format("the key {}", query_.uri->to_string())
                                 : fmt::format("the key of {}", query_.certificate->subject());
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

}  // namespace p11mime::token
