// Every kind of recipient, written and read, with openssl as the peer.
#include <fmt/format.h>
#include <openssl/cms.h>

#include <catch2/catch.hpp>
#include <set>

#include "cms/content_info.h"
#include "cms/der.h"
#include "cms/encode.h"
#include "cms/key_agreement.h"
#include "cms/key_wrap.h"
#include "cms/password_recipient.h"
#include "cms/recipient_info.h"
#include "cms/rsa_oaep.h"
#include "cms/smime/content_keys.h"
#include "mime/codec.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/hex.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

using CmsHandle = Handle<CMS_ContentInfo, CMS_ContentInfo_free>;

std::shared_ptr<const SecretBytes> secret(ByteView bytes) {
    return std::make_shared<const SecretBytes>(bytes);
}

std::string peer_decrypt(const CmsBench& bench, const std::string& message, const Arguments& with) {
    return bench.openssl(Arguments{"cms", "-decrypt", "-binary", "-inform", "SMIME"} + with, message);
}

std::string peer_decrypt(const CmsBench& bench, const std::string& message, const SoftwareKey& key) {
    return peer_decrypt(bench, message, {"-recip", bench.certificate_file(key), "-inkey", bench.key_file(key)});
}

std::string peer_encrypt(const CmsBench& bench, const Arguments& with) {
    return bench.openssl(Arguments{"cms", "-encrypt", "-binary", "-outform", "DER", "-aes-256-cbc"} + with, kText);
}

ReadMail decrypt_with(const CmsBench&, std::string_view mail, const GivenSecrets& secrets,
                      const std::vector<SoftwareKey>& keys = {}) {
    SoftwareKeys source(keys);
    ReadOptions options;
    options.task = Task::decrypt;
    options.secrets = secrets;
    const auto job = read_job(&source, nullptr, options);
    ReadMail read;
    read.content = run(*job, mail);
    read.report = job->report();
    return read;
}

std::string used(const ReadMail& read) {
    for (const RecipientSummary& recipient : read.report.layers.at(0).recipients)
        if (recipient.used) return recipient.key_management;
    return "none";
}

// enveloped is a mail to `to` whose RecipientInfos are replaced by what `change` makes of them.
template <class Change>
std::string enveloped(const std::vector<Recipient>& to, Change change) {
    return test::enveloped(kText, "aes-256-gcm", [&](const SecretBytes& key) {
        std::vector<Bytes> infos = make_recipient_infos(to, key);
        change(infos);
        return infos;
    });
}

}  // namespace

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
        CHECK(used(decrypt_with(bench, theirs, {.kek = kek, .password = {}})) == "kek");
        CHECK(decrypt_with(bench, theirs, {.kek = KeyEncryptionKey{{}, kek.key}, .password = {}}).content == kText);
        const KeyEncryptionKey other_id{from_hex("c0ffef"), kek.key};
        const Error error = caught([&] { decrypt_with(bench, theirs, {.kek = other_id, .password = {}}); });
        CHECK(error.kind() == ErrorKind::no_key);
        CHECK(error.hint().find("--kek") != std::string::npos);
        const KeyEncryptionKey wrong{kek.id, secret(Bytes(size, 7))};
        CHECK(caught([&] { decrypt_with(bench, theirs, {.kek = wrong, .password = {}}); }).kind() == ErrorKind::failed);
    }
    const KeyEncryptionKey nameless{{}, secret(Bytes(16))};
    CHECK_THROWS_AS(bench.encrypt({nameless}, kText), Error);
}

TEST_CASE("passwords go both ways with OpenSSL, with every hash and size of key") {
    const CmsBench bench;
    const auto password = secret(bytes_of("correct horse"));
    const GivenSecrets given{.kek = {}, .password = password};
    for (const Hash prf : {Hash::sha1, Hash::sha224, Hash::sha256, Hash::sha384, Hash::sha512})
        for (const std::size_t key_size : {16, 24, 32}) {
            CAPTURE(digest_algorithm(prf).name, key_size);
            const Password how{.password = password, .prf = prf, .iterations = 1000, .key_size = key_size};
            const std::string ours = bench.encrypt({how}, kText);
            CHECK(peer_decrypt(bench, ours, {"-pwri_password", "correct horse"}) == kText);
            CHECK(used(decrypt_with(bench, ours, given)) == "password");
        }
    for (const char* cipher : {"-aes-128-cbc", "-aes-192-cbc", "-aes-256-cbc"})
        CHECK(decrypt_with(bench,
                           bench.openssl({"cms", "-encrypt", "-binary", "-outform", "DER", cipher, "-pwri_password",
                                          "correct horse"},
                                         kText),
                           given)
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
    const GivenSecrets wrong{.kek = {}, .password = secret(bytes_of("wrong"))};
    const std::string alone = bench.encrypt({how}, kText);
    CHECK(caught([&] { decrypt_with(bench, alone, wrong); }).kind() == ErrorKind::failed);
    const Error none = caught([&] { decrypt_with(bench, alone, {}); });
    CHECK(none.kind() == ErrorKind::no_key);
    CHECK(none.hint().find("--password-source") != std::string::npos);
    const std::string both = bench.encrypt({how, bob.certificate}, kText);
    CHECK(used(decrypt_with(bench, both, wrong, {bob})) == "ecdh");
    CHECK(used(decrypt_with(bench, both, {.kek = {}, .password = how.password}, {bob})) == "password");
    CHECK(caught([&] { decrypt_with(bench, both, {}, {bench.bob()}); }).hint().find("--password-source") !=
          std::string::npos);
}

TEST_CASE("changed password recipients are not opened") {
    const CmsBench bench;
    const auto password = secret(bytes_of("right"));
    const Password how{.password = password, .prf = Hash::sha256, .iterations = 1000, .key_size = 32};
    for (const std::size_t from_end : {1U, 16U, 17U, 33U, 48U}) {
        CAPTURE(from_end);
        const std::string changed =
            enveloped({how}, [&](std::vector<Bytes>& infos) { infos[0][infos[0].size() - from_end] ^= 1; });
        CHECK(caught([&] { decrypt_with(bench, changed, {.kek = {}, .password = password}); }).kind() ==
              ErrorKind::failed);
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
    const GivenSecrets given{.kek = {}, .password = secret(bytes_of("right"))};
    const auto asking_for = [&](std::uint32_t iterations, std::size_t copies) {
        const Bytes salt = der_value(tag::kOctetString, Bytes(8));
        const Bytes pbkdf2 =
            der_value(tag::context(0, true),
                      {der_oid("1.2.840.113549.1.5.12"), der_value(tag::kSequence, {salt, der_integer(iterations)})});
        const Bytes cbc = der_algorithm("2.16.840.1.101.3.4.1.42", der_value(tag::kOctetString, Bytes(16)));
        const Bytes info =
            der_value(tag::context(3, true), {der_integer(0), pbkdf2, der_algorithm("1.2.840.113549.1.9.16.3.9", cbc),
                                              der_value(tag::kOctetString, Bytes(48))});
        return enveloped({bob.certificate}, [&](std::vector<Bytes>& infos) { infos.resize(1 + copies, info); });
    };
    for (const auto& [iterations, copies] : {std::pair(0xffffffffU, 1), std::pair(kMaxPasswordIterations / 2 + 1, 2)}) {
        CAPTURE(iterations, copies);
        const std::string message = asking_for(iterations, static_cast<std::size_t>(copies));
        const Error error = caught([&] { decrypt_with(bench, message, given); });
        CHECK(error.kind() == (copies == 1 ? ErrorKind::no_key : ErrorKind::malformed));
        CHECK(bench.decrypt(message, {bob}).content == kText);
    }
    CHECK(caught([&] { decrypt_with(bench, asking_for(0, 1), given); }).kind() == ErrorKind::no_key);
    CHECK(decrypt_with(bench, asking_for(0, 1), given, {bob}).content == kText);

    // In all layers together.
    std::string outer = "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                        mime::base64_text(bytes_of(asking_for(kMaxPasswordIterations / 2 + 1, 1)));
    const Password again{
        .password = given.password, .prf = Hash::sha1, .iterations = kMaxPasswordIterations / 2, .key_size = 16};
    EncryptOptions options;
    options.cipher = content_cipher("aes-256-gcm");  // in CBC, what is wrong inside shows as changed content
    outer = bench.encrypt({again}, outer, options);
    CHECK(caught([&] { decrypt_with(bench, outer, given, {bob}); }).kind() == ErrorKind::malformed);
}

TEST_CASE("a recipient whose algorithms are not supported or make no sense leaves the others alone") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const GivenSecrets given{.kek = {}, .password = secret(bytes_of("right"))};
    const Bytes pbkdf2 =
        der_value(tag::context(0, true),
                  {der_oid("1.2.840.113549.1.5.12"),
                   der_value(tag::kSequence, {der_value(tag::kOctetString, Bytes(8)), der_integer(1000)})});
    const auto password_with = [&](ByteView cipher) {
        return der_value(tag::context(3, true),
                         {der_integer(0), pbkdf2, der_algorithm("1.2.840.113549.1.9.16.3.9", cipher),
                          der_value(tag::kOctetString, Bytes(48))});
    };
    const auto rc2 = [](unsigned version) {
        return der_algorithm("1.2.840.113549.3.2",
                             der_value(tag::kSequence, {der_integer(version), der_value(tag::kOctetString, Bytes(8))}));
    };
    const Bytes rid = der_value(tag::kSequence, {bob.certificate.issuer_der(), bob.certificate.serial_der()});
    const Bytes x25519 =
        der_value(tag::context(0, true),
                  der_value(tag::context(1, true), {der_algorithm("1.3.101.110"), der_value(0x03, Bytes(33))}));
    const auto agreed = [&](ByteView scheme, std::size_t ukm_size) {
        return der_value(
            tag::context(1, true),
            {der_integer(3), x25519, der_value(tag::context(1, true), der_value(tag::kOctetString, Bytes(ukm_size))),
             scheme,
             der_value(tag::kSequence, der_value(tag::kSequence, {rid, der_value(tag::kOctetString, Bytes(40))}))});
    };
    const std::string_view hkdf = "1.2.840.113549.1.9.16.3.19";
    for (const Bytes& bad :
         {password_with(rc2(58)), password_with(rc2(5)), password_with(der_integer(7)),
          password_with(der_algorithm("2.16.840.1.101.3.4.1.42", der_value(tag::kOctetString, Bytes(3)))),
          agreed(der_algorithm(hkdf), 8), agreed(der_algorithm(hkdf, der_integer(7)), 8),
          agreed(der_algorithm(hkdf, der_algorithm("2.16.840.1.101.3.4.1.45")), kMaxUkmBytes + 1)}) {
        const std::string message =
            enveloped({bob.certificate}, [&](std::vector<Bytes>& infos) { infos.insert(infos.begin(), bad); });
        const RecipientEntry entry = read_recipient_info(bad, 32).at(0);
        CAPTURE(entry.fault);
        CHECK_FALSE(entry.recovery);
        CHECK_FALSE(entry.fault.empty());
        CHECK(decrypt_with(bench, message, given, {bob}).content == kText);
    }
    CHECK(read_recipient_info(agreed(der_algorithm(hkdf, der_algorithm("2.16.840.1.101.3.4.1.45")), kMaxUkmBytes), 32)
              .at(0)
              .recovery);
}

TEST_CASE("a KEKRecipientInfo that makes no sense is named with its fault, and leaves the others alone") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const KeyEncryptionKey kek{from_hex("c0ffee"), secret(Bytes(32, 7))};
    const auto info = [&](ByteView algorithm, ByteView encrypted_key) {
        return der_value(tag::context(2, true),
                         {der_integer(4), der_value(tag::kSequence, der_value(tag::kOctetString, kek.id)), algorithm,
                          der_value(tag::kOctetString, encrypted_key)});
    };
    const std::string_view aes = aes_wrap(32).oid;
    const auto wrapped = [&](const SecretBytes& key) { return wrap_key(aes_wrap(32), *kek.key, key); };
    const auto message = [&](const Bytes& bad, const std::vector<Recipient>& others) {
        return enveloped(others, [&](std::vector<Bytes>& infos) { infos.insert(infos.begin(), bad); });
    };
    const std::string takes_none = "malformed KEKRecipientInfo: aes-256-wrap takes no parameters";
    const Bytes good = wrapped(SecretBytes(32));
    std::vector<std::pair<Bytes, std::string>> cases{
        {info(der_algorithm(aes, der_value(tag::kOctetString, Bytes(8))), good), takes_none},
        {info(der_algorithm(aes, der_algorithm("1.2.3.4")), good), takes_none},
        {info(der_algorithm("1.2.3.4"), good), "unsupported algorithm 1.2.3.4"},
        {info(der_algorithm("2.16.840.1.101.3.4.1.48"), good), "unsupported algorithm id-aes256-wrap-pad"},
        {info(der_algorithm("2.16.840.1.101.3.4.1.42"), good), "unsupported algorithm aes-256-cbc"}};
    for (const std::size_t size : {0U, 8U, 16U, 23U, 41U, 520U})
        cases.emplace_back(info(der_algorithm(aes), Bytes(size)),
                           fmt::format("malformed KEKRecipientInfo: no key wrap gives {} bytes", size));
    const GivenSecrets given{.kek = kek, .password = {}};
    for (const auto& [bad, fault] : cases) {
        CAPTURE(fault);
        const std::string named = fault + " (kek recipient, key identifier c0ffee)";
        const Error alone = caught([&] { decrypt_with(bench, message(bad, {}), given); });
        CHECK(alone.kind() == ErrorKind::malformed);
        CHECK(alone.what() == named);
        const std::string with_bob = message(bad, {bob.certificate});
        CHECK(decrypt_with(bench, with_bob, given, {bob}).content == kText);
        const Error beside = caught([&] { decrypt_with(bench, with_bob, given); });
        CHECK(beside.kind() == ErrorKind::no_key);
        CHECK_THAT(beside.hint(), Catch::Contains(named));
    }

    // NULL where there should be nothing is a habit of producers.
    const Bytes null{0x05, 0x00};
    const std::string lenient = enveloped({kek}, [&](std::vector<Bytes>& infos) {
        infos[0] = info(der_algorithm(aes, null), ByteView(infos[0]).last(40));
    });
    CHECK(decrypt_with(bench, lenient, given).content == kText);

    // A content key of another size than the content's, and a key encryption key of another than the wrap's.
    const Error short_key =
        caught([&] { decrypt_with(bench, message(info(der_algorithm(aes), wrapped(SecretBytes(16))), {}), given); });
    CHECK(short_key.kind() == ErrorKind::malformed);
    CHECK(std::string(short_key.what()) ==
          "malformed CMS: a key of 16 bytes where the content takes 32 (kek recipient, "
          "key identifier c0ffee)");
    const KeyEncryptionKey short_kek{kek.id, secret(Bytes(16, 7))};
    const Error no_key = caught(
        [&] { decrypt_with(bench, message(info(der_algorithm(aes), good), {}), {.kek = short_kek, .password = {}}); });
    CHECK(no_key.kind() == ErrorKind::no_key);
    CHECK_THAT(no_key.hint(), Catch::Contains("key identifier c0ffee, 32 bytes"));
}

TEST_CASE("OpenSSL decrypts every OAEP hash, mask and label") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(KeyKind::rsa2048);
    constexpr Hash kHashes[] = {Hash::sha1, Hash::sha224, Hash::sha256, Hash::sha384, Hash::sha512, Hash::sha3_256};
    for (const Hash hash : kHashes)
        for (const Hash mgf : kHashes)
            for (const std::string_view label : {"", "label"}) {
                CAPTURE(digest_algorithm(hash).name, digest_algorithm(mgf).name, label);
                const Recipient to(bob.certificate, RsaOaep{hash, mgf, to_bytes(bytes_of(label))});
                const std::string ours = bench.encrypt({to}, kText);
                CHECK(peer_decrypt(bench, ours, bob) == kText);
                CHECK(bench.decrypt(ours, {bob}).content == kText);
            }
}

TEST_CASE("SHA-3 has no parameters in OAEP (RFC 9688 section 2), other hashes have NULL") {
    const Bytes sha3 = from_hex("060960864801650304 0208"), sha256 = from_hex("060960864801650304 0201 0500");
    const auto hash_and_mask = [](ByteView hash) {
        const Bytes identifier = der_value(tag::kSequence, hash);
        return der_value(tag::kSequence,
                         {der_value(tag::context(0, true), identifier),
                          der_value(tag::context(1, true), der_algorithm("1.2.840.113549.1.1.8", identifier))});
    };
    CHECK(oaep_algorithm({Hash::sha3_256, Hash::sha3_256, {}}) ==
          der_algorithm("1.2.840.113549.1.1.7", hash_and_mask(sha3)));
    CHECK(oaep_algorithm({Hash::sha256, Hash::sha256, {}}) ==
          der_algorithm("1.2.840.113549.1.1.7", hash_and_mask(sha256)));
}

TEST_CASE("OpenSSL agrees on every curve, hash and wrap, with and without the cofactor") {
    const CmsBench bench;
    const KeyKind kind = GENERATE(KeyKind::p256, KeyKind::p384, KeyKind::p521, KeyKind::brainpool256,
                                  KeyKind::brainpool384, KeyKind::brainpool512);
    const SoftwareKey bob = bench.bob(kind);
    for (const Hash hash : {Hash::sha1, Hash::sha224, Hash::sha256, Hash::sha384, Hash::sha512}) {
        const bool cofactor = hash == Hash::sha384 || hash == Hash::sha1;
        const std::size_t wrap_size = hash == Hash::sha512 ? 32 : hash == Hash::sha384 ? 24 : 16;
        CAPTURE(digest_algorithm(hash).name);
        const Recipient to(bob.certificate, KeyAgreement{.hash = hash, .wrap_size = wrap_size, .cofactor = cofactor});
        const std::string ours = bench.encrypt({to}, kText);
        CHECK(peer_decrypt(bench, ours, bob) == kText);
        CHECK(bench.decrypt(ours, {bob}).content == kText);
    }
    const std::string theirs = peer_encrypt(bench, {"-recip", bench.certificate_file(bob)});
    CHECK(bench.decrypt(theirs, {bob}).content == kText);
}

TEST_CASE("the key wrap with 3DES that OpenSSL puts beside 3DES is read, and what was changed in it does not open") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const std::string theirs = bench.openssl(
        {"cms", "-encrypt", "-binary", "-outform", "DER", "-des3", "-recip", bench.certificate_file(bob)}, kText);
    CHECK(bench.decrypt(theirs, {bob}).content == kText);

    ViewSource source(bytes_of(theirs));
    BerReader reader(source);
    enter_content_info(reader);
    const EnvelopedDataReader envelope(reader, EncryptedKind::enveloped);
    const RecipientEntry& entry = envelope.recipients().at(0);
    CHECK(std::get<Agree>(*entry.recovery).wrap->name == "3des-wrap");
    const std::size_t at = theirs.find(text_of(entry.encrypted_key));
    for (const std::size_t offset : {0U, 20U, 39U}) {
        std::string changed = theirs;
        changed[at + offset] ^= 1;
        CHECK(caught([&] { bench.decrypt(changed, {bob}); }).kind() == ErrorKind::failed);
    }
}

TEST_CASE("those who agree alike share one KeyAgreeRecipientInfo, and OpenSSL reads each key in it") {
    const CmsBench bench;
    const std::vector<SoftwareKey> alike{bench.bob(), bench.bob(), bench.bob()};
    const SoftwareKey p384 = bench.bob(KeyKind::p384);
    EncryptOptions options;
    options.form = Form::der;
    const auto to = [](const SoftwareKey& key) {
        return Recipient(key.certificate, KeyAgreement{.hash = Hash::sha256, .shared = true});
    };
    const std::string der = bench.encrypt({to(alike[0]), to(p384), to(alike[1]), to(alike[2])}, kText, options);
    const auto* at = reinterpret_cast<const Byte*>(der.data());
    const CmsHandle cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
    REQUIRE(cms);
    CHECK(sk_CMS_RecipientInfo_num(CMS_get0_RecipientInfos(cms.get())) == 2);
    for (const SoftwareKey& key : {alike[0], alike[1], alike[2], p384}) {
        CHECK(bench.openssl({"cms", "-decrypt", "-binary", "-inform", "DER", "-recip", bench.certificate_file(key),
                             "-inkey", bench.key_file(key)},
                            der) == kText);
        CHECK(bench.decrypt(der, {key}).content == kText);
    }
}

TEST_CASE("X25519 and X448 recipients are written and read with HKDF") {
    const CmsBench bench;
    const KeyKind kind = GENERATE(KeyKind::x25519, KeyKind::x448);
    const SoftwareKey bob = bench.bob(kind), carol = bench.bob(kind);
    for (const Hash hash : {Hash::sha256, Hash::sha384, Hash::sha512}) {
        const KeyAgreement how{.hash = hash, .wrap_size = 32};
        const std::string ours = bench.encrypt({{bob.certificate, how}, {carol.certificate, how}}, kText);
        for (const SoftwareKey& key : {bob, carol})
            CHECK(used(bench.decrypt(ours, {key})) == "xdh");
        CHECK(caught([&] { bench.decrypt(ours, {bench.bob(kind)}); }).kind() == ErrorKind::no_key);
    }
    CHECK_THROWS_AS(bench.encrypt({{bob.certificate, KeyAgreement{Hash::sha1}}}, kText), Error);
    CHECK_THROWS_AS(bench.encrypt({{bob.certificate, RsaPkcs1Transport{}}}, kText), Error);
}

TEST_CASE("the shared information is OpenSSL's, and HKDF is that of RFC 5869") {
    const Handle<X509_ALGOR, X509_ALGOR_free> wrap(X509_ALGOR_new());
    REQUIRE(X509_ALGOR_set0(wrap.get(), OBJ_nid2obj(NID_id_aes256_wrap), V_ASN1_UNDEF, nullptr) == 1);
    const Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> ukm(ASN1_OCTET_STRING_new());
    REQUIRE(ASN1_OCTET_STRING_set(ukm.get(), reinterpret_cast<const Byte*>("material"), 8) == 1);
    for (ASN1_OCTET_STRING* material : {static_cast<ASN1_OCTET_STRING*>(nullptr), ukm.get()}) {
        Byte* der = nullptr;
        const int size = CMS_SharedInfo_encode(&der, wrap.get(), material, 32);
        REQUIRE(size > 0);
        const auto own = material == nullptr ? std::nullopt : std::optional(bytes_of("material"));
        CHECK(shared_info(encode(wrap.get(), i2d_X509_ALGOR), own, aes_wrap(32)) == Bytes(der, der + size));
        OPENSSL_free(der);
    }

    // Appendix A.1; the first 32 bytes of OKM are what L = 32 gives.
    const SecretBytes okm(from_hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"));
    const SecretBytes key(from_hex("00112233445566778899aabbccddeeff"));
    const KeyDerivation kdf{.kind = KeyDerivation::Kind::hkdf,
                            .hash = Hash::sha256,
                            .info = from_hex("f0f1f2f3f4f5f6f7f8f9"),
                            .salt = from_hex("000102030405060708090a0b0c")};
    const auto opened =
        derive_and_unwrap(SecretBytes(ByteView(Bytes(22, 0x0b))), kdf, aes_wrap(32), wrap_key(aes_wrap(32), okm, key));
    REQUIRE(opened);
    CHECK(to_bytes(*opened) == to_bytes(key));
}

TEST_CASE("a point of low order and an all-zero secret are refused (RFC 7748 section 6)") {
    const CmsBench bench;
    const KeyKind kind = GENERATE(KeyKind::x25519, KeyKind::x448);
    const SoftwareKey bob = bench.bob(kind);
    const std::size_t size = kind == KeyKind::x25519 ? 32 : 56;
    const auto peer = [&](Bytes point) {
        return agreement_peer(spki(der_algorithm(kind == KeyKind::x25519 ? "1.3.101.110" : "1.3.101.111"), point),
                              bob.key.get());
    };
    Bytes one(size);
    one[0] = 1;
    Bytes base(size);
    base[0] = kind == KeyKind::x25519 ? 9 : 5;
    CHECK_FALSE(peer(Bytes(size)));
    CHECK_FALSE(peer(one));
    CHECK_FALSE(peer(Bytes(size - 1, 3)));
    CHECK(peer(base));
    CHECK_FALSE(agreement_peer(spki(der_algorithm("1.3.101.110"), base), bench.bob().key.get()));

    const KeyDerivation kdf{.kind = KeyDerivation::Kind::x963, .hash = Hash::sha256, .info = {}};
    CHECK_FALSE(derive_and_unwrap(SecretBytes(size), kdf, aes_wrap(32), Bytes(40)));
}

TEST_CASE("an all-zero secret is refused even where the key was wrapped for it") {
    const KeyDerivation kdf{.kind = KeyDerivation::Kind::hkdf, .hash = Hash::sha256, .info = {}};
    // HKDF-SHA-256 of 32 zero bytes without salt and info, by `openssl kdf`.
    const CmsBench bench;
    const std::string out = bench.file("");
    bench.openssl({"kdf", "-keylen", "32", "-kdfopt", "digest:SHA256", "-kdfopt", "hexkey:" + std::string(64, '0'),
                   "-binary", "-out", out, "HKDF"});
    const SecretBytes wrapping(bytes_of(read_file(out)));
    const SecretBytes key(ByteView(Bytes(16, 5)));
    CHECK_FALSE(derive_and_unwrap(SecretBytes(32), kdf, aes_wrap(32), wrap_key(aes_wrap(32), wrapping, key)));
}

TEST_CASE("kinds of recipients that are unknown are named and passed over") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    // KEMRecipientInfo (RFC 9629) under OtherRecipientInfo, and a tag that no one has given a meaning yet.
    const Bytes kem = der_value(tag::context(4, true),
                                {der_oid("1.2.840.113549.1.9.16.13.3"), der_value(tag::kSequence, der_integer(0))});
    const Bytes future = der_value(tag::context(9, true), der_integer(7));
    const std::string message = enveloped({bob.certificate}, [&](std::vector<Bytes>& infos) {
        infos.push_back(kem);
        infos.push_back(future);
    });
    const ReadMail read = bench.decrypt(message, {bob});
    CHECK(read.content == kText);
    std::string kinds;
    for (const RecipientSummary& recipient : read.report.layers.at(0).recipients)
        kinds += recipient.key_management + " ";
    CHECK(kinds == "ecdh 1.2.840.113549.1.9.16.13.3 other ");

    const std::string alone = enveloped({bob.certificate}, [&](std::vector<Bytes>& infos) { infos = {kem}; });
    const Error error = caught([&] { bench.decrypt(alone, {bob}); });
    CHECK(error.kind() == ErrorKind::malformed);
    CHECK(std::string(error.what()).find("1.2.840.113549.1.9.16.13.3") != std::string::npos);
}

TEST_CASE("static key agreement is named as unsupported, and user keying material is salt of HKDF alone") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const Bytes issuer = der_value(tag::kSequence, {bob.certificate.issuer_der(), bob.certificate.serial_der()});
    const auto agree_info = [&](ByteView originator, std::string_view scheme) {
        const Bytes keys =
            der_value(tag::kSequence, der_value(tag::kSequence, {issuer, der_value(tag::kOctetString, Bytes(40))}));
        return der_value(tag::context(1, true),
                         {der_integer(3), der_value(tag::context(0, true), originator),
                          der_value(tag::context(1, true), der_value(tag::kOctetString, bytes_of("salt"))),
                          der_algorithm(scheme, der_algorithm("2.16.840.1.101.3.4.1.45")), keys});
    };
    const auto entry = read_recipient_info(agree_info(issuer, "1.3.132.1.11.1"), 32).at(0);
    CHECK_FALSE(entry.recovery);
    CHECK(entry.fault == "unsupported algorithm static-static key agreement");

    const Bytes x25519 = der_value(tag::context(1, true), {der_algorithm("1.3.101.110"), der_value(0x03, Bytes(33))});
    const auto salt_of = [&](std::string_view scheme) {
        return std::get<Agree>(*read_recipient_info(agree_info(x25519, scheme), 32).at(0).recovery).kdf.salt;
    };
    CHECK(salt_of("1.2.840.113549.1.9.16.3.19") == to_bytes(bytes_of("salt")));
    CHECK(salt_of("1.3.132.1.11.1").empty());
}

TEST_CASE("what RSA PKCS#1 v1.5 gives shows nowhere, whatever else opens the mail") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(KeyKind::rsa2048), carol = bench.bob(KeyKind::rsa2048), dora = bench.bob();
    const auto info_of = [](const Recipient& to, const SecretBytes& key) { return make_recipient_infos({to}, key)[0]; };
    // Probes of an attacker, who learns what a ciphertext holds if they end differently: a key of the right size, one
    // of another, and what is not padded.
    std::vector<Bytes> probes{info_of(bob.certificate, SecretBytes(32)), info_of(bob.certificate, SecretBytes(24)),
                              info_of(bob.certificate, SecretBytes(32))};
    std::fill(probes[2].end() - 250, probes[2].end(), Byte{5});
    const Recipient oaep(bob.certificate, RsaOaep{Hash::sha256, Hash::sha256, {}});

    const auto outcomes = [&](const Recipient& opens, bool probe_first, const std::vector<SoftwareKey>& keys) {
        std::set<std::string> all;
        for (const Bytes& probe : probes) {
            const std::string message = enveloped({opens}, [&](std::vector<Bytes>& infos) {
                infos.insert(probe_first ? infos.begin() : infos.end(), probe);
            });
            SoftwareKeys source(keys);
            ReadOptions options;
            options.task = Task::decrypt;
            const auto job = read_job(&source, nullptr, options);
            std::string outcome = "opens";
            try {
                run(*job, message);
            } catch (const Error& error) {
                outcome = fmt::format("{} {} {}", error.kind() == ErrorKind::failed, error.what(), error.hint());
            }
            for (const Layer& layer : job->report().layers)
                for (const RecipientSummary& recipient : layer.recipients)
                    outcome += fmt::format(" {} {}", recipient.key_management, recipient.used);
            all.insert(outcome);
        }
        return all;
    };
    const auto opens = [](const std::set<std::string>& all) {
        REQUIRE(all.size() == 1);
        return all.begin()->starts_with("opens");
    };
    CHECK_FALSE(opens(outcomes(bob.certificate, true, {bob})));
    CHECK(opens(outcomes(bob.certificate, false, {bob})));
    for (const bool probe_first : {true, false}) {
        CAPTURE(probe_first);
        CHECK(opens(outcomes(oaep, probe_first, {bob})));
        for (const SoftwareKey& other : {carol, dora}) {
            CHECK_FALSE(opens(outcomes(other.certificate, probe_first, {bob, other})));
            CHECK(opens(outcomes(other.certificate, probe_first, {other, bob})));
        }
    }
}

TEST_CASE("one mail does not ask for many operations with private keys") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(KeyKind::rsa2048);
    const Recipient oaep(bob.certificate, RsaOaep{Hash::sha256, Hash::sha256, {}});
    const auto after_bad_ones = [&](std::size_t count) {
        return enveloped({oaep}, [&](std::vector<Bytes>& infos) {
            Bytes bad = infos[0];
            bad.back() ^= 1;
            infos.insert(infos.begin(), count, bad);
        });
    };
    CHECK(bench.decrypt(after_bad_ones(kMaxPrivateKeyOperations - 1), {bob}).content == kText);
    const Error error = caught([&] { bench.decrypt(after_bad_ones(kMaxPrivateKeyOperations), {bob}); });
    CHECK(error.kind() == ErrorKind::malformed);
    CHECK(std::string(error.what()).find("operations with private keys") != std::string::npos);

    EncryptOptions options;
    options.cipher = content_cipher("aes-256-gcm");
    std::string nested(kText);
    for (std::size_t i = 0; i < kMaxPrivateKeyOperations; ++i)
        nested = bench.encrypt({oaep}, nested, options);
    CHECK(bench.open(nested, {bob}).content == kText);
    nested = bench.encrypt({oaep}, nested, options);
    CHECK(caught([&] { bench.open(nested, {bob}); }).kind() == ErrorKind::malformed);
}
