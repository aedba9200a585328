// Recipients by key encryption key and by password, with openssl as the peer.
#include "cms/der.h"
#include "cms/password_recipient.h"
#include "cms/recipient_info.h"
#include "mime/codec.h"
#include "softhsm-tests/cms_recipients.h"
#include "softhsm-tests/support/hex.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

TEST_CASE("key encryption keys of every size go both ways with OpenSSL") {
    const CmsBench bench;
    const std::string hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    for (const std::size_t size : {16, 24, 32}) {
        CAPTURE(size);
        const std::string key_hex = hex.substr(0, 2 * size);
        const KeyEncryptionKey kek{from_hex("c0ffee"), secret(from_hex(key_hex))};
        const Arguments peer{"-secretkey", key_hex, "-secretkeyid", "C0FFEE"};
        CHECK(peer_decrypt(bench, bench.encrypt({kek}, kText), peer) == kText);

        const std::string theirs = peer_encrypt(bench, peer);
        CHECK(bench.decrypt(theirs, {}, given_kek(kek)).used() == "kek");
        CHECK(bench.decrypt(theirs, {}, given_kek(KeyEncryptionKey{{}, kek.key})).content == kText);
        const KeyEncryptionKey other_id{from_hex("c0ffef"), kek.key};
        const Error error = caught([&] { bench.decrypt(theirs, {}, given_kek(other_id)); });
        CHECK(error.kind() == ErrorKind::no_key);
        CHECK(error.hint().find("--kek") != std::string::npos);
        const KeyEncryptionKey wrong{kek.id, secret(Bytes(size, 7))};
        CHECK(caught([&] { bench.decrypt(theirs, {}, given_kek(wrong)); }).kind() == ErrorKind::failed);
    }
    const KeyEncryptionKey nameless{{}, secret(Bytes(16))};
    CHECK_THROWS_AS(bench.encrypt({nameless}, kText), Error);
}

TEST_CASE("passwords go both ways with OpenSSL, with every hash and size of key") {
    const CmsBench bench;
    const auto password = secret(bytes_of("correct horse"));
    const GivenSecrets given = given_password("correct horse");
    for (const Hash prf : {Hash::sha1, Hash::sha224, Hash::sha256, Hash::sha384, Hash::sha512, Hash::sha512_256})
        for (const std::size_t key_size : {16, 24, 32}) {
            CAPTURE(digest_algorithm(prf).name, key_size);
            const Password how{.password = password, .prf = prf, .iterations = 1000, .key_size = key_size};
            const std::string ours = bench.encrypt({how}, kText);
            CHECK(peer_decrypt(bench, ours, {"-pwri_password", "correct horse"}) == kText);
            CHECK(bench.decrypt(ours, {}, given).used() == "password");
        }
    for (const char* cipher : {"-aes-128-cbc", "-aes-192-cbc", "-aes-256-cbc"})
        CHECK(bench
                  .decrypt(bench.openssl({"cms", "-encrypt", "-binary", "-outform", "DER", cipher, "-pwri_password",
                                          "correct horse"},
                                         kText),
                           {}, given)
                  .content == kText);
}

TEST_CASE("PBKDF2 with HMAC of SHA-3, which openssl cms does not know, wraps what openssl kdf and enc unwrap") {
    const CmsBench bench;
    const auto password = secret(bytes_of("correct horse"));
    const SecretBytes key(ByteView(Bytes(32, 0x5a)));
    for (const Hash prf : {Hash::sha3_224, Hash::sha3_256, Hash::sha3_384, Hash::sha3_512}) {
        CAPTURE(digest_algorithm(prf).name);
        const Password how{.password = password, .prf = prf, .iterations = 1000, .key_size = 32};
        const RecipientEntry entry = read_recipient_info(make_recipient_infos({how}, key).at(0), 32).at(0);
        const auto& recovery = std::get<PasswordUnwrap>(*entry.recovery);
        const std::string kek_file = bench.file("");
        bench.openssl({"kdf", "-keylen", "32", "-kdfopt", "digest:" + std::string(digest_algorithm(prf).evp), "-kdfopt",
                       "pass:correct horse", "-kdfopt", "hexsalt:" + hex(recovery.salt), "-kdfopt", "iter:1000",
                       "-binary", "-out", kek_file, "PBKDF2"});
        const std::string kek = hex(bytes_of(read_file(kek_file)));
        const auto decrypted = [&](ByteView blocks, ByteView iv) {
            return bench.openssl({"enc", "-d", "-aes-256-cbc", "-nopad", "-K", kek, "-iv", hex(iv)}, text_of(blocks));
        };
        // RFC 3211 section 2.3.2: the last block of the inner ciphertext was the outer initialisation vector.
        const ByteView wrapped(entry.encrypted_key);
        const std::string outer_iv = decrypted(wrapped.last(16), wrapped.last(32).first(16));
        const std::string inner = decrypted(wrapped, bytes_of(outer_iv));
        const std::string formatted = decrypted(bytes_of(inner), recovery.iv);
        CHECK(formatted.substr(4, 32) == text_of(key));
        CHECK(recover_with_password(recovery, *password, entry.encrypted_key).has_value());
    }
}

TEST_CASE("a wrong password or none opens nothing, and a private key opens beside them") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const Password how{.password = secret(bytes_of("right")), .prf = Hash::sha256, .iterations = 1000, .key_size = 32};
    const GivenSecrets wrong = given_password("wrong");
    const std::string alone = bench.encrypt({how}, kText);
    CHECK(caught([&] { bench.decrypt(alone, {}, wrong); }).kind() == ErrorKind::failed);
    const Error none = caught([&] { bench.decrypt(alone, {}); });
    CHECK(none.kind() == ErrorKind::no_key);
    CHECK(none.hint().find("--password-source") != std::string::npos);
    const std::string both = bench.encrypt({how, bob.certificate}, kText);
    CHECK(bench.decrypt(both, {bob}, wrong).used() == "ecdh");
    CHECK(bench.decrypt(both, {bob}, given_password("right")).used() == "password");
    CHECK(caught([&] { bench.decrypt(both, {bench.bob()}); }).hint().find("--password-source") != std::string::npos);
}

TEST_CASE("changed password recipients are not opened") {
    const CmsBench bench;
    const auto password = secret(bytes_of("right"));
    const Password how{.password = password, .prf = Hash::sha256, .iterations = 1000, .key_size = 32};
    for (const std::size_t from_end : {1U, 16U, 17U, 33U, 48U}) {
        CAPTURE(from_end);
        const std::string changed =
            enveloped_with({how}, [&](std::vector<Bytes>& infos) { infos[0][infos[0].size() - from_end] ^= 1; });
        CHECK(caught([&] { bench.decrypt(changed, {}, given_password("right")); }).kind() == ErrorKind::failed);
    }
}

TEST_CASE("no wrong password gives a key of any size") {
    const Password how{.password = secret(bytes_of("right")), .prf = Hash::sha256, .iterations = 1, .key_size = 32};
    const SecretBytes key(ByteView(Bytes(32, 0x5a)));
    const RecipientEntry entry = read_recipient_info(make_recipient_infos({how}, key).at(0), 32).at(0);
    const auto& recovery = std::get<PasswordUnwrap>(*entry.recovery);
    CHECK(recover_with_password(recovery, *how.password, entry.encrypted_key).has_value());
    for (Byte i = 0; i < 200; ++i)
        CHECK_FALSE(recover_with_password(recovery, SecretBytes(ByteView(Bytes(8, i))), entry.encrypted_key));
}

TEST_CASE("the work that a password may take is bounded") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const GivenSecrets given = given_password("right");
    const auto asking_for = [&](std::uint32_t iterations, std::size_t copies) {
        const Bytes salt = der_value(tag::kOctetString, Bytes(8));
        const Bytes pbkdf2 =
            der_value(tag::context(0, true),
                      {der_oid("1.2.840.113549.1.5.12"), der_value(tag::kSequence, {salt, der_integer(iterations)})});
        const Bytes cbc = der_algorithm("2.16.840.1.101.3.4.1.42", der_value(tag::kOctetString, Bytes(16)));
        const Bytes info =
            der_value(tag::context(3, true), {der_integer(0), pbkdf2, der_algorithm("1.2.840.113549.1.9.16.3.9", cbc),
                                              der_value(tag::kOctetString, Bytes(48))});
        return enveloped_with({bob.certificate}, [&](std::vector<Bytes>& infos) { infos.resize(1 + copies, info); });
    };
    for (const auto& [iterations, copies] : {std::pair(0xffffffffU, 1), std::pair(kMaxPasswordIterations / 2 + 1, 2)}) {
        CAPTURE(iterations, copies);
        const std::string message = asking_for(iterations, static_cast<std::size_t>(copies));
        const Error error = caught([&] { bench.decrypt(message, {}, given); });
        CHECK(error.kind() == (copies == 1 ? ErrorKind::no_key : ErrorKind::malformed));
        CHECK(bench.decrypt(message, {bob}).content == kText);
    }
    CHECK(caught([&] { bench.decrypt(asking_for(0, 1), {}, given); }).kind() == ErrorKind::no_key);
    CHECK(bench.decrypt(asking_for(0, 1), {bob}, given).content == kText);

    // In all layers together.
    std::string outer = "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                        mime::base64_text(bytes_of(asking_for(kMaxPasswordIterations / 2 + 1, 1)));
    const Password again{
        .password = given.password, .prf = Hash::sha1, .iterations = kMaxPasswordIterations / 2, .key_size = 16};
    EncryptOptions options;
    options.cipher = content_cipher("aes-256-gcm");  // in CBC, what is wrong inside shows as changed content
    outer = bench.encrypt({again}, outer, options);
    CHECK(caught([&] { bench.decrypt(outer, {bob}, given); }).kind() == ErrorKind::malformed);
}
