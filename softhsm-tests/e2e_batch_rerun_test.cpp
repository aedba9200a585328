// A batch that ends in the middle and is run again: every mail is done once, and nothing is left half done.

#include <fmt/format.h>

#include "softhsm-tests/e2e_batch.h"
#include "softhsm-tests/support/built.h"

using namespace p11mime::test;

namespace {

// Runs the program until a call that is counted, where a signal comes: "FUNCTION N SIGNAL", see cut_off.cpp.
Outcome cut_off(const Mailbag& bag, const std::string& where, const Arguments& arguments) {
    Command command = bag.office.desk.p11mime_command(arguments);
    command.environment["LD_PRELOAD"] = built_path("libp11mime-cut-off.so");
    command.environment["P11MIME_CUT_OFF"] = where;
    command.environment["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=0";
    return run_process(command);
}

// How many mails have an output.
std::size_t count_done(const std::string& directory) {
    std::size_t done = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory))
        if (!entry.path().filename().string().starts_with(".")) ++done;
    return done;
}

bool is_whole(const Mailbag& bag, const std::string& file) {
    return bag.office.desk.run(Arguments{"openssl", "cms", "-verify", "-in", file} + bag.office.peer_trust()).status ==
           0;
}

}  // namespace

TEST_CASE("after SIGKILL in the middle of the work a rerun does every mail once and removes what was left", "[e2e]") {
    Mailbag bag(60);
    const std::string out = bag.path("out");
    const Arguments to_directory = Arguments{"sign", "-j", "4", "-d", out} + bag.files();
    for (const std::string where : {"mkostemp 20 9", "fsync 10 9", "fdatasync 3 9", "rename 5 9", "rename 5 9 after"}) {
        INFO(where);
        CHECK(cut_off(bag, where, to_directory).status == 128 + 9);
        CHECK(names(out).find(".p11mime-unfinished-") != std::string::npos);
        for (const auto& entry : std::filesystem::directory_iterator(out))
            if (!entry.path().filename().string().starts_with(".")) CHECK(is_whole(bag, entry.path().string()));
    }
    const std::size_t done = count_done(out);
    CHECK(done >= 9);
    const Outcome last = bag.office.desk.p11mime(to_directory);
    CHECK(last.status == 0);
    CHECK_THAT(last.err, Catch::Contains(fmt::format("{} done before", done)));
    CHECK(names(out) == names(bag.path("in")));
}

TEST_CASE("after SIGKILL while mails are replaced a rerun replaces every mail once and removes what was left",
          "[e2e]") {
    Mailbag bag(60);
    const std::string before = names(bag.path("in"));
    const Arguments in_place = Arguments{"sign", "--in-place", "-j", "4"} + bag.files();
    for (const std::string where :
         {"mkostemp 20 9", "fdatasync 3 9", "rename 5 9", "renameat2 5 9", "renameat2 5 9 after", "unlink 2 9"}) {
        INFO(where);
        CHECK(cut_off(bag, where, in_place).status == 128 + 9);
        CHECK(names(bag.path("in")).find(".p11mime-") != std::string::npos);
    }
    const Outcome last = bag.office.desk.p11mime(in_place);
    INFO(last.err);
    CHECK(last.status == 0);
    CHECK(last.err.find("done anew") == std::string::npos);
    CHECK(names(bag.path("in")) == before);
    for (int i = 0; i < 60; ++i)
        CHECK(bag.signatures(bag.path("in/" + Mailbag::name(i))) == 1);
}

TEST_CASE("what was set aside for a mail that has changed since SIGKILL is kept, and named", "[e2e]") {
    for (const std::string when : {"", " after"}) {
        INFO(when);
        Mailbag bag(2);
        const Arguments in_place = Arguments{"sign", "--in-place", "-j", "1"} + bag.files();
        CHECK(cut_off(bag, "renameat2 1 9" + when, in_place).status == 128 + 9);
        std::string left;
        for (const auto& entry : std::filesystem::directory_iterator(bag.path("in")))
            if (entry.path().filename().string().starts_with(".p11mime-replaced-")) left = entry.path().string();
        REQUIRE_FALSE(left.empty());
        const std::string content = read_file(left);
        CHECK((content == Mailbag::numbered(0)) == (when == " after"));
        for (const std::string& mail : bag.files())
            write_file(mail, Mailbag::numbered(77));
        const Outcome outcome = bag.office.desk.p11mime(in_place);
        CHECK(outcome.status == 0);
        CHECK_THAT(outcome.err, Catch::Contains(left));
        CHECK(read_file(left) == content);
    }
}

TEST_CASE("an interrupted batch leaves no temporary file, and goes on when it is run again", "[e2e]") {
    Mailbag bag(60);
    const Arguments command = Arguments{"sign", "--in-place", "-j", "4"} + bag.files();
    for (const std::string where : {"mkostemp 20 2", "fsync 10 2", "fdatasync 3 2", "renameat2 5 2"}) {
        const Outcome outcome = cut_off(bag, where, command);
        INFO(where << ": " << outcome.err);
        CHECK(outcome.status == 128 + 2);
        CHECK_THAT(outcome.err, Catch::Contains("not done: run the command again to go on"));
        CHECK(names(bag.path("in")).find(".p11mime") == std::string::npos);
        CHECK(outcome.err.find("internal error") == std::string::npos);
    }
    CHECK(bag.office.desk.p11mime(command).status == 0);
    for (int i = 0; i < 60; ++i)
        CHECK(bag.signatures(bag.path("in/" + Mailbag::name(i))) == 1);
}

TEST_CASE("the report of an interrupted batch tells what was done", "[e2e]") {
    Mailbag bag(60);
    const std::string report = bag.path("report.json");
    const Outcome outcome = cut_off(
        bag, "mkostemp 40 2", Arguments{"sign", "-d", bag.path("out"), "-j", "1", "--json", report} + bag.files());
    INFO(outcome.err);
    CHECK(outcome.status == 128 + 2);
    CHECK(reports(read_file(report)).size() == count_done(bag.path("out")));
    CHECK(names(bag.path(".")).find(".p11mime") == std::string::npos);
}

TEST_CASE("only what p11mime itself left unfinished is removed, and never an input", "[e2e]") {
    Mailbag bag(1);
    std::filesystem::create_directory(bag.path("out"));
    const std::string others = bag.office.desk.file("out/.p11mime-config", "precious");
    const std::string input = bag.add(".p11mime-unfinished-abcdef", Mailbag::numbered(5));
    const std::string left = bag.office.desk.file("out/.p11mime-unfinished-abcdef", "plaintext");
    CHECK(bag.office.desk.p11mime(Arguments{"sign", "-d", bag.path("out")} + bag.files()).status == 0);
    CHECK(read_file(others) == "precious");
    CHECK_FALSE(std::filesystem::exists(left));
    CHECK(bag.office.desk.p11mime({"sign", "--in-place", input}).status == 0);
    CHECK(bag.signatures(input) == 1);

    write_file(left, "plaintext");
    CHECK(bag.office.desk.p11mime({"sign", "-o", bag.path("out/one.eml"), bag.files()[0]}).status == 0);
    CHECK_FALSE(std::filesystem::exists(left));
    CHECK(read_file(others) == "precious");
    CHECK(bag.office.desk.p11mime({"sign", "-o", bag.path("in/one.eml"), input}).status == 0);
    CHECK(std::filesystem::exists(input));
}

TEST_CASE("a mail signed in place is known again after it was moved, copied or touched", "[e2e]") {
    Mailbag bag(3);
    REQUIRE(bag.office.desk.p11mime(Arguments{"sign", "--in-place"} + bag.files()).status == 0);
    std::filesystem::rename(bag.path("in/mail0.eml"), bag.path("in/mail0.eml:2,S"));
    std::filesystem::copy_file(bag.path("in/mail1.eml"), bag.path("copy.eml"));
    std::filesystem::last_write_time(bag.path("in/mail2.eml"), std::filesystem::file_time_type::clock::now());
    const Arguments files{bag.path("in/mail0.eml:2,S"), bag.path("copy.eml"), bag.path("in/mail2.eml")};
    const Outcome outcome = bag.office.desk.p11mime(Arguments{"sign", "--in-place"} + files);
    CHECK_THAT(outcome.err, Catch::Contains("3 done before"));
    for (const std::string& file : files)
        CHECK(bag.signatures(file) == 1);
}

TEST_CASE("a mail that changed after it was done is said to have, and done anew", "[e2e]") {
    Mailbag bag(2);
    const std::string changed = bag.files()[0];
    const auto run = [&](const Arguments& options) {
        return bag.office.desk.p11mime(Arguments{"sign", "--json", "-"} + options + bag.files());
    };
    const auto anew = [&](const Outcome& outcome) {
        const auto warnings = report_of(outcome.out, changed)["warnings"];
        CHECK(report_of(outcome.out, bag.files()[1])["warnings"][0]["kind"] == "done-before");
        return outcome.status == 0 && warnings.size() == 1 && warnings[0]["kind"] == "done-anew";
    };
    for (const Arguments& options : {Arguments{"-d", bag.path("out")}, Arguments{"--in-place"}}) {
        INFO(options.front());
        CHECK(run(options).status == 0);
        write_file(changed, Mailbag::numbered(100));
        const Outcome outcome = run(options);
        CHECK_THAT(outcome.err, Catch::Contains(changed + ": changed since"));
        CHECK(anew(outcome));
    }
    CHECK(bag.signatures(changed) == 1);
    CHECK(run({"-d", bag.path("out")}).status == 0);
    write_file(bag.path("out/mail0.eml"), "something else");
    CHECK(anew(run({"-d", bag.path("out")})));
    CHECK(bag.signatures(bag.path("out/mail0.eml")) > 0);
    std::filesystem::remove(bag.path("out/mail0.eml"));
    CHECK(run({"-d", bag.path("out")}).status == 0);
    CHECK(is_whole(bag, bag.path("out/mail0.eml")));
}

TEST_CASE("with other options a batch is done anew, with none that matter it is not", "[e2e]") {
    Mailbag bag(2);
    const auto run = [&](const Arguments& options) {
        return bag.office.desk.p11mime(Arguments{"sign", "-d", bag.path("out")} + options + bag.files()).err;
    };
    CHECK_THAT(run({}), !Catch::Contains("done before"));
    CHECK_THAT(run({"-j", "1", "--batch"}), Catch::Contains("2 done before"));
    CHECK_THAT(run({"--opaque"}), Catch::Contains("done anew"));
    CHECK_THAT(read_file(bag.path("out/mail0.eml")), Catch::Contains("smime-type=signed-data"));
    CHECK_THAT(run({"--opaque"}), Catch::Contains("2 done before"));
}
