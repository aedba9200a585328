#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "cms/algorithms.h"
#include "mime/error.h"
#include "mime/hex.h"
#include "softhsm-tests/support/built.h"
#include "softhsm-tests/support/pki.h"
#include "softhsm-tests/support/softhsm.h"
#include "token/token.h"

namespace p11mime::test {

/// ScriptedPins gives out one PIN, or those queued before it, and writes down what it was asked and told.
class ScriptedPins final : public token::PinProvider {
  public:
    explicit ScriptedPins(std::optional<std::string> pin = std::string(kUserPin)) : usual(std::move(pin)) {}

    std::optional<token::Pin> pin(const token::PinRequest& request) override {
        requests.push_back(request);
        std::optional<std::string> next = usual;
        if (request.kind == token::PinKind::new_user) {
            next = new_pin;
        } else if (request.kind == token::PinKind::puk) {
            next = puk;
        } else if (!queued.empty()) {
            next = queued.front();
            queued.pop_front();
        }
        if (!next) return std::nullopt;
        return token::Pin{.value = SecretBytes(bytes_of(*next)), .typed_by_person = typed};
    }
    bool use_reader(const token::PinRequest& request) override {
        reader_requests.push_back(request);
        return true;
    }
    void say(const std::string& line) override { said.push_back(line); }
    void ended(const token::PinRequest&, const token::Pin*, token::LoginOutcome outcome) override {
        outcomes.push_back(outcome);
    }

    std::optional<std::string> usual;
    std::string puk = std::string(kSoPin);
    std::string new_pin = "567890";
    std::deque<std::string> queued;
    bool typed = false;
    std::vector<token::PinRequest> requests;
    std::vector<token::PinRequest> reader_requests;
    std::vector<std::string> said;
    std::vector<token::LoginOutcome> outcomes;
};

/// TokenDesk is a SoftHSM with one token, a PKI, and a person with a PIN.
struct TokenDesk {
    explicit TokenDesk(std::string_view mechanisms = "ALL", const std::string& label = "ID card") : hsm(mechanisms) {
        hsm.add_token(label);
    }

    std::unique_ptr<token::Tokens> open(const std::string& module = SoftHsm::module()) {
        return token::Tokens::open({.modules = {module}, .token = std::nullopt}, pins);
    }
    /// open_for_person is for whoever types the PINs, so that each token that may have a key is asked.
    std::unique_ptr<token::Tokens> open_for_person() {
        return token::Tokens::open({.modules = {SoftHsm::module()}, .token = std::nullopt, .others = {.typed = true}},
                                   pins);
    }

    /// put writes an identity's key and certificate to a token.
    void put(const Identity& identity, const std::string& id_hex, const std::string& label = "ID card") {
        put_key(identity, id_hex, label);
        put_certificate(identity, id_hex, label);
    }
    void put_key(const Identity& identity, const std::string& id_hex, const std::string& label = "ID card") {
        write_file(files / "key.pem", identity.key_pem);
        hsm.import_key(label, files / "key.pem", identity.name, id_hex);
    }
    void put_certificate(const Identity& identity, const std::string& id_hex, const std::string& label = "ID card") {
        write_file(files / "certificate.der", identity.certificate_der());
        hsm.import_certificate(label, files / "certificate.der", identity.name, id_hex);
    }

    SoftHsm hsm;
    TestPki pki;
    TemporaryDirectory files;
    ScriptedPins pins;
};

/// PoorCard is the module that wraps SoftHSM and has faults; see poor_card.cpp for their names.
class PoorCard {
  public:
    explicit PoorCard(const std::string& faults = "") {
        setenv("P11MIME_POOR_CARD_MODULE", SoftHsm::module().c_str(), 1);
        setenv("P11MIME_POOR_CARD_LOG", log_path().c_str(), 1);
        set(faults);
    }
    ~PoorCard() {
        unsetenv("P11MIME_POOR_CARD_MODULE");
        unsetenv("P11MIME_POOR_CARD_LOG");
        unsetenv("P11MIME_POOR_CARD_FAULTS");
    }
    PoorCard(const PoorCard&) = delete;
    PoorCard& operator=(const PoorCard&) = delete;

    static std::string module() { return test::built_path("libp11mime-poor-card.so"); }
    void set(const std::string& faults) const { setenv("P11MIME_POOR_CARD_FAULTS", faults.c_str(), 1); }

    /// log is a line for each call: its name, and for some what went along.
    std::vector<std::string> log() const {
        if (!std::filesystem::exists(log_path())) return {};
        std::istringstream text(read_file(log_path()));
        std::vector<std::string> lines;
        for (std::string line; std::getline(text, line);)
            lines.push_back(line);
        return lines;
    }

    /// calls counts the calls whose log line begins so.
    int calls(const std::string& begin) const {
        const std::vector<std::string> lines = log();
        return static_cast<int>(std::count_if(lines.begin(), lines.end(),
                                              [&](const std::string& line) { return line.starts_with(begin); }));
    }

  private:
    std::string log_path() const { return directory_ / "calls"; }
    TemporaryDirectory directory_;
};

inline cms::Certificate certificate_of(const Identity& identity) {
    return cms::Certificate::from_der(bytes_of(identity.certificate_der()));
}

inline KeyHandle private_key_of(const Identity& identity) {
    const BioHandle bio(BIO_new_mem_buf(identity.key_pem.data(), static_cast<int>(identity.key_pem.size())));
    return KeyHandle(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

/// error_of returns the Error that `work` throws, and fails the test where it throws none.
inline Error error_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        return error;
    }
    FAIL("nothing was thrown");
    throw std::logic_error("unreachable");
}

inline const EVP_MD* evp(cms::Hash hash) {
    return cms::evp_digest(hash);
}

inline constexpr cms::Hash kAllHashes[] = {cms::Hash::sha1, cms::Hash::sha224, cms::Hash::sha256, cms::Hash::sha384,
                                           cms::Hash::sha512};

/// only_token is the one token that there is.
inline std::shared_ptr<token::Token> only_token(token::Tokens& tokens) {
    const auto all = tokens.tokens();
    REQUIRE(all.size() == 1);
    return all.front();
}

}  // namespace p11mime::test
