#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "mime/error.h"
#include "token/ckr.h"
#include "token/key_search.h"
#include "token/loss.h"
#include "token/p11kit_modules.h"
#include "token/pkcs11_token.h"
#include "token/recipients.h"

namespace p11mime::token {

namespace {

/// module_name is what RFC 7512 section 2.3 calls module-name: the file without path, "lib" and suffix.
std::string module_name(const std::string& path) {
    std::string name = std::filesystem::path(path).filename().string();
    if (name.starts_with("lib")) name.erase(0, 3);
    return name.substr(0, name.find(".so"));
}

class AllTokens final : public Tokens {
  public:
    AllTokens(TokensOptions options, PinProvider& pins) : options_(std::move(options)), pins_(pins) {
        if (options_.modules.empty() && options_.token && options_.token->module_path)
            options_.modules.push_back(*options_.token->module_path);
        load_named();
    }

    std::vector<std::shared_ptr<Token>> tokens() override {
        const std::lock_guard lock(mutex_);
        enumerate();
        return {tokens_.begin(), tokens_.end()};
    }

    std::vector<KeyOnToken> find_keys(const KeyQuery& query) override {
        const std::lock_guard lock(mutex_);
        enumerate();
        return token::find_keys(tokens_, query, options_.others.typed);
    }

    std::optional<Error> why_not_ask(const Token& token, const cms::Certificate& certificate,
                                     const Uri* among) override {
        const std::lock_guard lock(mutex_);
        std::vector<std::shared_ptr<Pkcs11Token>> fitting;
        std::copy_if(tokens_.begin(), tokens_.end(), std::back_inserter(fitting),
                     [&](const auto& one) { return among == nullptr || among->matches(one->info()); });
        return token::why_not_ask(fitting, token, certificate, options_.others.typed);
    }

    std::vector<SlotState> slots() override {
        const std::lock_guard lock(mutex_);
        enumerate();
        return slots_;
    }

    std::vector<std::string> modules() override {
        const std::lock_guard lock(mutex_);
        enumerate();
        std::vector<std::string> files;
        for (const auto& module : modules_)
            files.push_back(module->path());
        return files;
    }

    std::vector<std::string> warnings() const override {
        const std::lock_guard lock(mutex_);
        return warnings_;
    }

    std::vector<std::unique_ptr<cms::Decrypter>> find(std::span<const cms::RecipientIdentifier> recipients,
                                                      const cms::Intent& intent) override {
        const std::lock_guard lock(mutex_);
        enumerate();
        skipped_.clear();
        FoundKeys found = find_recipient_keys(tokens_, recipients, intent, options_.others);
        skipped_ = std::move(found.skipped);
        return std::move(found.keys);
    }

    std::vector<std::string> skipped() const override {
        const std::lock_guard lock(mutex_);
        return skipped_;
    }

    std::vector<LostToken> lost() override {
        const std::lock_guard lock(mutex_);
        std::vector<LostToken> all;
        const bool some_failed =
            std::any_of(tokens_.begin(), tokens_.end(), [](const auto& token) { return token->core()->failed(); });
        for (const auto& token : tokens_)
            if (token->core()->failed() || !some_failed)
                if (auto why = token->core()->loss()) all.push_back({token->info(), std::move(*why)});
        for (const LostToken& lost : all)
            pins_.ended({.token = lost.token, .key_label = "", .what = "", .pin_source = ""}, nullptr,
                        LoginOutcome::removed);
        return all;
    }

    void refresh() override {
        const std::lock_guard lock(mutex_);
        for (const auto& token : tokens_)
            token->core()->retire();
        tokens_.clear();
        slots_.clear();
        modules_.clear();
        enumerated_ = false;
    }

  private:
    void load_named() {
        for (const std::string& text : options_.modules)
            load(ModuleFile::parse(text));
    }

    void load(const ModuleFile& file) {
        std::shared_ptr<Module> module = start(file);
        if (std::find(modules_.begin(), modules_.end(), module) == modules_.end())
            modules_.push_back(std::move(module));
    }

    // tpm2-pkcs11 does not start without its TPM, which takes a right that not everybody has.
    std::shared_ptr<Module> start(const ModuleFile& file) const {
        try {
            return Module::load(file, options_.turns);
        } catch (const CkrError& error) {
            if (file.path.find("tpm2_pkcs11") == std::string::npos) throw;
            throw Error(ErrorKind::token, error.what(),
                        "the TPM is out of reach: only members of the group tss may use /dev/tpmrm0 (adduser USER tss, "
                        "then log in again); TPM2_PKCS11_TCTI must name the TPM where it is another one");
        }
    }

    void load_configured() {
        ConfiguredModules configured = configured_modules();
        for (std::string& warning : configured.warnings)
            warn(std::move(warning));
        for (const ModuleFile& file : configured.files) {
            if (options_.token && options_.token->module_name && *options_.token->module_name != module_name(file.path))
                continue;
            try {
                load(file);
            } catch (const Error& error) {
                warn(error.what());
            }
        }
    }

    void warn(std::string warning) {
        if (std::find(warnings_.begin(), warnings_.end(), warning) == warnings_.end())
            warnings_.push_back(std::move(warning));
    }

    void enumerate() {
        if (enumerated_) return;
        tokens_.clear();
        slots_.clear();
        load_named();
        if (options_.modules.empty()) load_configured();
        for (const auto& module : modules_) {
            try {
                add_slots(module);
            } catch (const Error& error) {
                if (!options_.modules.empty()) throw;
                warn(error.what());
            }
        }
        enumerated_ = true;
        find_places();
        if (options_.token && options_.token->pin_source && tokens_.size() == 1)
            tokens_.front()->core()->use_pin_source(*options_.token->pin_source);
    }

    // Where a token may be in a reader, it is looked at before the card can have moved much.
    void find_places() {
        const bool in_readers =
            std::any_of(tokens_.begin(), tokens_.end(), [](const auto& token) { return token->info().removable; });
        if (!in_readers) return;
        const std::shared_ptr<CardsSeen> seen = see_cards();
        for (const auto& token : tokens_)
            token->core()->found_in(CardPlace::find(seen, token->info()));
    }

    void add_slots(const std::shared_ptr<Module>& module) {
        for (const Slot& slot : module->slots()) {
            slots_.push_back({.module = module->path(),
                              .slot_id = slot.id,
                              .description = slot.description,
                              .removable = slot.removable,
                              .token = slot.token});
            const bool wanted =
                slot.token && slot.token->initialized && (!options_.token || options_.token->matches(*slot.token));
            if (wanted)
                tokens_.push_back(
                    std::make_shared<Pkcs11Token>(std::make_shared<TokenCore>(module, *slot.token, pins_)));
        }
    }

    mutable std::mutex mutex_;
    TokensOptions options_;
    PinProvider& pins_;
    std::vector<std::shared_ptr<Module>> modules_;
    std::vector<std::shared_ptr<Pkcs11Token>> tokens_;
    std::vector<SlotState> slots_;
    std::vector<std::string> warnings_;
    std::vector<std::string> skipped_;
    bool enumerated_ = false;
};

}  // namespace

bool same_token(const TokenInfo& a, const TokenInfo& b) {
    return a.module == b.module && a.serial == b.serial && a.label == b.label;
}

std::unique_ptr<Tokens> Tokens::open(TokensOptions options, PinProvider& pins) {
    return std::make_unique<AllTokens>(std::move(options), pins);
}

}  // namespace p11mime::token
