#pragma once

#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>

#include "softhsm-tests/support/key_kind.h"

namespace p11mime::test {

/// Leaf is the certificate to issue.
struct Leaf {
    std::string name = "Alice";
    std::string email = "alice@example.gov";  ///< "" for a certificate without an address
    KeyKind kind = KeyKind::rsa2048;
    std::string key_usage;  ///< as openssl's x509v3_config has it; "" for what fits the key
    std::string extended_key_usage = "emailProtection";
    std::string more_extensions;  ///< "name=value" lines
    int begins_in_days = -1;
    int ends_in_days = 365;  ///< and half a day
};

/// Identity is a private key in software and its certificate, in PEM.
struct Identity {
    std::string name;
    std::string email;
    KeyKind kind{};
    std::string key_pem;  ///< PKCS#8; "" where the private key is elsewhere
    std::string certificate_pem;

    std::string key_der() const;          ///< PKCS#8
    std::string certificate_der() const;  ///< X.509
};

/// TestPki is a root, an intermediate under it, and what they issue. The keys live in the test's memory; keys for a
/// token are put there afterwards.
class TestPki {
  public:
    TestPki();
    ~TestPki();
    TestPki(const TestPki&) = delete;
    TestPki& operator=(const TestPki&) = delete;

    Identity issue(const Leaf& leaf) const;
    /// issue_for_key certifies a public key (SubjectPublicKeyInfo in DER) whose private half is elsewhere.
    Identity issue_for_key(const Leaf& leaf, std::string_view spki_der) const;
    /// issue_for_request signs a PKCS#10 request (PEM), taking over the extensions that it asks for.
    std::string issue_for_request(std::string_view request_pem) const;

    const std::string& root_pem() const;
    const std::string& intermediate_pem() const;

  private:
    struct State;
    std::string certify(const Leaf& leaf, EVP_PKEY* key) const;

    std::unique_ptr<State> state_;
};

/// from_pem gives the DER inside the first PEM block.
std::string from_pem(std::string_view pem);

}  // namespace p11mime::test
