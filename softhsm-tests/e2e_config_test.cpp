// Config files: the command line wins over the user's file.

#include <catch2/catch.hpp>

#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/program.h"

using namespace p11mime::test;

namespace {

void configure(const Office& office, const std::string& text) {
    std::filesystem::create_directories(office.desk.path("home/config/p11mime"));
    office.desk.file("home/config/p11mime/config", text);
}

}  // namespace

TEST_CASE("options are set in the config file, and the command line wins", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string text = office.desk.file("text.eml", mail(alice.email, "bob@example.org"));
    configure(office, "# what this desk has\nmodule = " + SoftHsm::module() +
                          "\npin-source = env:DESK_PIN\n\n[sign]\nopaque = true\ndigest = sha384\n");
    const Outcome configured = office.desk.run({program(), "sign", text});
    INFO(configured.err);
    REQUIRE(configured.status == 0);
    CHECK_THAT(field(configured.out, "Content-Type"), Catch::Contains("application/pkcs7-mime"));
    const std::string file = office.desk.file("signed", configured.out);
    CHECK_THAT(done(office.desk.run({"openssl", "cms", "-cmsout", "-print", "-noout", "-in", file})),
               Catch::Contains("ecdsa-with-SHA384"));

    const Outcome overruled = office.desk.run({program(), "sign", "--digest", "sha512", text});
    const std::string other = office.desk.file("other", overruled.out);
    CHECK_THAT(done(office.desk.run({"openssl", "cms", "-cmsout", "-print", "-noout", "-in", other})),
               Catch::Contains("ecdsa-with-SHA512"));
    CHECK(office.desk.run({program(), "sign", "--pin-source", "env:NOT_SET", text}).status != 0);
}

TEST_CASE("the config's unknown-cipher is for recipients who announce nothing", "[e2e]") {
    Office office;
    const Identity bob = office.correspond({.name = "Bob", .email = "bob@example.org"});
    const auto type = [&](const Arguments& options) {
        const Outcome outcome = office.desk.p11mime(
            Arguments{"encrypt", "--no-self", "--recipient-cert", office.certificate(bob)} + office.trust() + options,
            mail("alice@example.gov", bob.email));
        INFO(outcome.err);
        CHECK(outcome.status == 0);
        return field(outcome.out, "Content-Type");
    };
    configure(office, "unknown-cipher = aes-256-gcm\n");
    CHECK_THAT(type({}), Catch::Contains("authEnveloped-data"));
    CHECK_THAT(type({"--cipher", "aes-128-cbc"}), Catch::Contains("smime-type=enveloped-data"));
}

TEST_CASE("a mistake in the config file is a usage error that names file and line", "[e2e]") {
    Office office;
    const std::string text = office.desk.file("text.eml", mail("alice@example.gov", "bob@example.org"));
    for (const std::string config : {"\nfrobnicate = 1\n", "\n[sign]\nfrobnicate = 1\n", "\n[sign\n"}) {
        configure(office, config);
        const Outcome outcome = office.desk.p11mime({"sign", text});
        INFO(outcome.err);
        CHECK(outcome.status == 2);
        CHECK_THAT(outcome.err, Catch::Contains("home/config/p11mime/config"));
    }
    configure(office, "\ndigest = md5\n");
    CHECK(office.desk.p11mime({"sign", text}).status == 2);
}

TEST_CASE("a config file that cannot be read is not taken for an empty one", "[e2e]") {
    Office office;
    const std::string text = office.desk.file("text.eml", mail("alice@example.gov", "bob@example.org"));
    std::filesystem::create_directories(office.desk.path("home/config/p11mime/config"));
    const Outcome outcome = office.desk.p11mime({"sign", text});
    CHECK(outcome.status == 7);
    CHECK_THAT(outcome.err, Catch::Contains("cannot read") && Catch::Contains("home/config/p11mime/config"));
}

TEST_CASE("sysexits in the config holds for mistakes on the command line too", "[e2e]") {
    Office office;
    configure(office, "; for the mail system\nsysexits = true\n");
    CHECK(office.desk.p11mime({"verify", office.desk.path("absent")}).status == 75);
    CHECK(office.desk.p11mime({"verify", "one", "two"}).status == 64);
    CHECK(office.desk.p11mime({"verify", "--frobnicate"}).status == 64);
    configure(office, "");
    CHECK(office.desk.p11mime({"verify", "--frobnicate"}).status == 2);
}
