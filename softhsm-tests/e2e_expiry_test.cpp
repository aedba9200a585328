// One's own certificates that end soon.

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "softhsm-tests/support/office.h"

using namespace p11mime::test;

namespace {

constexpr const char* kAlice = "alice@example.gov";
constexpr const char* kKind = "certificate-ends-soon";

/// warnings_of lists what the report says of certificates that end soon.
std::vector<std::string> warnings_of(const std::string& report) {
    std::vector<std::string> found;
    const auto parsed = nlohmann::json::parse(report);
    for (const auto& warning : parsed["warnings"])
        if (warning["kind"] == kKind) found.push_back(warning["message"]);
    return found;
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size()))
        ++found;
    return found;
}

/// end_of is the day on which OpenSSL says that a certificate ends, as YYYY-MM-DD.
std::string end_of(const Office& office, const Identity& identity) {
    return done(office.desk.run({"sh", "-c",
                                 "date -u +%F -d \"$(openssl x509 -noout -enddate -in \"$0\" | cut -d= -f2)\"",
                                 office.certificate(identity)}))
        .substr(0, 10);
}

}  // namespace

TEST_CASE("signing with a certificate that ends within 30 days draws a warning with the day", "[e2e]") {
    for (const auto& [days, warned] : {std::pair{29, true}, {1, true}, {31, false}}) {
        INFO(days);
        Office office;
        const Identity alice =
            office.employ({.name = "Alice", .email = kAlice, .kind = KeyKind::p256, .ends_in_days = days});
        const std::string report = office.desk.path("report.json");
        const Outcome outcome = office.desk.p11mime({"sign", "--json", report}, mail(kAlice, "bob@example.org"));
        INFO(outcome.err);
        REQUIRE(outcome.status == 0);
        const auto warnings = warnings_of(read_file(report));
        REQUIRE(warnings.size() == (warned ? 1U : 0U));
        CHECK(count(outcome.err, "warning: the certificate CN=Alice,O=Example ends on " + end_of(office, alice)) ==
              warnings.size());
        if (warned) CHECK_THAT(warnings.front(), Catch::Contains("ends on " + end_of(office, alice) + ", in "));
    }
}

TEST_CASE("an encryption certificate of one's own that ends soon draws a warning where it is used or announced",
          "[e2e]") {
    Office office;
    office.employ({.name = "Signing", .email = kAlice, .kind = KeyKind::p256, .key_usage = "digitalSignature"});
    office.employ({.name = "Encryption",
                   .email = kAlice,
                   .kind = KeyKind::p256,
                   .key_usage = "keyAgreement",
                   .ends_in_days = 20});
    const Identity bob =
        office.correspond({.name = "Bob", .email = "bob@example.org", .kind = KeyKind::p256, .ends_in_days = 10});
    const std::string text = mail(kAlice, "bob@example.org");
    for (const Arguments& command :
         {Arguments{"sign"}, Arguments{"encrypt", "--recipient-cert", office.certificate(bob)} + office.trust(),
          Arguments{"seal", "--recipient-cert", office.certificate(bob)} + office.trust()}) {
        INFO(command.front());
        const std::string report = office.desk.path("report.json");
        const Outcome outcome = office.desk.p11mime(command + Arguments{"--json", report}, text);
        INFO(outcome.err);
        REQUIRE(outcome.status == 0);
        const auto warnings = warnings_of(read_file(report));
        REQUIRE(warnings.size() == 1);
        CHECK_THAT(warnings.front(), Catch::Contains("CN=Encryption,O=Example ends on "));
        CHECK(count(outcome.err, "ends on") == 1);
    }
    const Outcome alone = office.desk.p11mime(
        Arguments{"encrypt", "--no-self", "--recipient-cert", office.certificate(bob)} + office.trust(), text);
    CHECK(alone.status == 0);
    CHECK_THAT(alone.err, !Catch::Contains("ends on"));  // it is for Bob to renew his
}

TEST_CASE("a batch says once that a certificate ends soon, and the report of each mail has it", "[e2e]") {
    Office office;
    office.employ({.name = "Alice", .email = kAlice, .kind = KeyKind::p256, .ends_in_days = 5});
    Arguments command{"sign", "--json", "-", "-d", office.desk.path("out")};
    for (const char* name : {"1.eml", "2.eml", "3.eml"})
        command.push_back(office.desk.file(name, mail(kAlice, "bob@example.org")));
    const Outcome outcome = office.desk.p11mime(command);
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(count(outcome.err, "ends on") == 1);
    CHECK(count(outcome.out, kKind) == 3);
}
