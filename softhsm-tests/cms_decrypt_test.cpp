#include <catch2/catch.hpp>

#include "cms/smime/read.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

std::string openssl_encrypt(const CmsBench& bench, const Arguments& options, std::string_view text = kText) {
    return bench.openssl(Arguments{"cms", "-encrypt", "-binary"} + options, text);
}

// expected is kText with the line ends of a message; bare CMS has none.
std::string expected(std::string_view message) {
    const std::size_t lf = message.find('\n');
    const bool mail = message.starts_with("MIME-Version");
    return mail && message[lf - 1] != '\r' ? with_lf(kText) : std::string(kText);
}

void check_opens(const CmsBench& bench, const std::string& encrypted, const SoftwareKey& key, bool authenticated) {
    const ReadMail read = bench.decrypt(encrypted, {key});
    CHECK(read.content == expected(encrypted));
    CHECK(read.report.result == Result::decrypted);
    REQUIRE(read.report.layers.size() == 1);
    CHECK(read.report.layers[0].authenticated == authenticated);
    CHECK(read.report.warnings.empty() == authenticated);
}

}  // namespace

TEST_CASE("what OpenSSL encrypts opens with every cipher and form") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const Arguments recipient{bench.certificate_file(bob)};
    for (const std::string cipher :
         {"aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "aes-128-gcm", "aes-192-gcm", "aes-256-gcm"})
        for (const Arguments& form :
             {Arguments{}, Arguments{"-stream"}, Arguments{"-crlfeol"}, Arguments{"-outform", "DER"},
              Arguments{"-outform", "DER", "-stream"}, Arguments{"-outform", "PEM"}}) {
            CAPTURE(cipher, form);
            const std::string encrypted = openssl_encrypt(bench, Arguments{"-" + cipher} + form + recipient);
            check_opens(bench, encrypted, bob, cipher.ends_with("gcm"));
            const ReadMail inspected = bench.inspect(encrypted);
            CHECK(inspected.report.layers.at(0).cipher == cipher);
            CHECK(inspected.report.layers.at(0).recipients.at(0).key_management == "ecdh");
            CHECK(inspected.report.layers.at(0).authenticated == std::nullopt);
        }
}

TEST_CASE("what OpenSSL encrypts to RSA keys opens with every padding") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(KeyKind::rsa2048);
    const Arguments recipient{"-recip", bench.certificate_file(bob)};
    const Arguments oaep{"-keyopt", "rsa_padding_mode:oaep"};
    const std::vector<std::pair<Arguments, const char*>> variants{
        {{}, "rsa-pkcs1"},
        {{"-keyid"}, "rsa-pkcs1"},
        {oaep, "rsa-oaep"},
        {oaep + Arguments{"-keyopt", "rsa_oaep_md:sha256"}, "rsa-oaep"},
        {oaep + Arguments{"-keyopt", "rsa_oaep_md:sha256", "-keyopt", "rsa_mgf1_md:sha1"}, "rsa-oaep"},
        {oaep + Arguments{"-keyopt", "rsa_oaep_md:sha1", "-keyopt", "rsa_mgf1_md:sha512"}, "rsa-oaep"},
        {oaep + Arguments{"-keyopt", "rsa_oaep_md:sha384", "-keyopt", "rsa_mgf1_md:sha384"}, "rsa-oaep"},
        {oaep + Arguments{"-keyopt", "rsa_oaep_md:sha512", "-keyopt", "rsa_oaep_label:6c6162656c"}, "rsa-oaep"},
    };
    for (const auto& [options, key_management] : variants) {
        CAPTURE(options);
        const std::string encrypted = openssl_encrypt(bench, Arguments{"-aes-256-cbc"} + recipient + options);
        check_opens(bench, encrypted, bob, false);
        const ReadMail read = bench.decrypt(encrypted, {bob});
        CHECK(read.report.layers[0].recipients.at(0).key_management == key_management);
        CHECK(read.report.layers[0].recipients[0].used);
    }
}

TEST_CASE("what OpenSSL encrypts to EC keys opens with every key derivation and wrap") {
    const CmsBench bench;
    const KeyKind kind = GENERATE(KeyKind::p256, KeyKind::p384, KeyKind::p521);
    const SoftwareKey bob = bench.bob(kind);
    const Arguments recipient{"-recip", bench.certificate_file(bob)};
    std::vector<Arguments> variants{{"-keyid"}, {"-keyopt", "ecdh_cofactor_mode:1"}};
    for (const char* hash : {"sha1", "sha224", "sha256", "sha384", "sha512"}) {
        variants.push_back({"-keyopt", std::string("ecdh_kdf_md:") + hash});
        variants.push_back({"-keyopt", std::string("ecdh_kdf_md:") + hash, "-keyopt", "ecdh_cofactor_mode:1"});
    }
    for (const Arguments& options : variants)
        for (const char* cipher : {"-aes-128-cbc", "-aes-192-gcm", "-aes-256-gcm"}) {
            CAPTURE(options, cipher);
            // OpenSSL wraps with the size of the content key.
            check_opens(bench, openssl_encrypt(bench, Arguments{cipher} + recipient + options), bob,
                        std::string_view(cipher).ends_with("gcm"));
        }
    for (const char* wrap : {"-aes128-wrap", "-aes192-wrap", "-aes256-wrap"}) {
        CAPTURE(wrap);
        check_opens(bench, openssl_encrypt(bench, Arguments{"-aes-256-cbc", wrap} + recipient), bob, false);
    }
}

TEST_CASE("each of several recipients opens the mail with their own key") {
    const CmsBench bench;
    const SoftwareKey rsa = bench.bob(KeyKind::rsa2048), p256 = bench.bob(), p384 = bench.bob(KeyKind::p384);
    const std::string cipher = GENERATE("-aes-256-cbc", "-aes-256-gcm");
    const std::string encrypted =
        openssl_encrypt(bench, {cipher, "-recip", bench.certificate_file(rsa), "-recip", bench.certificate_file(p256),
                                "-keyid", "-recip", bench.certificate_file(p384)});
    for (const SoftwareKey& key : {rsa, p256, p384}) {
        const ReadMail read = bench.decrypt(encrypted, {key});
        CHECK(read.content == expected(encrypted));
        const auto& recipients = read.report.layers.at(0).recipients;
        REQUIRE(recipients.size() == 3);
        int used = 0;
        for (const RecipientSummary& each : recipients)
            used += each.used;
        CHECK(used == 1);
    }
    CHECK(bench.decrypt(encrypted, {p384, rsa}).content == expected(encrypted));

    const Error error = caught([&] { bench.decrypt(encrypted, {bench.bob()}); });
    CHECK(error.kind() == ErrorKind::no_key);
    CHECK(error.hint().find("Bob is not a recipient") != std::string::npos);
}

TEST_CASE("other kinds of recipients stand beside one's own") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob();
    const std::string key_id = "00112233", key = "000102030405060708090a0b0c0d0e0f";
    const Arguments both{
        "-aes-128-cbc", "-secretkey", key, "-secretkeyid", key_id, "-recip", bench.certificate_file(bob)};
    check_opens(bench, openssl_encrypt(bench, both), bob, false);
    const Arguments password{"-aes-128-cbc", "-pwri_password", "secret", "-recip", bench.certificate_file(bob)};
    const std::string by_password = openssl_encrypt(bench, password);
    check_opens(bench, by_password, bob, false);
    std::string kinds;
    const ReadMail inspected = bench.inspect(by_password);
    for (const RecipientSummary& each : inspected.report.layers.at(0).recipients)
        kinds += each.key_management + " ";
    CHECK((kinds == "ecdh password " || kinds == "password ecdh "));

    const std::string alone = openssl_encrypt(bench, {"-aes-128-cbc", "-pwri_password", "secret"});
    const Error error = caught([&] { bench.decrypt(alone, {bob}); });
    CHECK(error.kind() == ErrorKind::no_key);
    CHECK(error.hint().find("--password-source") != std::string::npos);
}

TEST_CASE("a content cipher that is not supported is named") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(KeyKind::rsa2048);
    const std::string encrypted = openssl_encrypt(bench, {"-camellia256", "-recip", bench.certificate_file(bob)});
    const Error error = caught([&] { bench.decrypt(encrypted, {bob}); });
    CHECK(error.kind() == ErrorKind::malformed);
    CHECK(std::string(error.what()).find("unsupported algorithm camellia-256-cbc") != std::string::npos);
    CHECK(bench.inspect(encrypted).report.layers.at(0).cipher == "camellia-256-cbc");
    CHECK(bench.inspect(encrypted).report.layers.at(0).strength == std::nullopt);
}

TEST_CASE("a key that turns out unable is passed over and named, one in trouble ends the search") {
    /// Failing is a key that fails instead of recovering anything.
    class Failing final : public Decrypter {
      public:
        Failing(const SoftwareKey& key, std::function<void()> fail) : key_(key), fail_(std::move(fail)) {}
        bool is_named_by(const RecipientIdentifier& recipient) const override { return key_.is_named_by(recipient); }
        std::string name() const override { return key_.name(); }
        std::string obstacle(const Recovery& recovery) const override { return key_.obstacle(recovery); }
        std::optional<SecretBytes> recover(const Recovery&, ByteView, const Intent&, std::stop_token) override {
            fail_();
            return std::nullopt;
        }
        std::unique_ptr<Decrypter> clone() const override { return nullptr; }

      private:
        SoftwareDecrypter key_;
        std::function<void()> fail_;
    };
    struct Keys final : DecrypterSource {
        std::vector<std::unique_ptr<Decrypter>> find(std::span<const RecipientIdentifier>, const Intent&) override {
            return std::move(keys);
        }
        std::vector<std::string> skipped() const override { return {}; }
        std::vector<std::unique_ptr<Decrypter>> keys;
    };
    const CmsBench bench;
    const SoftwareKey zoe = bench.bob(KeyKind::rsa2048), yan = bench.bob();
    const std::string mail =
        bench.encrypt({{zoe.certificate, RsaOaep{Hash::sha256, Hash::sha256, {}}}, {yan.certificate}}, kText);
    const auto opened = [&](const std::function<void()>& fail, bool another) {
        Keys keys;
        keys.keys.push_back(std::make_unique<Failing>(zoe, fail));
        if (another) keys.keys.push_back(std::make_unique<SoftwareDecrypter>(yan));
        ReadOptions options;
        options.task = Task::decrypt;
        return read_mail(mail, &keys, nullptr, std::move(options));
    };
    const Error trouble(ErrorKind::token, "the key is unable");
    const auto unable = [&] { throw Unsupported(trouble); };
    const ReadMail read = opened(unable, true);
    CHECK(read.content == kText);
    CHECK(read.used() == "ecdh");
    CHECK(std::find(read.report.warnings.begin(), read.report.warnings.end(),
                    Warning{"key-skipped", "the key is unable"}) != read.report.warnings.end());
    const Error alone = caught([&] { opened(unable, false); });
    CHECK(alone.kind() == ErrorKind::token);
    CHECK(std::string(alone.what()) == "the key is unable");
    CHECK(caught([&] { opened([&] { throw Error(trouble); }, true); }).kind() == ErrorKind::token);
}
