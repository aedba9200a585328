// The limits of PKCS#12 files; what programs write is in e2e_import_p12_test.cpp.

#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include <catch2/catch.hpp>

#include "cms/encode.h"
#include "cms/pkcs12.h"
#include "softhsm-tests/support/pki.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

using FileHandle = Handle<PKCS12, PKCS12_free>;

constexpr const char* kPassword = "secret";

KeyHandle key_of(const Identity& identity) {
    const BioHandle bio(BIO_new_mem_buf(identity.key_pem.data(), static_cast<int>(identity.key_pem.size())));
    return KeyHandle(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

FileHandle file_of(EVP_PKEY* key, X509* certificate) {
    return FileHandle(PKCS12_create(kPassword, "name", key, certificate, nullptr, 0, 0, 1, 1, 0));
}

std::optional<cms::Pkcs12> opened(PKCS12* file, const std::string& password = kPassword) {
    return cms::Pkcs12File::from_bytes(SecretBytes(cms::encode(file, i2d_PKCS12)))
        .open(SecretBytes(bytes_of(password)));
}

}  // namespace

TEST_CASE("a PKCS#12 file gives each certificate to its key, the newest first, and the others apart") {
    const TestPki pki;
    const Identity alice = pki.issue({.name = "Alice", .kind = KeyKind::p256});
    const cms::Certificate certificate = cms::Certificate::from_der(bytes_of(alice.certificate_der()));
    const cms::Certificate issuer = cms::Certificate::from_file_bytes(bytes_of(pki.intermediate_pem())).front();
    STACK_OF(X509)* more = sk_X509_new_null();
    sk_X509_push(more, issuer.get());
    const KeyHandle key = key_of(alice);
    const FileHandle file(PKCS12_create(kPassword, "Alice's", key.get(), certificate.get(), more, 0, 0, 1, 1, 0));
    sk_X509_free(more);
    const auto content = opened(file.get());
    REQUIRE(content);
    REQUIRE(content->keys.size() == 1);
    CHECK(EVP_PKEY_eq(content->keys[0].key.get(), key.get()) == 1);
    CHECK(content->keys[0].name == "Alice's");
    CHECK(content->keys[0].certificates == std::vector{certificate});
    CHECK(content->others == std::vector{issuer});
    CHECK_FALSE(opened(file.get(), "Secret"));
    CHECK_FALSE(opened(file.get(), ""));
}

TEST_CASE("a PKCS#12 file that asks for more iterations than any program writes is refused at once") {
    const Identity alice = TestPki().issue({.kind = KeyKind::p256});
    const FileHandle file = file_of(key_of(alice).get(), nullptr);
    const ASN1_INTEGER* count = nullptr;
    REQUIRE(PKCS12_set_mac(file.get(), kPassword, -1, nullptr, 0, 2, nullptr) == 1);
    PKCS12_get0_mac(nullptr, nullptr, nullptr, &count, file.get());
    REQUIRE(count != nullptr);
    REQUIRE(ASN1_INTEGER_set(const_cast<ASN1_INTEGER*>(count), 2'000'000'000) == 1);
    CHECK_THROWS_WITH(opened(file.get()), Catch::Contains("iterations"));
}

TEST_CASE("a PKCS#12 file with more in it than any export has is refused") {
    const Identity alice = TestPki().issue({.kind = KeyKind::p256});
    const cms::Certificate certificate = cms::Certificate::from_der(bytes_of(alice.certificate_der()));
    STACK_OF(PKCS12_SAFEBAG)* bags = nullptr;
    for (int i = 0; i < 1001; ++i)
        PKCS12_add_cert(&bags, certificate.get());
    STACK_OF(PKCS7)* safes = nullptr;
    REQUIRE(PKCS12_add_safe(&safes, bags, -1, 0, nullptr) == 1);
    const FileHandle file(PKCS12_add_safes(safes, 0));
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    sk_PKCS7_pop_free(safes, PKCS7_free);
    CHECK_THROWS_WITH(opened(file.get()), Catch::Contains("more than any export"));
}
