// Many mails at once: -d, --in-place, bad mails among good ones, names that clash, the report, the exit status.

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <future>

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
        CHECK(bag.signatures(bag.path("out/" + Mailbag::name(i))) == 1);
}

TEST_CASE("many mails are replaced in place, and a rerun signs none of them twice", "[e2e]") {
    Mailbag bag(40);
    const Arguments command = Arguments{"sign", "--in-place"} + bag.files();
    CHECK(bag.office.desk.p11mime(command).status == 0);
    const Outcome again = bag.office.desk.p11mime(command);
    INFO(again.err);
    CHECK(again.status == 0);
    CHECK_THAT(again.err, Catch::Contains("40 done before"));
    for (int i = 0; i < 40; ++i)
        CHECK(bag.signatures(bag.path("in/" + Mailbag::name(i))) == 1);
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
    const std::string second = bag.add("second.eml", mail("nobody@example.gov", "bob@example.org"));
    CHECK_THAT(sign({nobody, second}).err, Catch::Contains("nobody.eml") && Catch::Contains("second.eml"));

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

TEST_CASE("names that clash are refused before anything is done", "[e2e]") {
    Mailbag bag(2);
    const std::string first = bag.files()[0];
    std::filesystem::create_directory(bag.path("other"));
    const std::string same = bag.office.desk.file("other/mail0.eml", Mailbag::numbered(7));
    const std::string by_case = bag.office.desk.file("other/MAIL0.EML", Mailbag::numbered(8));
    const auto refused = [&](const Arguments& arguments) {
        const Outcome outcome = bag.office.desk.p11mime(arguments);
        INFO(outcome.err);
        CHECK_FALSE(std::filesystem::exists(bag.path("out/mail1.eml")));
        return outcome.status == 2;
    };
    const std::string out = bag.path("out");
    CHECK(refused(Arguments{"sign", "-d", out, same} + bag.files()));
    CHECK(refused(Arguments{"sign", "-d", out, by_case} + bag.files()));
    CHECK(refused(Arguments{"sign", "-d", bag.path("in")} + bag.files()));
    CHECK(refused({"sign", "--in-place", first, first}));
    CHECK(refused(Arguments{"sign", "-d", out, "--json", out + "/mail0.eml"} + bag.files()));
    for (const std::string& input : bag.files()) {
        CHECK(refused(Arguments{"sign", "-d", out, "--json", input} + bag.files()));
        CHECK(refused(Arguments{"sign", "-d", out, "--json", input, same} + bag.files()));
    }
    const std::string report = bag.path("report.json");
    CHECK(refused(Arguments{"sign", "-d", out, "--json", report, same} + bag.files()));
    CHECK(reports(read_file(report)).at(0)["exit"] == 2);
    CHECK(refused(Arguments{"sign", "-d", out, "-"} + bag.files()));
    CHECK(refused(Arguments{"sign", "-o", out} + bag.files()));
    CHECK(refused(Arguments{"sign"} + bag.files()));
    CHECK(refused(Arguments{"sign", "-d", out, "-j", "0"} + bag.files()));
    CHECK(refused({"sign", "-d", out}));
    CHECK(refused(Arguments{"verify", "-n", "--in-place"} + bag.files()));
    CHECK(read_file(first) == Mailbag::numbered(0));
    CHECK(read_file(bag.files()[1]) == Mailbag::numbered(1));
}

TEST_CASE("a batch whose record cannot be written names the remedy, and does nothing", "[e2e]") {
    Mailbag bag(1);
    bag.office.desk.environment["XDG_STATE_HOME"] = bag.office.desk.file("state", "no directory");
    const Outcome outcome = bag.office.desk.p11mime(Arguments{"sign", "--in-place"} + bag.files());
    CHECK(outcome.status == 7);
    CHECK_THAT(outcome.err, Catch::Contains("XDG_STATE_HOME"));
    CHECK(read_file(bag.files()[0]) == Mailbag::numbered(0));
}

TEST_CASE("a directory among the inputs is named, and the others are done", "[e2e]") {
    Mailbag bag(2);
    std::filesystem::create_directory(bag.path("folder"));
    const Outcome outcome =
        bag.office.desk.p11mime(Arguments{"sign", "-d", bag.path("out"), bag.path("folder")} + bag.files());
    CHECK(outcome.status == 7);
    CHECK_THAT(outcome.err, Catch::Contains("folder' is a directory"));
    CHECK(names(bag.path("out")) == "mail0.eml mail1.eml");
}

TEST_CASE("a batch is refused where another is at work, whatever the command, and leaves everything as it is",
          "[e2e]") {
    Mailbag bag(3);
    const std::string slow = bag.path("in/slow.eml");
    REQUIRE(mkfifo(slow.c_str(), 0600) == 0);
    const Command first = bag.office.desk.p11mime_command(Arguments{"sign", "-j", "1", "-d", bag.path("out")} +
                                                          bag.files() + Arguments{slow});
    auto running = std::async(std::launch::async, [&] { return run_process(first); });
    const auto at_work = [&] { return running.wait_for(std::chrono::milliseconds(5)) == std::future_status::timeout; };
    for (const std::string& file : bag.files())
        while (at_work() && !std::filesystem::exists(bag.path("out") / std::filesystem::path(file).filename())) {
        }
    const Arguments there{bag.path("out/mail0.eml"), bag.path("out/mail1.eml")};
    for (const Arguments& command :
         {Arguments{"sign", "-d", bag.path("out")} + bag.files(), Arguments{"sign", "--opaque", "--in-place"} + there,
          Arguments{"verify", "--in-place"} + bag.office.trust() + there}) {
        const Outcome refused = bag.office.desk.p11mime(command);
        CHECK(refused.status == 7);
        CHECK_THAT(refused.err, Catch::Contains("another batch is at work in"));
        CHECK(bag.signatures(there[0]) == 1);
    }
    feed(slow, Mailbag::numbered(99), at_work);
    CHECK(running.get().status == 0);
    CHECK(bag.signatures(bag.path("out/slow.eml")) == 1);
    CHECK(bag.office.desk.p11mime(Arguments{"sign", "--opaque", "--in-place"} + there).status == 0);
}

TEST_CASE("a batch does with the files that may be open, and says where that means fewer mails at a time", "[e2e]") {
    Mailbag bag(150);
    const Command plain =
        bag.office.desk.p11mime_command(Arguments{"sign", "-j", "256", "-d", bag.path("out")} + bag.files());
    const Outcome outcome =
        bag.office.desk.run(Arguments{"sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"} + plain.arguments);
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    CHECK_THAT(outcome.err, Catch::Contains("4 mails at a time") && Catch::Contains("ulimit -n"));
    CHECK_THAT(outcome.err, Catch::Contains("150 mails: 150 good"));
    CHECK(names(bag.path("out")) == names(bag.path("in")));
}

TEST_CASE("each mail of a batch gives its Bcc copies a directory of their own", "[e2e]") {
    Mailbag bag(0);
    for (const std::string name : {"Alice", "Bob", "Carol"}) {
        const Identity person = bag.office.correspond({.name = name + "2", .email = name + "@example.org"});
        REQUIRE(bag.office.desk.p11mime({"certs", "import", bag.office.certificate(person)}).status == 0);
    }
    const std::string text = "Bcc: carol@example.org\r\n" + mail("alice@example.org", "bob@example.org");
    (void)bag.add("mail0.eml", text);
    (void)bag.add("mail1.eml", text);
    const Outcome outcome =
        bag.office.desk.p11mime(Arguments{"encrypt", "-d", bag.path("out"), "--bcc-separately", bag.path("bcc")} +
                                bag.office.trust() + bag.files());
    INFO(outcome.err);
    CHECK(outcome.status == 0);
    CHECK(names(bag.path("bcc")) == "mail0.eml mail1.eml");
    CHECK(names(bag.path("bcc/mail1.eml")) == "carol@example.org.eml");

    const auto again = [&](const std::string& copies) {
        const Arguments options{"encrypt", "-d", bag.path("out"), "--bcc-separately", bag.path(copies)};
        return bag.office.desk.p11mime(options + bag.office.trust() + bag.files()).err;
    };
    CHECK_THAT(again("bcc"), Catch::Contains("2 done before"));
    std::filesystem::remove(bag.path("bcc/mail1.eml/carol@example.org.eml"));
    CHECK_THAT(again("bcc"), Catch::Contains("1 done before"));
    CHECK(names(bag.path("bcc/mail1.eml")) == "carol@example.org.eml");
    CHECK_THAT(again("bcc"), Catch::Contains("2 done before"));
    CHECK_THAT(again("elsewhere"), Catch::Contains("2 mails: 2 good"));
    CHECK(names(bag.path("elsewhere/mail1.eml")) == "carol@example.org.eml");
    CHECK(bag.office.desk
              .p11mime(Arguments{"encrypt", "-d", bag.path("out"), "--bcc-separately", bag.path("out")} +
                       bag.office.trust() + bag.files())
              .status == 2);
}
