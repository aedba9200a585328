// Many mails at once: -d, --in-place, bad mails among good ones, names that clash, the report, the exit status.

#include <catch2/catch.hpp>

#include "softhsm-tests/e2e_batch.h"

using namespace p11mime::test;

TEST_CASE("many mails are signed into a directory, each under its own name, and openssl verifies them", "[e2e]") {
    Mailbag bag(40);
    const Outcome outcome = bag.office.desk.p11mime(Arguments{"sign", "-d", bag.path("out")} + bag.files());
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Catch::Contains("40 mails: 40 good"));
    CHECK(names(bag.path("out")) == names(bag.path("in")));
    for (const int i : {0, 17, 39})
        CHECK(bag.signatures(bag.path("out/" + bag.name(i))) == 1);
}

TEST_CASE("many mails are replaced in place, and a rerun signs none of them twice", "[e2e]") {
    Mailbag bag(40);
    const Arguments command = Arguments{"sign", "--in-place"} + bag.files();
    CHECK(bag.office.desk.p11mime(command).status == 0);
    const Outcome again = bag.office.desk.p11mime(command);
    INFO(again.err);
    CHECK(again.status == 0);
    CHECK_THAT(again.err, Catch::Contains("40 of them done before"));
    for (int i = 0; i < 40; ++i)
        CHECK(bag.signatures(bag.path("in/" + bag.name(i))) == 1);
    CHECK(names(bag.path("in")).find(".p11mime") == std::string::npos);
}

TEST_CASE("a bad mail does not keep the others from being done, and the worst status is the batch's", "[e2e]") {
    Mailbag bag(6);
    const std::string nobody = bag.add("nobody.eml", mail("nobody@example.gov", "bob@example.org"));
    const auto sign = [&](const Arguments& more) {
        const Outcome outcome =
            bag.office.desk.p11mime(Arguments{"sign", "-d", bag.path("out"), "--json", "-"} + bag.files() + more);
        INFO(outcome.err);
        CHECK(reports(outcome.out).size() == 6 + more.size());
        return outcome;
    };
    const Outcome no_key = sign({nobody});
    CHECK(no_key.status == 4);
    CHECK(count_of(bag.path("out")) == 6);
    CHECK_THAT(no_key.err, Catch::Contains("nobody@example.gov"));

    const Outcome vanished = sign({nobody, bag.path("in/vanished.eml")});
    CHECK(vanished.status == 7);
    CHECK(count_of(bag.path("out")) == 6);
    const auto report = report_of(vanished.out, bag.path("in/vanished.eml"));
    CHECK(report["exit"] == 7);
    CHECK(report["error"]["kind"] == "io");
    CHECK(report_of(vanished.out, nobody)["exit"] == 4);
    CHECK(report_of(vanished.out, bag.files().front())["warnings"][0]["kind"] == "done-before");
}

TEST_CASE("verdicts of many mails come one line each, with the exit status of the worst", "[e2e]") {
    Mailbag bag(5);
    REQUIRE(bag.office.desk.p11mime(Arguments{"sign", "--in-place"} + bag.files()).status == 0);
    const auto verify = [&](const Arguments& options, const Arguments& more = {}) {
        return bag.office.desk.p11mime(Arguments{"verify", "--json", "-"} + options + bag.files() + more);
    };
    CHECK(verify(Arguments{"-n"} + bag.office.trust()).status == 0);
    CHECK(verify({"-n", "--no-default-ca"}).status == 3);

    std::string broken = read_file(bag.files()[2]);
    broken[broken.find("kindly")] = 'K';
    write_file(bag.files()[2], broken);
    const std::string unsigned_mail = bag.add("unsigned.eml", mail("alice@example.gov", "bob@example.org"));
    const Outcome outcome = verify(Arguments{"-d", bag.path("content")} + bag.office.trust(), {unsigned_mail});
    INFO(outcome.err);
    CHECK(outcome.status == 1);
    CHECK(names(bag.path("content")) == "mail0.eml mail1.eml mail3.eml mail4.eml");
    CHECK(report_of(outcome.out, bag.files()[2])["result"] == "invalid");
    CHECK(report_of(outcome.out, unsigned_mail)["exit"] == 6);
    CHECK(report_of(outcome.out, bag.files()[0])["result"] == "valid");
}
