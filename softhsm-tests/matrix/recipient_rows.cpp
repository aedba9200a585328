#include "softhsm-tests/matrix/recipient_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <set>
#include <vector>

#include "softhsm-tests/support/program.h"

namespace p11mime::test::matrix {

namespace {

struct Curve {
    const char* name;
    KeyKind key;
};

/// Choices are what rows are made of: a sanitized run, which takes long, has few.
struct Choices {
    std::vector<const char*> hashes = {"sha1", "sha224", "sha256", "sha384", "sha512"};
    std::vector<std::size_t> wraps = {16, 24, 32};
    std::vector<const char*> ciphers = {"aes-128-cbc", "aes-192-cbc", "aes-256-cbc",      "aes-128-gcm",
                                        "aes-192-gcm", "aes-256-gcm", "chacha20-poly1305"};
};

Choices choices() {
    if (is_sanitized()) return {{"sha1", "sha512"}, {32}, {"aes-256-cbc", "aes-128-gcm", "chacha20-poly1305"}};
    return {};
}

constexpr const char* kHkdfHashes[] = {"sha256", "sha384", "sha512"};
constexpr Curve kCurves[] = {{"p256", KeyKind::p256},
                             {"p384", KeyKind::p384},
                             {"p521", KeyKind::p521},
                             {"brainpoolP256r1", KeyKind::brainpool256},
                             {"brainpoolP384r1", KeyKind::brainpool384},
                             {"brainpoolP512r1", KeyKind::brainpool512}};
constexpr Curve kMontgomeryCurves[] = {{"x25519", KeyKind::x25519}, {"x448", KeyKind::x448}};
constexpr const char* kReadOnlyCiphers[] = {"des-ede3-cbc", "rc2-128-cbc", "rc2-40-cbc"};

void add_transports(std::vector<RecipientRow>& rows, const Choices& choices) {
    rows.push_back({.name = "rsa-pkcs1", .way = Way::rsa_pkcs1, .key = KeyKind::rsa2048});
    const auto add_oaep = [&](const char* hash, const char* mgf) {
        for (const char* label : {"", "4c6162656c"})
            rows.push_back({.name = fmt::format("rsa-oaep {} mgf1-{}{}", hash, mgf, *label != 0 ? " label" : ""),
                            .way = Way::rsa_oaep,
                            .key = KeyKind::rsa2048,
                            .hash = hash,
                            .mgf = mgf,
                            .label = label});
    };
    for (const char* hash : choices.hashes)
        for (const char* mgf : choices.hashes)
            add_oaep(hash, mgf);
    add_oaep("sha512-224", "sha512-224");
    add_oaep("sha512-256", "sha512-256");
    add_oaep("sha512-256", "sha1");
    add_oaep("sha3-256", "sha3-256");
}

void add_agreements(std::vector<RecipientRow>& rows, const Choices& choices) {
    for (const Curve& curve : kCurves)
        for (const bool cofactor : {false, true})
            for (const char* hash : choices.hashes)
                for (const std::size_t wrap : choices.wraps)
                    rows.push_back({.name = fmt::format("ecdh {} {} {} wrap-{}", curve.name,
                                                        cofactor ? "cofactor" : "standard", hash, 8 * wrap),
                                    .way = Way::ecdh,
                                    .key = curve.key,
                                    .hash = hash,
                                    .cofactor = cofactor,
                                    .wrap = wrap});
    for (const Curve& curve : kMontgomeryCurves)
        for (const char* hash : kHkdfHashes)
            for (const std::size_t wrap : choices.wraps)
                rows.push_back({.name = fmt::format("xdh {} hkdf-{} wrap-{}", curve.name, hash, 8 * wrap),
                                .way = Way::xdh,
                                .key = curve.key,
                                .hash = hash,
                                .wrap = wrap});
}

void add_shared_secrets(std::vector<RecipientRow>& rows, const Choices& choices) {
    const std::string key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    for (const std::size_t wrap : choices.wraps)
        rows.push_back({.name = fmt::format("kek wrap-{}", 8 * wrap),
                        .way = Way::kek,
                        .wrap = wrap,
                        .secret = key.substr(0, 2 * wrap)});
    for (const char* prf : {"sha1", "sha256"})
        for (const std::size_t wrap : choices.wraps)
            rows.push_back({.name = fmt::format("password {} aes-{}", prf, 8 * wrap),
                            .way = Way::password,
                            .hash = prf,
                            .wrap = wrap,
                            .secret = "correct horse"});
}

RecipientRow with_cipher(RecipientRow row, const char* cipher) {
    row.name += fmt::format("/{}", cipher);
    row.cipher = cipher;
    return row;
}

}  // namespace

std::string name(Way way) {
    switch (way) {
        case Way::rsa_pkcs1:
            return "rsa-pkcs1";
        case Way::rsa_oaep:
            return "rsa-oaep";
        case Way::ecdh:
            return "ecdh";
        case Way::xdh:
            return "xdh";
        case Way::kek:
            return "kek";
        case Way::password:
            return "password";
    }
    return "";
}

std::vector<RecipientRow> key_managements() {
    std::vector<RecipientRow> rows;
    add_transports(rows, choices());
    add_agreements(rows, choices());
    add_shared_secrets(rows, choices());
    return rows;
}

std::vector<RecipientRow> recipient_rows() {
    std::vector<RecipientRow> rows;
    const auto ciphers = choices().ciphers;
    for (const RecipientRow& management : key_managements())
        for (const char* cipher : ciphers)
            rows.push_back(with_cipher(management, cipher));
    const RecipientRow rsa = key_managements().front();
    for (const char* cipher : kReadOnlyCiphers) {
        rows.push_back(with_cipher(rsa, cipher));
        rows.back().reading_only = true;
    }
    rows.push_back({.name = "xdh x25519 hkdf-sha256 wrap-256 ukm/aes-256-gcm",
                    .way = Way::xdh,
                    .key = KeyKind::x25519,
                    .hash = "sha256",
                    .wrap = 32,
                    .ukm = "75736572206b6579696e67206d6174657269616c",
                    .cipher = "aes-256-gcm",
                    .reading_only = true});
    for (const char* cipher : ciphers) {
        rows.push_back(with_cipher(rsa, cipher));
        rows.back().name += ", changed";
        rows.back().broken = true;
    }
    return rows;
}

std::vector<RecipientRow> sampled_rows() {
    std::vector<RecipientRow> rows = recipient_rows();
    if (std::getenv("P11MIME_WHOLE_MATRIX") != nullptr || std::getenv("P11MIME_MATRIX_UPDATE") != nullptr) return rows;
    std::map<std::string, std::string> chosen;  // by key management, its cipher
    std::set<Way> met;
    std::set<std::string> whole;  // key managements with all ciphers
    const auto ciphers = choices().ciphers;
    for (const RecipientRow& management : key_managements()) {
        chosen[management.name] = ciphers[chosen.size() % ciphers.size()];
        if (met.insert(management.way).second) whole.insert(management.name);
    }
    std::erase_if(rows, [&](const RecipientRow& row) {
        const std::string management = row.name.substr(0, row.name.find('/'));
        if (row.reading_only || row.broken || whole.count(management) != 0) return false;
        return row.cipher != chosen.at(management);
    });
    return rows;
}

std::string not_run_but_example(const RecipientRow& row) {
    constexpr const char* kExamples[] = {"rsa-oaep sha1 mgf1-sha1/aes-128-cbc",
                                         "ecdh p256 standard sha256 wrap-128/aes-128-cbc",
                                         "xdh x25519 hkdf-sha256 wrap-128/aes-128-cbc"};
    const bool example = row.way == Way::rsa_pkcs1 ||
                         std::find(std::begin(kExamples), std::end(kExamples), row.name) != std::end(kExamples);
    return example ? "" : "not run: no " + name(row.way);
}

}  // namespace p11mime::test::matrix
