// Mails stamped by a time-stamping authority over HTTP.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "softhsm-tests/support/evidence.h"
#include "softhsm-tests/support/http_server.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/program.h"
#include "softhsm-tests/support/timestamps.h"

using namespace p11mime;
using namespace p11mime::test;
using nlohmann::json;

namespace {

using Catch::Contains;

struct TimestampWorld {
    Office office;
    Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov"});
    std::string text = office.desk.file("text.eml", mail(alice.email, "bob@example.org"));
    CmsBench stamps;
    SoftwareKey stamper = certify(timestamping_spec(), &stamps.root);
    OpensslTimestamps authority{stamps, stamper};
    HttpServer server{[this](const HttpServer::Request& request) -> HttpServer::Answer {
        const Bytes answer = authority.answer(bytes_of(request.body));
        return {.type = "application/timestamp-reply", .body = std::string(text_of(answer))};
    }};

    Outcome sign(const std::string& url, const Arguments& options = {}) const {
        return office.desk.p11mime(Arguments{"sign", "--timestamp", url, "-o", signed_mail()} + options +
                                   Arguments{text});
    }
    std::string signed_mail() const { return office.desk.path("signed.eml"); }
    json signer() const {
        const std::string root = office.desk.file("stamps.pem", stamps.root.certificate.pem());
        const Outcome verified =
            office.desk.p11mime(Arguments{"verify", "-n", "--json", "-", signed_mail(), "--ca", root} + office.trust());
        CHECK(verified.status == 0);
        return json::parse(verified.out)["layers"][0]["signers"][0];
    }
};

}  // namespace

TEST_CASE("a mail is stamped by the authority that --timestamp names", "[e2e]") {
    TimestampWorld world;
    const std::string form = GENERATE("", "--opaque");
    REQUIRE(world.sign(world.server.url("/tsa"), form.empty() ? Arguments{} : Arguments{form}).status == 0);
    CHECK(world.server.requests() == std::vector<std::string>{"POST /tsa"});
    CHECK(world.server.last().fields.at("content-type") == "application/timestamp-query");
    const json stamp = world.signer()["timestamps"].at(0);
    CHECK(stamp["integrity"] == "valid");
    CHECK(stamp["integrity_reason"] == nullptr);
    CHECK(stamp["authority"] == "CN=Stamper,O=Example");
    CHECK(stamp["time"].is_string());
    CHECK(world.signer()["unsigned_attributes"] == json::array({"id-smime-aa-timeStampToken"}));
    done(world.office.desk.run(Arguments{"openssl", "cms", "-verify", "-in", world.signed_mail()} +
                               world.office.peer_trust()));
}

TEST_CASE("a time-stamp whose authority is not trusted is a warning", "[e2e]") {
    TimestampWorld world;
    REQUIRE(world.sign(world.server.url("/tsa")).status == 0);
    const Outcome verified =
        world.office.desk.p11mime(Arguments{"verify", "-n", world.signed_mail()} + world.office.trust());
    CHECK(verified.status == 0);
    CHECK_THAT(verified.err,
               Contains("warning: a time-stamp does not count: ") && Contains("neither trusted nor known"));
}

TEST_CASE("who signs is told of time-stamps that would not count", "[e2e]") {
    TimestampWorld world;
    const std::string root = world.office.desk.file("stamps.pem", world.stamps.root.certificate.pem());
    const auto said = [&](const Arguments& options) {
        std::filesystem::remove(world.signed_mail());
        const Outcome outcome = world.sign(world.server.url("/tsa"), options);
        CHECK(outcome.status == 0);
        CHECK(std::filesystem::exists(world.signed_mail()));
        return outcome.err;
    };
    const std::string unknown = said({});
    CHECK_THAT(unknown, Contains("warning: the time-stamps of CN=Stamper,O=Example would not count if they were "
                                 "verified here: ") &&
                            Contains("neither trusted nor known") && Contains("--ca") &&
                            Contains("--timestamp URL names another authority"));
    CHECK_THAT(said({"--ca", root}), !Contains("time-stamps"));
    CHECK_THAT(said({"--no-default-ca"}), !Contains("time-stamps"));  // who trusts nobody is told nothing

    // CRLs that the config names count as they do when verifying.
    const Bytes revoking = make_crl({.entries = {{.certificate = world.stamper.certificate}}}, world.stamps.root);
    const std::string crl = world.office.desk.file("stamps.crl", std::string(text_of(revoking)));
    world.office.desk.environment["XDG_CONFIG_HOME"] = world.office.desk.path("config");
    std::filesystem::create_directories(world.office.desk.path("config/p11mime"));
    world.office.desk.file("config/p11mime/config", "ca = " + root + "\ncrl = " + crl + "\n");
    CHECK_THAT(said({}), Contains("CN=Stamper,O=Example is revoked"));
    world.office.desk.file("config/p11mime/config", "");

    CHECK(world.sign(world.server.url("/tsa"), {"--revocation", "online"}).status == 2);  // nobody else is asked

    const std::string report = world.office.desk.path("report.json");
    (void)said({"--json", report});
    const json warnings = json::parse(read_file(report))["warnings"];
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0]["kind"] == "timestamp-uncounted");
}

TEST_CASE("a mail that cannot be stamped is not signed", "[e2e]") {
    TimestampWorld world;
    const HttpServer empty{std::map<std::string, std::string>{{"/page", "no time-stamp"}}};
    for (const std::string& url : {empty.url("/nothing"), empty.url("/page"), std::string("http://127.0.0.1:1/")}) {
        const Outcome refused = world.sign(url);
        INFO(refused.err);
        CHECK(refused.status == 7);
        CHECK_FALSE(std::filesystem::exists(world.signed_mail()));
    }
    CHECK(world.sign("ftp://tsa.example.gov/").status == 2);
    CHECK(world.sign("tsa.example.gov").status == 2);
    CHECK(world.server.requests().empty());
}

TEST_CASE("each mail of a batch gets a time-stamp of its own", "[e2e]") {
    TimestampWorld world;
    const std::string second = world.office.desk.file("second.eml", mail(world.alice.email, "carol@example.org"));
    const std::string directory = world.office.desk.path("out");
    const Outcome signed_mails = world.office.desk.p11mime(
        {"sign", "--timestamp", world.server.url("/tsa"), "-d", directory, world.text, second});
    INFO(signed_mails.err);
    CHECK(signed_mails.status == 0);
    CHECK(world.server.requests().size() == 2);
}
