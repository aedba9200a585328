#include "softhsm-tests/matrix/signature_rows.h"

#include <algorithm>

#include "softhsm-tests/matrix/people.h"
#include "softhsm-tests/support/mail.h"
#include "softhsm-tests/support/program.h"

namespace p11mime::test::matrix {

namespace {

constexpr const char* kPkcs1 = "rsa-pkcs1";
constexpr const char* kPss = "rsa-pss";
constexpr const char* kEcdsa = "ecdsa";
constexpr const char* kDsa = "dsa";

struct Family {
    const char* name;
    KeyKind key;
    const char* signature;
};

constexpr Family kWithDigest[] = {
    {"rsa-pkcs1", KeyKind::rsa2048, kPkcs1},
    {"rsa-pss", KeyKind::rsa2048, kPss},
    {"ecdsa-p256", KeyKind::p256, kEcdsa},
    {"ecdsa-p384", KeyKind::p384, kEcdsa},
    {"ecdsa-p521", KeyKind::p521, kEcdsa},
    {"ecdsa-brainpoolP256r1", KeyKind::brainpool256, kEcdsa},
    {"ecdsa-brainpoolP384r1", KeyKind::brainpool384, kEcdsa},
    {"ecdsa-brainpoolP512r1", KeyKind::brainpool512, kEcdsa},
};
constexpr const char* kDigests[] = {"sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512"};

struct ReadOnly {
    Family family;
    const char* digest;
};

constexpr ReadOnly kReadOnly[] = {
    {{"rsa-pkcs1", KeyKind::rsa2048, kPkcs1}, "sha224"},
    {{"rsa-pkcs1", KeyKind::rsa2048, kPkcs1}, "sha1"},
    {{"rsa-pkcs1", KeyKind::rsa2048, kPkcs1}, "sha512-224"},
    {{"rsa-pkcs1", KeyKind::rsa2048, kPkcs1}, "sha512-256"},
    {{"rsa-pss", KeyKind::rsa2048, kPss}, "sha512-224"},
    {{"rsa-pss", KeyKind::rsa2048, kPss}, "sha512-256"},
    {{"rsa-pss", KeyKind::rsa2048, kPss}, "sha1"},
    {{"ecdsa-p256", KeyKind::p256, kEcdsa}, "sha1"},
    {{"dsa", KeyKind::dsa1024, kDsa}, "sha1"},
    {{"dsa", KeyKind::dsa1024, kDsa}, "sha256"},
    {{"rsa-pkcs1", KeyKind::rsa2048, kPkcs1}, "md5"},
};

SignatureRow row_of(const Family& family, const std::string& digest) {
    return {.name = std::string(family.name) + "/" + digest,
            .key = family.key,
            .digest = digest,
            .signature = family.signature,
            .pss = family.signature == kPss};
}

}  // namespace

std::vector<SignatureRow> signature_rows() {
    std::vector<SignatureRow> rows;
    const auto add = [&](SignatureRow row, const char* how) {
        row.name += how;
        rows.push_back(row);
    };
    const auto add_family = [&](const SignatureRow& row, bool first) {
        add(row, " opaque");
        if (!first) return;
        SignatureRow other = row;
        other.clear = true;
        add(other, " clear");
        other.broken = true;
        add(other, " clear, changed");
        other.clear = false;
        add(other, " opaque, changed");
    };
    for (const Family& family : kWithDigest)
        for (const char* digest : kDigests)
            add_family(row_of(family, digest), digest == kDigests[0]);
    add_family({.name = "ed25519/sha512", .key = KeyKind::ed25519, .signature = "ed25519"}, true);
    add_family({.name = "ed448/shake256", .key = KeyKind::ed448, .signature = "ed448"}, true);
    for (const auto& [family, digest] : kReadOnly) {
        SignatureRow row = row_of(family, digest);
        row.reading_only = true;
        add(row, " opaque");
    }
    if (is_sanitized())
        std::erase_if(rows, [](const SignatureRow& row) { return !row.digest.empty() && row.digest != "sha256"; });
    return rows;
}

std::string upper_digest(const SignatureRow& row) {
    std::string name = row.digest;
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
    return name;
}

std::string detached_content(const People& people, const SignatureRow& row, const std::string& signature_file) {
    const std::string name = signature_file.substr(signature_file.rfind('/') + 1) + ".content";
    return people.file(name, row.broken ? changed(std::string(kText)) : std::string(kText));
}

std::string changed(const std::string& message) {
    return replaced(message, "second", "third ");
}

}  // namespace p11mime::test::matrix
