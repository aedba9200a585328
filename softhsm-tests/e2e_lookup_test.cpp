// Correspondents' certificates out of an LDAP directory.

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "mime/codec.h"
#include "softhsm-tests/support/directory_server.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/program.h"
#include "softhsm-tests/support/skip.h"
#include "softhsm-tests/support/terminal_program.h"

using namespace p11mime;
using namespace p11mime::test;
using nlohmann::json;

namespace {

using Catch::Contains;

struct Person {
    std::string name;
    std::string email;
    std::vector<std::string> certificates;  ///< DER
    std::string smime = {};                 ///< PKCS#7
};

std::string ldif(const std::vector<Person>& people) {
    std::string text = "dn: o=Example\nobjectClass: organization\no: Example\n";
    for (const Person& person : people) {
        text += fmt::format("\ndn: cn={0},o=Example\nobjectClass: inetOrgPerson\ncn: {0}\nsn: {0}\nmail: {1}\n",
                            person.name, person.email);
        for (const std::string& der : person.certificates)
            text += fmt::format("userCertificate;binary:: {}\n", mime::base64_text(bytes_of(der)));
        if (!person.smime.empty())
            text += fmt::format("userSMIMECertificate:: {}\n", mime::base64_text(bytes_of(person.smime)));
    }
    return text;
}

struct LookupWorld {
    Office office;
    Identity bob = office.correspond({.name = "Bob", .email = "bob@example.gov"});
    Identity old = office.correspond(
        {.name = "Bob before", .email = "bob@example.gov", .begins_in_days = -400, .ends_in_days = -30});
    Identity signs =
        office.correspond({.name = "Bob signs", .email = "bob@example.gov", .key_usage = "critical,digitalSignature"});
    Identity other = office.correspond({.name = "Bobby", .email = "bobby@example.gov"});
    Identity abroad = office.correspond({.name = "Abroad", .email = "bob@xn--bcher-kva.example"});
    Identity stranger = TestPki().issue({.name = "Stranger", .email = "stranger@example.gov"});
    DirectoryServer directory{
        ldif({{"Bob",
               bob.email,
               {bob.certificate_der(), old.certificate_der(), signs.certificate_der(), other.certificate_der()},
               "no PKCS#7"},
              {"Abroad", abroad.email, {abroad.certificate_der()}},
              {"Stranger", stranger.email, {stranger.certificate_der()}},
              {"Nobody", "nobody@example.gov", {}}})};

    std::string url() const { return directory.url("o=Example"); }
    Outcome lookup(const std::string& address, const Arguments& options = {}) const {
        return office.desk.p11mime(Arguments{"certs", "lookup", address, "--ldap-directory", url()} + options +
                                   office.trust());
    }
    std::string book() const { return office.desk.p11mime({"certs", "list"}).out; }
};

/// with_directory runs a test where there is a slapd.
template <class Test>
void with_directory(Test test) {
    if (!DirectoryServer::installed()) return skip("slapd is not installed");
    LookupWorld world;
    test(world);
}

}  // namespace

TEST_CASE("a directory's certificates are shown, each with why it is not usable, and the usable kept", "[e2e]") {
    with_directory([](LookupWorld& world) {
        const Outcome shown = world.lookup("bob@example.gov", {"--batch"});
        CHECK(shown.status == 0);
        CHECK_THAT(shown.err, Contains("not kept: --yes keeps what is usable"));
        CHECK(world.book().empty());

        const std::string report = world.office.desk.path("report.json");
        const Outcome kept = world.lookup("bob@example.gov", {"--yes", "--json", report});
        CHECK(kept.status == 0);
        CHECK_THAT("\n" + kept.err, Contains("\np11mime: usable: CN=Bob,O=Example\n"));
        CHECK_THAT(kept.err, Contains("it is not for bob@example.gov"));
        CHECK_THAT(kept.err,
                   Contains("warning: '" + world.url() + "' has 1 value for certificates that cannot be read"));
        CHECK_THAT(world.book(), Contains("CN=Bob,O=Example") && !Contains("Bobby") && !Contains("before"));

        std::map<std::string, json> by_subject;
        const json said = json::parse(read_file(report));
        for (const json& each : said["certificates"])
            by_subject[each["subject"]] = each;
        REQUIRE(by_subject.size() == 4);
        CHECK(by_subject["CN=Bob,O=Example"]["usable"] == true);
        CHECK(by_subject["CN=Bob,O=Example"]["reason"] == nullptr);
        CHECK(by_subject["CN=Bob,O=Example"]["kept"] == true);
        CHECK(by_subject["CN=Bob,O=Example"]["directory"] == world.url());
        CHECK(by_subject["CN=Bob,O=Example"]["chain_certs"].size() == 3);
        CHECK(by_subject["CN=Bob,O=Example"]["revocation"] == "unknown");
        CHECK(by_subject["CN=Bob,O=Example"]["revocation_reason"].is_string());
        CHECK_THAT(kept.err, Contains("path: CN=Bob,O=Example, issued by CN=") && Contains("revocation: unknown ("));
        for (const auto& [subject, why] :
             std::map<std::string, std::string>{{"CN=Bob before,O=Example", "ended"},
                                                {"CN=Bob signs,O=Example", "key usage"},
                                                {"CN=Bobby,O=Example", "it is not for bob@example.gov"}}) {
            CHECK(by_subject[subject]["usable"] == false);
            CHECK_THAT(by_subject[subject]["reason"].get<std::string>(), Contains(why));
            CHECK(by_subject[subject]["kept"] == false);
        }
    });
}

TEST_CASE("a directory is asked for an address with a domain beyond ASCII as it has it", "[e2e]") {
    with_directory([](LookupWorld& world) {
        for (const char* address : {"bob@xn--bcher-kva.example", "bob@bücher.example", "Bob <bob@BÜCHER.example>"}) {
            const Outcome found = world.lookup(address, {"--batch"});
            CHECK(found.status == 0);
            CHECK_THAT(found.err, Contains("usable: CN=Abroad"));
        }
        CHECK(world.lookup("bob@büchen.example").status == 5);
    });
}

TEST_CASE("mail is encrypted with the certificate that a directory had", "[e2e]") {
    with_directory([](LookupWorld& world) {
        CHECK(world.lookup("bob@example.gov", {"--yes"}).status == 0);
        const std::string text = world.office.desk.file("text.eml", mail("alice@example.gov", "bob@example.gov"));
        const Outcome sealed =
            world.office.desk.p11mime(Arguments{"encrypt", "--no-self", text} + world.office.trust());
        CHECK(sealed.status == 0);
        const std::string file = world.office.desk.file("encrypted.eml", sealed.out);
        CHECK_THAT(
            done(world.office.desk.run({"openssl", "cms", "-decrypt", "-in", file, "-recip",
                                        world.office.certificate(world.bob), "-inkey", world.office.key(world.bob)})),
            Contains("Gr=C3=BC=C3=9Fe"));
    });
}

TEST_CASE("a person is asked before a directory's certificate is kept", "[e2e]") {
    with_directory([](LookupWorld& world) {
        for (const std::string answer : {"n\n", "y\n"}) {
            Command command = world.office.desk.p11mime_command(
                Arguments{"certs", "lookup", "bob@example.gov", "--ldap-directory", world.url()} +
                world.office.trust());
            TerminalProgram terminal(command);
            terminal.wait_for("Keep this certificate for bob@example.gov in the address book? [y/N]");
            terminal.type(answer);
            CHECK(terminal.wait_for_end() == 0);
            CHECK(world.book().empty() == (answer == "n\n"));
        }
    });
}

TEST_CASE("a directory without a usable certificate ends in the documented status", "[e2e]") {
    with_directory([](LookupWorld& world) {
        const std::string report = world.office.desk.path("report.json");
        const Outcome untrusted = world.lookup("stranger@example.gov", {"--yes", "--json", report});
        CHECK(untrusted.status == 3);
        const json said = json::parse(read_file(report));
        CHECK(said["exit"] == 3);
        CHECK_THAT(untrusted.err, !Contains("cannot be read"));
        CHECK(said["result"] == "untrusted");
        CHECK(said["reason"] == "no certificate for stranger@example.gov is usable");
        REQUIRE(said["certificates"].size() == 1);
        CHECK(said["certificates"][0]["usable"] == false);
        CHECK_THAT(said["certificates"][0]["reason"].get<std::string>(), Contains("neither trusted nor known"));
        CHECK_THAT(untrusted.err,
                   Contains("p11mime: not usable: CN=Stranger") && Contains("neither trusted nor known"));
        CHECK(world.book().empty());
        const Outcome none = world.lookup("nobody@example.gov");
        CHECK(none.status == 5);
        CHECK_THAT(none.err, Contains("no directory has a certificate for nobody@example.gov; "));
        CHECK(world.lookup("*").status == 2);
        CHECK(world.lookup("b*@example.gov").status == 5);
        CHECK(world.office.desk.p11mime({"certs", "lookup", "bob@example.gov"}).status == 2);
    });
}

TEST_CASE("a directory that does not answer is a warning beside one that does, and alone exit 7", "[e2e]") {
    with_directory([](LookupWorld& world) {
        const Arguments away{"--ldap-directory", "ldap://127.0.0.1:1/dc=example,dc=gov"};
        const Outcome beside = world.lookup("bob@example.gov", away + Arguments{"--batch"});
        CHECK(beside.status == 0);
        CHECK_THAT(beside.err, Contains("warning: cannot fetch 'ldap://127.0.0.1:1/"));
        const Outcome alone =
            world.office.desk.p11mime(Arguments{"certs", "lookup", "bob@example.gov"} + away + world.office.trust());
        CHECK(alone.status == 7);
    });
}

TEST_CASE("the config names the directories", "[e2e]") {
    with_directory([](LookupWorld& world) {
        std::filesystem::create_directories(world.office.desk.path("home/config/p11mime"));
        world.office.desk.file("home/config/p11mime/config", "ldap-directory = " + world.url() + "\n");
        CHECK(world.office.desk.p11mime(Arguments{"certs", "lookup", "bob@example.gov", "--yes"} + world.office.trust())
                  .status == 0);
        CHECK_THAT(world.book(), Contains("Bob"));
    });
}
