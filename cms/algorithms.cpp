#include "cms/algorithms.h"

#include <fmt/format.h>
#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "cms/der.h"
#include "cms/encode.h"
#include "mime/header.h"

namespace p11mime::cms {

namespace {

using enum AlgorithmKind;
using Family = SignatureFamily;

constexpr Algorithm digests(std::string_view oid, std::string_view name, std::string_view micalg, Hash hash,
                            std::string_view evp, const EVP_MD* (*md)(), Standing standing = Standing::ok) {
    return {.kind = digest,
            .oid = oid,
            .name = name,
            .evp = evp,
            .standing = standing,
            .hash = hash,
            .micalg = micalg,
            .md = md};
}

constexpr Algorithm signs(std::string_view oid, std::string_view name, Family family, std::optional<Hash> hash = {},
                          Standing standing = Standing::ok) {
    return {.kind = signature, .oid = oid, .name = name, .standing = standing, .hash = hash, .family = family};
}

// extendable gives a digest the length of its output and the parameters that say so.
constexpr Algorithm extendable(Algorithm row, std::size_t output, std::string_view parameters = {}) {
    row.output = output;
    row.parameters = parameters;
    return row;
}

constexpr Algorithm sha3(Algorithm row) {
    row.sha3 = true;
    return row;
}

// pure is a signature over the message itself; `evp` is its kind of key, `hash` the only digest for the content where
// there is but one, as with EdDSA (RFC 8419).
constexpr Algorithm pure(std::string_view oid, std::string_view name, std::string_view evp,
                         std::optional<Hash> hash = {}) {
    return {.kind = signature, .oid = oid, .name = name, .evp = evp, .hash = hash, .family = Family::pure};
}

constexpr auto weak = Standing::weak;
constexpr std::string_view kNoMicalg = "unknown";            // RFC 8551 section 3.5.3.2
constexpr std::string_view k512Bits("\x02\x02\x02\x00", 4);  // ShakeOutputLen (RFC 8419 section 2.3)

// Where rows share a hash or a family and hash, the first one is written.
constexpr Algorithm kTable[] = {
    digests("2.16.840.1.101.3.4.2.1", "sha256", "sha-256", Hash::sha256, "SHA256", EVP_sha256),
    digests("2.16.840.1.101.3.4.2.2", "sha384", "sha-384", Hash::sha384, "SHA384", EVP_sha384),
    digests("2.16.840.1.101.3.4.2.3", "sha512", "sha-512", Hash::sha512, "SHA512", EVP_sha512),
    digests("2.16.840.1.101.3.4.2.4", "sha224", "sha-224", Hash::sha224, "SHA224", EVP_sha224, weak),
    digests("2.16.840.1.101.3.4.2.5", "sha512-224", kNoMicalg, Hash::sha512_224, "SHA512-224", EVP_sha512_224, weak),
    digests("2.16.840.1.101.3.4.2.6", "sha512-256", kNoMicalg, Hash::sha512_256, "SHA512-256", EVP_sha512_256),
    sha3(digests("2.16.840.1.101.3.4.2.7", "sha3-224", "sha3-224", Hash::sha3_224, "SHA3-224", EVP_sha3_224, weak)),
    sha3(digests("2.16.840.1.101.3.4.2.8", "sha3-256", "sha3-256", Hash::sha3_256, "SHA3-256", EVP_sha3_256)),
    sha3(digests("2.16.840.1.101.3.4.2.9", "sha3-384", "sha3-384", Hash::sha3_384, "SHA3-384", EVP_sha3_384)),
    sha3(digests("2.16.840.1.101.3.4.2.10", "sha3-512", "sha3-512", Hash::sha3_512, "SHA3-512", EVP_sha3_512)),
    extendable(digests("2.16.840.1.101.3.4.2.18", "shake256", "shake256", Hash::shake256, "SHAKE256", EVP_shake256), 64,
               k512Bits),
    extendable(digests("2.16.840.1.101.3.4.2.12", "shake256", "shake256", Hash::shake256, "SHAKE256", EVP_shake256),
               64),  // RFC 8702; as GnuPG and OpenSSL write it
    digests("1.3.14.3.2.26", "sha1", "sha-1", Hash::sha1, "SHA1", EVP_sha1, weak),
    {.kind = digest,
     .oid = "1.2.840.113549.2.5",
     .name = "md5",
     .evp = "MD5",
     .standing = Standing::refused,
     .micalg = "md5"},

    signs("1.2.840.113549.1.1.1", "rsa-pkcs1", Family::rsa_pkcs1),
    signs("1.2.840.113549.1.1.11", "rsa-pkcs1", Family::rsa_pkcs1, Hash::sha256),
    signs("1.2.840.113549.1.1.12", "rsa-pkcs1", Family::rsa_pkcs1, Hash::sha384),
    signs("1.2.840.113549.1.1.13", "rsa-pkcs1", Family::rsa_pkcs1, Hash::sha512),
    signs("1.2.840.113549.1.1.14", "rsa-pkcs1", Family::rsa_pkcs1, Hash::sha224, weak),
    signs("1.2.840.113549.1.1.15", "rsa-pkcs1", Family::rsa_pkcs1, Hash::sha512_224, weak),
    signs("1.2.840.113549.1.1.16", "rsa-pkcs1", Family::rsa_pkcs1, Hash::sha512_256),
    signs("2.16.840.1.101.3.4.3.13", "rsa-pkcs1", Family::rsa_pkcs1, Hash::sha3_224, weak),
    signs("2.16.840.1.101.3.4.3.14", "rsa-pkcs1", Family::rsa_pkcs1, Hash::sha3_256),
    signs("2.16.840.1.101.3.4.3.15", "rsa-pkcs1", Family::rsa_pkcs1, Hash::sha3_384),
    signs("2.16.840.1.101.3.4.3.16", "rsa-pkcs1", Family::rsa_pkcs1, Hash::sha3_512),
    signs("1.2.840.113549.1.1.5", "rsa-pkcs1", Family::rsa_pkcs1, Hash::sha1, weak),
    signs("1.2.840.113549.1.1.4", "rsa-md5", Family::rsa_pkcs1, {}, Standing::refused),
    signs("1.2.840.113549.1.1.10", "rsa-pss", Family::rsa_pss),
    signs("1.2.840.10045.4.3.2", "ecdsa", Family::ecdsa, Hash::sha256),
    signs("1.2.840.10045.4.3.3", "ecdsa", Family::ecdsa, Hash::sha384),
    signs("1.2.840.10045.4.3.4", "ecdsa", Family::ecdsa, Hash::sha512),
    signs("1.2.840.10045.4.3.1", "ecdsa", Family::ecdsa, Hash::sha224, weak),
    signs("2.16.840.1.101.3.4.3.9", "ecdsa", Family::ecdsa, Hash::sha3_224, weak),
    signs("2.16.840.1.101.3.4.3.10", "ecdsa", Family::ecdsa, Hash::sha3_256),
    signs("2.16.840.1.101.3.4.3.11", "ecdsa", Family::ecdsa, Hash::sha3_384),
    signs("2.16.840.1.101.3.4.3.12", "ecdsa", Family::ecdsa, Hash::sha3_512),
    signs("1.2.840.10045.4.1", "ecdsa", Family::ecdsa, Hash::sha1, weak),
    signs("1.2.840.10045.2.1", "ecdsa", Family::ecdsa),  // the key's OID, seen in the field
    signs("1.2.840.10040.4.3", "dsa", Family::dsa, Hash::sha1, weak),
    signs("2.16.840.1.101.3.4.3.1", "dsa", Family::dsa, Hash::sha224, weak),
    signs("2.16.840.1.101.3.4.3.2", "dsa", Family::dsa, Hash::sha256, weak),
    signs("1.2.840.10040.4.1", "dsa", Family::dsa, {}, weak),
    pure("1.3.101.112", "ed25519", "ED25519", Hash::sha512),
    pure("1.3.101.113", "ed448", "ED448", Hash::shake256),

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

    {.kind = key_agreement, .oid = "1.2.840.113549.1.9.16.3.19", .name = "ecdh", .hash = Hash::sha256, .hkdf = true},
    {.kind = key_agreement, .oid = "1.2.840.113549.1.9.16.3.20", .name = "ecdh", .hash = Hash::sha384, .hkdf = true},
    {.kind = key_agreement, .oid = "1.2.840.113549.1.9.16.3.21", .name = "ecdh", .hash = Hash::sha512, .hkdf = true},

    {.kind = key_derivation, .oid = "1.2.840.113549.1.5.12", .name = "pbkdf2"},
    {.kind = mac,
     .oid = "1.2.840.113549.2.7",
     .name = "hmac-sha1",
     .evp = "HMAC",
     .standing = Standing::weak,
     .hash = Hash::sha1},
    {.kind = mac,
     .oid = "1.3.6.1.5.5.8.1.2",  // the one of RFC 3370 section 3.1
     .name = "hmac-sha1",
     .evp = "HMAC",
     .standing = Standing::weak,
     .hash = Hash::sha1},
    {.kind = mac,
     .oid = "1.2.840.113549.2.8",
     .name = "hmac-sha224",
     .evp = "HMAC",
     .standing = Standing::weak,
     .hash = Hash::sha224},
    {.kind = mac, .oid = "1.2.840.113549.2.9", .name = "hmac-sha256", .evp = "HMAC", .hash = Hash::sha256},
    {.kind = mac, .oid = "1.2.840.113549.2.10", .name = "hmac-sha384", .evp = "HMAC", .hash = Hash::sha384},
    {.kind = mac, .oid = "1.2.840.113549.2.11", .name = "hmac-sha512", .evp = "HMAC", .hash = Hash::sha512},
    {.kind = mac,
     .oid = "1.2.840.113549.2.12",
     .name = "hmac-sha512-224",
     .evp = "HMAC",
     .standing = Standing::weak,
     .hash = Hash::sha512_224},
    {.kind = mac, .oid = "1.2.840.113549.2.13", .name = "hmac-sha512-256", .evp = "HMAC", .hash = Hash::sha512_256},
    {.kind = mac, .oid = "2.16.840.1.101.3.4.2.13", .name = "hmac-sha3-224", .evp = "HMAC", .hash = Hash::sha3_224},
    {.kind = mac, .oid = "2.16.840.1.101.3.4.2.14", .name = "hmac-sha3-256", .evp = "HMAC", .hash = Hash::sha3_256},
    {.kind = mac, .oid = "2.16.840.1.101.3.4.2.15", .name = "hmac-sha3-384", .evp = "HMAC", .hash = Hash::sha3_384},
    {.kind = mac, .oid = "2.16.840.1.101.3.4.2.16", .name = "hmac-sha3-512", .evp = "HMAC", .hash = Hash::sha3_512},

    {.kind = password_wrap, .oid = "1.2.840.113549.1.9.16.3.9", .name = "pwri-kek"},
    {.kind = key_wrap, .oid = "2.16.840.1.101.3.4.1.5", .name = "aes-128-wrap", .evp = "AES-128-WRAP", .key_size = 16},
    {.kind = key_wrap, .oid = "2.16.840.1.101.3.4.1.25", .name = "aes-192-wrap", .evp = "AES-192-WRAP", .key_size = 24},
    {.kind = key_wrap, .oid = "2.16.840.1.101.3.4.1.45", .name = "aes-256-wrap", .evp = "AES-256-WRAP", .key_size = 32},
    {.kind = key_wrap,
     .oid = "1.2.840.113549.1.9.16.3.6",
     .name = "3des-wrap",
     .evp = "DES3-WRAP",
     .standing = Standing::weak,
     .key_size = 24},

    {.kind = content_cipher,
     .oid = "2.16.840.1.101.3.4.1.2",
     .name = "aes-128-cbc",
     .evp = "AES-128-CBC",
     .key_size = 16,
     .iv_size = 16},
    {.kind = content_cipher,
     .oid = "2.16.840.1.101.3.4.1.22",
     .name = "aes-192-cbc",
     .evp = "AES-192-CBC",
     .key_size = 24,
     .iv_size = 16},
    {.kind = content_cipher,
     .oid = "2.16.840.1.101.3.4.1.42",
     .name = "aes-256-cbc",
     .evp = "AES-256-CBC",
     .key_size = 32,
     .iv_size = 16},
    {.kind = content_cipher,
     .oid = "2.16.840.1.101.3.4.1.6",
     .name = "aes-128-gcm",
     .evp = "AES-128-GCM",
     .key_size = 16,
     .iv_size = 12,
     .authenticated = true,
     .cipher_parameters = CipherParameters::gcm},
    {.kind = content_cipher,
     .oid = "2.16.840.1.101.3.4.1.26",
     .name = "aes-192-gcm",
     .evp = "AES-192-GCM",
     .key_size = 24,
     .iv_size = 12,
     .authenticated = true,
     .cipher_parameters = CipherParameters::gcm},
    {.kind = content_cipher,
     .oid = "2.16.840.1.101.3.4.1.46",
     .name = "aes-256-gcm",
     .evp = "AES-256-GCM",
     .key_size = 32,
     .iv_size = 12,
     .authenticated = true,
     .cipher_parameters = CipherParameters::gcm},
    {.kind = content_cipher,
     .oid = "1.2.840.113549.1.9.16.3.18",
     .name = "chacha20-poly1305",
     .evp = "ChaCha20-Poly1305",
     .key_size = 32,
     .iv_size = 12,
     .authenticated = true},
    {.kind = content_cipher,
     .oid = "1.2.840.113549.3.7",
     .name = "des-ede3-cbc",
     .evp = "DES-EDE3-CBC",
     .standing = Standing::weak,
     .key_size = 24,
     .iv_size = 8},
    {.kind = content_cipher,
     .oid = "1.2.840.113549.3.2",
     .name = "rc2-128-cbc",
     .evp = "RC2-CBC",
     .standing = Standing::weak,
     .key_size = 16,
     .iv_size = 8,
     .legacy = true,
     .cipher_parameters = CipherParameters::rc2,
     .rc2_version = 58},
    {.kind = content_cipher,
     .oid = "1.2.840.113549.3.2",
     .name = "rc2-64-cbc",
     .evp = "RC2-64-CBC",
     .standing = Standing::weak,
     .key_size = 8,
     .iv_size = 8,
     .legacy = true,
     .cipher_parameters = CipherParameters::rc2,
     .rc2_version = 120},
    {.kind = content_cipher,
     .oid = "1.2.840.113549.3.2",
     .name = "rc2-40-cbc",
     .evp = "RC2-40-CBC",
     .standing = Standing::weak,
     .key_size = 5,
     .iv_size = 8,
     .legacy = true,
     .cipher_parameters = CipherParameters::rc2,
     .rc2_version = 160},

    {.kind = compression, .oid = "1.2.840.113549.1.9.16.3.8", .name = "zlib"},
};

template <class Matches>
const Algorithm* find_row(Matches matches) {
    const auto* row = std::find_if(std::begin(kTable), std::end(kTable), matches);
    return row == std::end(kTable) ? nullptr : row;
}

}  // namespace

std::span<const Algorithm> algorithm_table() {
    return kTable;
}

const Algorithm* find_algorithm(AlgorithmKind kind, std::string_view oid) {
    return find_row([&](const Algorithm& row) { return row.kind == kind && row.oid == oid; });
}

const Algorithm* find_algorithm(AlgorithmKind kind, const X509_ALGOR* identifier) {
    const Algorithm* row = find_algorithm(kind, oid_text(identifier->algorithm));
    if (row == nullptr || row->parameters.empty()) return row;
    const bool fits = identifier->parameter != nullptr &&
                      std::ranges::equal(encode(identifier->parameter, i2d_ASN1_TYPE), bytes_of(row->parameters));
    return fits ? row : nullptr;
}

const Algorithm* algorithm_named(AlgorithmKind kind, std::string_view name) {
    return find_row([&](const Algorithm& row) { return row.kind == kind && row.name == name; });
}

const Algorithm& digest_algorithm(Hash hash) {
    const Algorithm* row = find_row([&](const Algorithm& each) { return each.kind == digest && each.hash == hash; });
    assert(row != nullptr);
    return *row;
}

Bytes digest_identifier(Hash hash) {
    const Algorithm& row = digest_algorithm(hash);
    return der_algorithm(row.oid, bytes_of(row.parameters));
}

const Algorithm* mac_algorithm(Hash hash) {
    return find_row([&](const Algorithm& each) { return each.kind == mac && each.hash == hash; });
}

const Algorithm* key_agreement_algorithm(Hash hash, bool cofactor, bool hkdf) {
    return find_row([&](const Algorithm& each) {
        return each.kind == key_agreement && each.hash == hash && each.cofactor == cofactor && each.hkdf == hkdf;
    });
}

const Algorithm* signature_algorithm(SignatureFamily family, Hash hash) {
    return find_row(
        [&](const Algorithm& each) { return each.kind == signature && each.family == family && each.hash == hash; });
}

const Algorithm* pure_signature_algorithm(const EVP_PKEY* key) {
    return find_row([&](const Algorithm& each) {
        return each.family == Family::pure && EVP_PKEY_is_a(key, std::string(each.evp).c_str()) == 1;
    });
}

const Algorithm* digest_for_micalg(std::string_view token) {
    const auto plain = [](std::string_view name) {
        std::string text = mime::ascii_lower(name);
        text.erase(std::remove(text.begin(), text.end(), '-'), text.end());
        return text;
    };
    return find_row([&](const Algorithm& row) { return row.kind == digest && plain(row.name) == plain(token); });
}

const EVP_MD* evp_digest(Hash hash) {
    return digest_algorithm(hash).md();
}

std::size_t hash_size(Hash hash) {
    const Algorithm& row = digest_algorithm(hash);
    return row.output != 0 ? row.output : static_cast<std::size_t>(EVP_MD_get_size(row.md()));
}

const Algorithm* rc2_cipher(long version) {
    return find_row([&](const Algorithm& row) {
        return row.cipher_parameters == CipherParameters::rc2 && row.rc2_version == version;
    });
}

Hash natural_hash(const EVP_PKEY* curve_key) {
    const int bits = EVP_PKEY_get_bits(curve_key);
    return bits <= 256 ? Hash::sha256 : bits <= 384 ? Hash::sha384 : Hash::sha512;
}

// weak_key counts the bits of RSA itself: OpenSSL rounds the security of somewhat shorter keys up to 112.
bool weak_key(const EVP_PKEY* key) {
    constexpr int kMinRsaBits = 2048;
    constexpr int kMinSecurityBits = 112;
    if (EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1)
        return EVP_PKEY_get_bits(key) < kMinRsaBits;
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

Error unsupported(std::string_view name) {
    return {ErrorKind::malformed, fmt::format("unsupported algorithm {}", name)};
}

Error unsupported(const X509_ALGOR* identifier) {
    return unsupported(algorithm_text(identifier));
}

}  // namespace p11mime::cms
