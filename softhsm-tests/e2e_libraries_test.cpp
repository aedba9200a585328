// What a run loads: a library costs every run that loads it, so most are loaded where they are needed first.

#include <catch2/catch.hpp>
#include <filesystem>

#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/program.h"

using namespace p11mime::test;

namespace {

const std::vector<std::string> kLoadedLate = {"libsqlite3",  "libassuan",  "libcurl",     "libicu",
                                              "libpcsclite", "libp11-kit", "libkeyutils", "libz.so"};

// What the dynamic linker says of the libraries that it loads (ld.so(8), LD_DEBUG).
std::string loaded(const Office& office, const Arguments& arguments) {
    const TemporaryDirectory logs;
    Command command = office.desk.p11mime_command(arguments);
    command.environment["LD_DEBUG"] = "files";
    command.environment["LD_DEBUG_OUTPUT"] = logs / "log";
    done(run_process(command));
    std::string all;
    for (const auto& log : std::filesystem::directory_iterator(logs.path()))
        all += read_file(log.path().string());
    return all;
}

}  // namespace

TEST_CASE("a mail is signed and verified without libraries that it has no use for", "[e2e]") {
    Office office;
    office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string plain = office.desk.file("plain.eml", mail("alice@example.gov", "carol@example.org"));
    const std::string signed_mail = office.desk.path("signed.eml");
    const std::string at_signing = loaded(office, {"sign", "-o", signed_mail, plain});
    const std::string at_verifying = loaded(office, Arguments{"verify"} + office.trust() + Arguments{signed_mail});
    CHECK_THAT(at_signing, Catch::Contains("libcrypto") && Catch::Contains("libsofthsm2"));
    CHECK_THAT(at_verifying, Catch::Contains("libcrypto") && !Catch::Contains("libsofthsm2"));
    for (const std::string& library : kLoadedLate) {
        CHECK_THAT(at_signing, !Catch::Contains(library));
        CHECK_THAT(at_verifying, !Catch::Contains(library));
    }
    if (!is_sanitized()) CHECK_THAT(at_verifying, !Catch::Contains("libstdc++"));
}
