// What a batch may conclude from its record of earlier runs: never a verdict, and never that a mail may be replaced.

#include "softhsm-tests/e2e_batch.h"

using namespace p11mime::test;

namespace {

Outcome sign_all(Mailbag& bag) {
    return bag.office.desk.p11mime(Arguments{"sign", "--in-place"} + bag.files());
}

}  // namespace

TEST_CASE("verify and open into a directory judge again on a rerun, and refuse what fails by then", "[e2e]") {
    Mailbag bag(2);
    REQUIRE(sign_all(bag).status == 0);
    for (const std::string command : {"verify", "open"}) {
        write_file(bag.path("roots.pem"), read_file(bag.path("ca.pem")));
        const auto run = [&] {
            return bag.office.desk.p11mime(Arguments{command, "--json", "-", "-d", bag.path(command)} +
                                           Arguments{"--no-default-ca", "--ca", bag.path("roots.pem")} + bag.files());
        };
        REQUIRE(run().status == 0);
        const Outcome again = run();
        CHECK(again.status == 0);
        CHECK(report_of(again.out, bag.files()[0])["layers"].size() == 1);
        // The options are what they were, what they mean is not.
        write_file(bag.path("roots.pem"), TestPki().root_pem());
        const Outcome other = run();
        INFO(other.err);
        CHECK(other.status == 3);
        CHECK(report_of(other.out, bag.files()[0])["result"] == "untrusted");
    }
}

TEST_CASE("a file that merely contains what a verified mail did is not taken for one", "[e2e]") {
    Mailbag bag(1);
    REQUIRE(sign_all(bag).status == 0);
    const std::string signed_mail = bag.files()[0];
    const Arguments command = Arguments{"verify", "--in-place", "--json", "-"} + bag.office.trust();
    REQUIRE(bag.office.desk.p11mime(command + Arguments{signed_mail}).status == 0);

    const Outcome rerun = bag.office.desk.p11mime(command + Arguments{signed_mail});
    INFO(rerun.err);
    CHECK(rerun.status == 0);
    CHECK(report_of(rerun.out, signed_mail)["result"].is_null());
    CHECK_THAT(rerun.err, Catch::Contains("not looked at again"));

    const std::string forged = bag.add("mail1.eml", read_file(signed_mail));
    const Outcome copied = bag.office.desk.p11mime(command + Arguments{forged});
    CHECK(copied.status == 6);
    CHECK(report_of(copied.out, forged)["result"] == "error");
    write_file(signed_mail, read_file(forged));  // as it was, written by somebody
    CHECK(bag.office.desk.p11mime(command + Arguments{signed_mail}).status == 6);
}

TEST_CASE("a mail that is not trusted is not replaced by its content, and can be judged once it is", "[e2e]") {
    Mailbag bag(2);
    REQUIRE(sign_all(bag).status == 0);
    const std::string before = read_file(bag.files()[0]);
    for (const std::string command : {"verify", "open"}) {
        const Outcome outcome =
            bag.office.desk.p11mime(Arguments{command, "--in-place", "--no-default-ca", "--json", "-"} + bag.files());
        CHECK(outcome.status == 3);
        CHECK_THAT(outcome.err, Catch::Contains(bag.files()[0] + ": left as it is"));
        const auto report = report_of(outcome.out, bag.files()[0]);
        CHECK(report["result"] == "untrusted");
        REQUIRE(report["warnings"].size() == 1);
        CHECK(report["warnings"][0]["kind"] == "left-in-place");
        CHECK(read_file(bag.files()[0]) == before);
    }
    CHECK(bag.office.desk.p11mime(Arguments{"verify", "--in-place"} + bag.office.trust() + bag.files()).status == 0);
    CHECK(read_file(bag.files()[0]) != before);
}

TEST_CASE("a mail made in place gets no second layer by other options, unless it has changed since", "[e2e]") {
    Mailbag bag(2);
    REQUIRE(sign_all(bag).status == 0);
    const auto opaque = [&](const Arguments& options) {
        return bag.office.desk.p11mime(Arguments{"sign", "--opaque"} + options + bag.files());
    };
    const Outcome outcome = opaque({"--in-place"});
    CHECK(outcome.status == 2);
    CHECK_THAT(outcome.err, Catch::Contains(bag.files()[0] + ": an earlier run, with other options"));
    write_file(bag.files()[1], Mailbag::numbered(100));
    CHECK(opaque({"--in-place"}).status == 2);
    for (const std::string& file : bag.files())
        CHECK(bag.signatures(file) == 1);
    CHECK(opaque({"-d", bag.path("out")}).status == 0);
    CHECK(bag.signatures(bag.path("out/mail0.eml")) == 2);
}
