#include "cms/algorithms.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "mime/header.h"

namespace p11mime::cms {

namespace {

using enum AlgorithmKind;
using Family = SignatureFamily;

constexpr Algorithm kTable[] = {
    {.kind = digest,
     .oid = "2.16.840.1.101.3.4.2.1",
     .name = "sha256",
     .evp = "SHA256",
     .hash = Hash::sha256,
     .micalg = "sha-256"},
    {.kind = digest,
     .oid = "2.16.840.1.101.3.4.2.2",
     .name = "sha384",
     .evp = "SHA384",
     .hash = Hash::sha384,
     .micalg = "sha-384"},
    {.kind = digest,
     .oid = "2.16.840.1.101.3.4.2.3",
     .name = "sha512",
     .evp = "SHA512",
     .hash = Hash::sha512,
     .micalg = "sha-512"},
    {.kind = digest,
     .oid = "2.16.840.1.101.3.4.2.4",
     .name = "sha224",
     .evp = "SHA224",
     .standing = Standing::weak,
     .hash = Hash::sha224,
     .micalg = "sha-224"},
    {.kind = digest,
     .oid = "1.3.14.3.2.26",
     .name = "sha1",
     .evp = "SHA1",
     .standing = Standing::weak,
     .hash = Hash::sha1,
     .micalg = "sha-1"},
    {.kind = digest,
     .oid = "1.2.840.113549.2.5",
     .name = "md5",
     .evp = "MD5",
     .standing = Standing::refused,
     .micalg = "md5"},

    {.kind = signature, .oid = "1.2.840.113549.1.1.1", .name = "rsa-pkcs1", .family = Family::rsa_pkcs1},
    {.kind = signature,
     .oid = "1.2.840.113549.1.1.11",
     .name = "rsa-pkcs1",
     .hash = Hash::sha256,
     .family = Family::rsa_pkcs1},
    {.kind = signature,
     .oid = "1.2.840.113549.1.1.12",
     .name = "rsa-pkcs1",
     .hash = Hash::sha384,
     .family = Family::rsa_pkcs1},
    {.kind = signature,
     .oid = "1.2.840.113549.1.1.13",
     .name = "rsa-pkcs1",
     .hash = Hash::sha512,
     .family = Family::rsa_pkcs1},
    {.kind = signature,
     .oid = "1.2.840.113549.1.1.14",
     .name = "rsa-pkcs1",
     .standing = Standing::weak,
     .hash = Hash::sha224,
     .family = Family::rsa_pkcs1},
    {.kind = signature,
     .oid = "1.2.840.113549.1.1.5",
     .name = "rsa-pkcs1",
     .standing = Standing::weak,
     .hash = Hash::sha1,
     .family = Family::rsa_pkcs1},
    {.kind = signature,
     .oid = "1.2.840.113549.1.1.4",
     .name = "rsa-md5",
     .standing = Standing::refused,
     .family = Family::rsa_pkcs1},
    {.kind = signature, .oid = "1.2.840.113549.1.1.10", .name = "rsa-pss", .family = Family::rsa_pss},
    {.kind = signature, .oid = "1.2.840.10045.4.3.2", .name = "ecdsa", .hash = Hash::sha256, .family = Family::ecdsa},
    {.kind = signature, .oid = "1.2.840.10045.4.3.3", .name = "ecdsa", .hash = Hash::sha384, .family = Family::ecdsa},
    {.kind = signature, .oid = "1.2.840.10045.4.3.4", .name = "ecdsa", .hash = Hash::sha512, .family = Family::ecdsa},
    {.kind = signature,
     .oid = "1.2.840.10045.4.3.1",
     .name = "ecdsa",
     .standing = Standing::weak,
     .hash = Hash::sha224,
     .family = Family::ecdsa},
    {.kind = signature,
     .oid = "1.2.840.10045.4.1",
     .name = "ecdsa",
     .standing = Standing::weak,
     .hash = Hash::sha1,
     .family = Family::ecdsa},
    {.kind = signature,
     .oid = "1.2.840.10045.2.1",
     .name = "ecdsa",
     .family = Family::ecdsa},  // the key's OID, seen in the field
    {.kind = signature,
     .oid = "1.2.840.10040.4.3",
     .name = "dsa",
     .standing = Standing::weak,
     .hash = Hash::sha1,
     .family = Family::dsa},
    {.kind = signature, .oid = "1.2.840.10040.4.1", .name = "dsa", .standing = Standing::weak, .family = Family::dsa},

    {.kind = key_transport, .oid = "1.2.840.113549.1.1.1", .name = "rsa-pkcs1"},
    {.kind = key_transport, .oid = "1.2.840.113549.1.1.7", .name = "rsa-oaep"},
    {.kind = mask_generation, .oid = "1.2.840.113549.1.1.8", .name = "mgf1"},

    {.kind = key_agreement, .oid = "1.3.133.16.840.63.0.2", .name = "ecdh", .hash = Hash::sha1},
    {.kind = key_agreement, .oid = "1.3.132.1.11.0", .name = "ecdh", .hash = Hash::sha224},
    {.kind = key_agreement, .oid = "1.3.132.1.11.1", .name = "ecdh", .hash = Hash::sha256},
    {.kind = key_agreement, .oid = "1.3.132.1.11.2", .name = "ecdh", .hash = Hash::sha384},
    {.kind = key_agreement, .oid = "1.3.132.1.11.3", .name = "ecdh", .hash = Hash::sha512},
    {.kind = key_agreement, .oid = "1.3.133.16.840.63.0.3", .name = "ecdh", .hash = Hash::sha1, .cofactor = true},
    {.kind = key_agreement, .oid = "1.3.132.1.14.0", .name = "ecdh", .hash = Hash::sha224, .cofactor = true},
    {.kind = key_agreement, .oid = "1.3.132.1.14.1", .name = "ecdh", .hash = Hash::sha256, .cofactor = true},
    {.kind = key_agreement, .oid = "1.3.132.1.14.2", .name = "ecdh", .hash = Hash::sha384, .cofactor = true},
    {.kind = key_agreement, .oid = "1.3.132.1.14.3", .name = "ecdh", .hash = Hash::sha512, .cofactor = true},

    {.kind = key_wrap, .oid = "2.16.840.1.101.3.4.1.5", .name = "aes-128-wrap", .evp = "AES-128-WRAP", .key_size = 16},
    {.kind = key_wrap, .oid = "2.16.840.1.101.3.4.1.25", .name = "aes-192-wrap", .evp = "AES-192-WRAP", .key_size = 24},
    {.kind = key_wrap, .oid = "2.16.840.1.101.3.4.1.45", .name = "aes-256-wrap", .evp = "AES-256-WRAP", .key_size = 32},

    {.kind = content_cipher,
     .oid = "2.16.840.1.101.3.4.1.2",
     .name = "aes-128-cbc",
     .evp = "AES-128-CBC",
     .key_size = 16},
    {.kind = content_cipher,
     .oid = "2.16.840.1.101.3.4.1.22",
     .name = "aes-192-cbc",
     .evp = "AES-192-CBC",
     .key_size = 24},
    {.kind = content_cipher,
     .oid = "2.16.840.1.101.3.4.1.42",
     .name = "aes-256-cbc",
     .evp = "AES-256-CBC",
     .key_size = 32},
    {.kind = content_cipher,
     .oid = "2.16.840.1.101.3.4.1.6",
     .name = "aes-128-gcm",
     .evp = "AES-128-GCM",
     .key_size = 16,
     .authenticated = true},
    {.kind = content_cipher,
     .oid = "2.16.840.1.101.3.4.1.26",
     .name = "aes-192-gcm",
     .evp = "AES-192-GCM",
     .key_size = 24,
     .authenticated = true},
    {.kind = content_cipher,
     .oid = "2.16.840.1.101.3.4.1.46",
     .name = "aes-256-gcm",
     .evp = "AES-256-GCM",
     .key_size = 32,
     .authenticated = true},
};

template <class Matches>
const Algorithm* find_row(Matches matches) {
    const auto* row = std::find_if(std::begin(kTable), std::end(kTable), matches);
    return row == std::end(kTable) ? nullptr : row;
}

}  // namespace

const Algorithm* find_algorithm(AlgorithmKind kind, std::string_view oid) {
    return find_row([&](const Algorithm& row) { return row.kind == kind && row.oid == oid; });
}

const Algorithm* find_algorithm(AlgorithmKind kind, const X509_ALGOR* identifier) {
    return find_algorithm(kind, oid_text(identifier->algorithm));
}

const Algorithm* algorithm_named(AlgorithmKind kind, std::string_view name) {
    return find_row([&](const Algorithm& row) { return row.kind == kind && row.name == name; });
}

const Algorithm& digest_algorithm(Hash hash) {
    const Algorithm* row = find_row([&](const Algorithm& each) { return each.kind == digest && each.hash == hash; });
    assert(row != nullptr);
    return *row;
}

const Algorithm* key_agreement_algorithm(Hash hash, bool cofactor) {
    return find_row([&](const Algorithm& each) {
        return each.kind == key_agreement && each.hash == hash && each.cofactor == cofactor;
    });
}

const Algorithm* signature_algorithm(SignatureFamily family, Hash hash) {
    return find_row(
        [&](const Algorithm& each) { return each.kind == signature && each.family == family && each.hash == hash; });
}

const Algorithm* digest_for_micalg(std::string_view token) {
    std::string plain = mime::ascii_lower(token);
    plain.erase(std::remove(plain.begin(), plain.end(), '-'), plain.end());
    return algorithm_named(digest, plain);
}

const EVP_MD* evp_digest(Hash hash) {
    switch (hash) {
        case Hash::sha1:
            return EVP_sha1();
        case Hash::sha224:
            return EVP_sha224();
        case Hash::sha256:
            return EVP_sha256();
        case Hash::sha384:
            return EVP_sha384();
        case Hash::sha512:
            return EVP_sha512();
    }
    return nullptr;
}

std::size_t hash_size(Hash hash) {
    return static_cast<std::size_t>(EVP_MD_get_size(evp_digest(hash)));
}

bool weak_key(const EVP_PKEY* key) {
    constexpr int kMinSecurityBits = 112;
    return EVP_PKEY_is_a(key, "DSA") == 1 || EVP_PKEY_get_security_bits(key) < kMinSecurityBits;
}

std::string oid_text(const ASN1_OBJECT* object) {
    std::array<char, 128> text{};
    const int size = OBJ_obj2txt(text.data(), text.size(), object, 1);
    return size > 0 && static_cast<std::size_t>(size) < text.size() ? text.data()
                                                                    : "an object identifier that is too long";
}

std::string algorithm_text(const X509_ALGOR* identifier) {
    const std::string oid = oid_text(identifier->algorithm);
    if (const Algorithm* row = find_row([&](const Algorithm& each) { return each.oid == oid; }))
        return std::string(row->name);
    const int nid = OBJ_obj2nid(identifier->algorithm);
    return nid == NID_undef ? oid : mime::ascii_lower(OBJ_nid2ln(nid));
}

Error unsupported(const X509_ALGOR* identifier) {
    return {ErrorKind::malformed, fmt::format("unsupported algorithm {}", algorithm_text(identifier))};
}

}  // namespace p11mime::cms
