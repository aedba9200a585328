// A batch that ends in the middle and is run again: every mail is done once, and nothing is left half done.

#include "softhsm-tests/e2e_batch.h"

using namespace p11mime::test;

namespace {

// Ends the program by one signal after some seconds, wherever it is by then. SoftHSM's files do not outlast being cut
// off in a login, so they are put back.
Outcome cut_off(const Mailbag& bag, const std::string& signal, const std::string& seconds, const Arguments& command) {
    constexpr auto kWhole = std::filesystem::copy_options::recursive;
    std::filesystem::copy(bag.path("tokens"), bag.path("kept"), kWhole);
    Outcome outcome = bag.office.desk.run(Arguments{"timeout", "--foreground", "-s", signal, seconds} +
                                          bag.office.desk.p11mime_command(command).arguments);
    std::filesystem::remove_all(bag.path("tokens"));
    std::filesystem::rename(bag.path("kept"), bag.path("tokens"));
    return outcome;
}

bool is_whole(const Mailbag& bag, const std::string& file) {
    return bag.office.desk.run(Arguments{"openssl", "cms", "-verify", "-in", file} + bag.office.peer_trust()).status ==
           0;
}

}  // namespace

TEST_CASE("after SIGKILL anywhere a rerun does every mail once and removes what was left", "[e2e]") {
    Mailbag bag(60);
    const Arguments in_place = Arguments{"sign", "--in-place", "-j", "8"} + bag.files();
    const Arguments to_directory = Arguments{"sign", "-j", "8", "-d", bag.path("out")} + bag.files();
    for (const std::string seconds : {"0.03", "0.05", "0.07", "0.1", "0.15"}) {
        (void)cut_off(bag, "KILL", seconds, to_directory);
        if (!std::filesystem::exists(bag.path("out"))) continue;
        for (const auto& entry : std::filesystem::directory_iterator(bag.path("out")))
            if (!entry.path().filename().string().starts_with(".")) CHECK(is_whole(bag, entry.path().string()));
    }
    CHECK(bag.office.desk.p11mime(to_directory).status == 0);
    CHECK(names(bag.path("out")) == names(bag.path("in")));

    for (const std::string seconds : {"0.03", "0.05", "0.07", "0.1", "0.15"})
        (void)cut_off(bag, "KILL", seconds, in_place);
    const Outcome last = bag.office.desk.p11mime(in_place);
    INFO(last.err);
    CHECK(last.status == 0);
    CHECK(last.err.find("done anew") == std::string::npos);
    CHECK(names(bag.path("in")) == names(bag.path("out")));
    for (int i = 0; i < 60; ++i)
        CHECK(bag.signatures(bag.path("in/" + bag.name(i))) == 1);
}

TEST_CASE("an interrupted batch leaves no temporary file, and goes on when it is run again", "[e2e]") {
    Mailbag bag(60);
    const Arguments command = Arguments{"sign", "--in-place", "-j", "4"} + bag.files();
    for (const std::string seconds : {"0.05", "0.1"}) {
        const Outcome outcome = cut_off(bag, "INT", seconds, command);
        INFO(outcome.err);
        CHECK(names(bag.path("in")).find(".p11mime") == std::string::npos);
        CHECK(outcome.err.find("internal error") == std::string::npos);
    }
    CHECK(bag.office.desk.p11mime(command).status == 0);
    for (int i = 0; i < 60; ++i)
        CHECK(bag.signatures(bag.path("in/" + bag.name(i))) == 1);
}

TEST_CASE("a mail signed in place is known again after it was moved, copied or touched", "[e2e]") {
    Mailbag bag(3);
    REQUIRE(bag.office.desk.p11mime(Arguments{"sign", "--in-place"} + bag.files()).status == 0);
    std::filesystem::rename(bag.path("in/mail0.eml"), bag.path("in/mail0.eml:2,S"));
    std::filesystem::copy_file(bag.path("in/mail1.eml"), bag.path("copy.eml"));
    std::filesystem::last_write_time(bag.path("in/mail2.eml"), std::filesystem::file_time_type::clock::now());
    const Arguments files{bag.path("in/mail0.eml:2,S"), bag.path("copy.eml"), bag.path("in/mail2.eml")};
    const Outcome outcome = bag.office.desk.p11mime(Arguments{"sign", "--in-place"} + files);
    CHECK_THAT(outcome.err, Catch::Contains("3 of them done before"));
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
        write_file(changed, bag.numbered(100));
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
    CHECK_THAT(run({"-j", "1", "--batch"}), Catch::Contains("2 of them done before"));
    CHECK_THAT(run({"--opaque"}), Catch::Contains("done anew"));
    CHECK_THAT(read_file(bag.path("out/mail0.eml")), Catch::Contains("smime-type=signed-data"));
    CHECK_THAT(run({"--opaque"}), Catch::Contains("2 of them done before"));
}
