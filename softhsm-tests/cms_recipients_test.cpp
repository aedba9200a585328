// Recipients by key transport, and RecipientInfos of all kinds beside each other.
#include <fmt/format.h>

#include <set>

#include "cms/der.h"
#include "cms/key_wrap.h"
#include "cms/recipient_info.h"
#include "cms/rsa_oaep.h"
#include "cms/smime/content_keys.h"
#include "softhsm-tests/cms_recipients.h"
#include "softhsm-tests/support/hex.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

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
        return enveloped_with(others, [&](std::vector<Bytes>& infos) { infos.insert(infos.begin(), bad); });
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
    const GivenSecrets given = given_kek(kek);
    for (const auto& [bad, fault] : cases) {
        CAPTURE(fault);
        const std::string named = fault + " (kek recipient, key identifier c0ffee)";
        const std::string by_itself = message(bad, {});
        const Error alone = caught([&] { bench.decrypt(by_itself, {}, given); });
        CHECK(alone.kind() == ErrorKind::malformed);
        CHECK(alone.what() == named);
        const std::string with_bob = message(bad, {bob.certificate});
        CHECK(bench.decrypt(with_bob, {bob}, given).content == kText);
        const Error beside = caught([&] { bench.decrypt(with_bob, {}, given); });
        CHECK(beside.kind() == ErrorKind::no_key);
        CHECK_THAT(beside.hint(), Catch::Contains(named));
    }

    // NULL where there should be nothing is a habit of producers.
    const std::string lenient = enveloped_with({kek}, [&](std::vector<Bytes>& infos) {
        infos[0] = info(der_algorithm(aes, kNull), ByteView(infos[0]).last(40));
    });
    CHECK(bench.decrypt(lenient, {}, given).content == kText);

    // A content key of another size than the content's, and a key encryption key of another than the wrap's.
    const Error short_key =
        caught([&] { bench.decrypt(message(info(der_algorithm(aes), wrapped(SecretBytes(16))), {}), {}, given); });
    CHECK(short_key.kind() == ErrorKind::malformed);
    CHECK(std::string(short_key.what()) ==
          "malformed CMS: a key of 16 bytes where the content takes 32 (kek recipient, "
          "key identifier c0ffee)");
    const KeyEncryptionKey short_kek{kek.id, secret(Bytes(16, 7))};
    const Error no_key =
        caught([&] { bench.decrypt(message(info(der_algorithm(aes), good), {}), {}, given_kek(short_kek)); });
    CHECK(no_key.kind() == ErrorKind::no_key);
    CHECK_THAT(no_key.hint(), Catch::Contains("key identifier c0ffee, 32 bytes"));
}

TEST_CASE("OpenSSL decrypts every OAEP hash, mask and label") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(KeyKind::rsa2048);
    constexpr Hash kHashes[] = {Hash::sha1,   Hash::sha224,     Hash::sha256,  Hash::sha384,
                                Hash::sha512, Hash::sha512_256, Hash::sha3_256};
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

TEST_CASE("a recipient whose algorithms are not supported or make no sense leaves the others alone") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const GivenSecrets given = given_password("right");
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
            enveloped_with({bob.certificate}, [&](std::vector<Bytes>& infos) { infos.insert(infos.begin(), bad); });
        const RecipientEntry entry = read_recipient_info(bad, 32).at(0);
        CAPTURE(entry.fault);
        CHECK_FALSE(entry.recovery);
        CHECK_FALSE(entry.fault.empty());
        CHECK(bench.decrypt(message, {bob}, given).content == kText);
    }
    CHECK(read_recipient_info(agreed(der_algorithm(hkdf, der_algorithm("2.16.840.1.101.3.4.1.45")), kMaxUkmBytes), 32)
              .at(0)
              .recovery);
}

TEST_CASE("kinds of recipients that are unknown are named and passed over") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    // KEMRecipientInfo (RFC 9629) under OtherRecipientInfo, and a tag that no one has given a meaning yet.
    const Bytes kem = der_value(tag::context(4, true),
                                {der_oid("1.2.840.113549.1.9.16.13.3"), der_value(tag::kSequence, der_integer(0))});
    const Bytes future = der_value(tag::context(9, true), der_integer(7));
    const std::string message = enveloped_with({bob.certificate}, [&](std::vector<Bytes>& infos) {
        infos.push_back(kem);
        infos.push_back(future);
    });
    const ReadMail read = bench.decrypt(message, {bob});
    CHECK(read.content == kText);
    std::string kinds;
    for (const RecipientSummary& recipient : read.report.layers.at(0).recipients)
        kinds += recipient.key_management + " ";
    CHECK(kinds == "ecdh 1.2.840.113549.1.9.16.13.3 other ");

    const std::string alone = enveloped_with({bob.certificate}, [&](std::vector<Bytes>& infos) { infos = {kem}; });
    const Error error = caught([&] { bench.decrypt(alone, {bob}); });
    CHECK(error.kind() == ErrorKind::malformed);
    CHECK(std::string(error.what()).find("1.2.840.113549.1.9.16.13.3") != std::string::npos);
}

TEST_CASE("a RecipientInfo with a choice that is unknown is passed over, one that is malformed is not") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const Bytes integer = der_integer(7);
    const Bytes rid = der_value(tag::kSequence, {bob.certificate.issuer_der(), bob.certificate.serial_der()});
    const Bytes extension = der_value(tag::context(7, true), integer);
    const Bytes key = der_value(tag::kOctetString, Bytes(40));
    const auto transported = [&](ByteView to) {
        return der_value(tag::kSequence,
                         {der_integer(0), to, der_algorithm("1.2.840.113549.1.1.1", kNull), ByteView(key)});
    };
    const Bytes public_key =
        der_value(tag::context(1, true), {der_algorithm("1.2.840.10045.2.1"), der_value(0x03, Bytes(66))});
    const auto agreed = [&](ByteView originator, const Bytes& keys) {
        return der_value(tag::context(1, true),
                         {der_integer(3), der_value(tag::context(0, true), originator),
                          der_algorithm("1.3.132.1.11.1", der_algorithm("2.16.840.1.101.3.4.1.45")),
                          der_value(tag::kSequence, keys)});
    };
    const auto encrypted_key = [&](ByteView to) { return der_value(tag::kSequence, {to, ByteView(key)}); };
    const auto beside_bob = [&](const Bytes& info) {
        return enveloped_with({bob.certificate}, [&](std::vector<Bytes>& infos) { infos.insert(infos.begin(), info); });
    };
    const Bytes no_value = der_value(tag::context(4, true), der_oid("1.2.3.4"));
    for (const Bytes& info : {transported(extension), agreed(extension, encrypted_key(rid)),
                              agreed(public_key, encrypted_key(extension)), no_value}) {
        const RecipientEntry entry = read_recipient_info(info, 32).at(0);
        CAPTURE(entry.fault);
        CHECK_FALSE(entry.recovery);
        CHECK_THAT(entry.fault, Catch::StartsWith("unsupported kind of "));
        CHECK(bench.decrypt(beside_bob(info), {bob}).content == kText);
    }
    // One key of several leaves the others alone.
    const auto entries =
        read_recipient_info(agreed(public_key, concat({encrypted_key(extension), encrypted_key(rid)})), 32);
    CHECK_FALSE(entries.at(0).recovery);
    CHECK(entries.at(1).recovery);
    CHECK(entries.at(1).identifier.matches(bob.certificate));

    const Bytes bad_rid = der_value(tag::kSequence, integer);  // of a kind that is known
    for (const Bytes& info :
         {transported(bad_rid), agreed(bad_rid, encrypted_key(rid)), agreed(public_key, encrypted_key(bad_rid)),
          agreed(public_key, integer), der_value(tag::context(4, true), {})}) {
        CAPTURE(hex(info));
        CHECK(caught([&] { bench.decrypt(beside_bob(info), {bob}); }).kind() == ErrorKind::malformed);
    }
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
            const std::string message = enveloped_with({opens}, [&](std::vector<Bytes>& infos) {
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
        return enveloped_with({oaep}, [&](std::vector<Bytes>& infos) {
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

TEST_CASE("as many recipients as can be read can be written, and no more", "[limits]") {
    const CmsBench bench;
    const KeyEncryptionKey kek{from_hex("c0ffee"), secret(Bytes(32, 7))};
    std::vector<Recipient> recipients(kMaxRecipients, kek);
    CHECK(bench.decrypt(bench.encrypt(recipients, kText), {}, given_kek(kek)).content == kText);
    recipients.emplace_back(kek);
    const Error refused = caught([&] { bench.encrypt(recipients, kText); });
    CHECK(refused.kind() == ErrorKind::usage);
    CHECK_THAT(refused.what(), Catch::Contains("2001 recipients are more than one mail can have"));
}
