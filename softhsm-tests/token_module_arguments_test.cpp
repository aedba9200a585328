#include "softhsm-tests/p11kit_configuration.h"
#include "softhsm-tests/support/process.h"
#include "softhsm-tests/token_fixture.h"
#include "token/module.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

constexpr const char* kSoftoken = "/usr/lib/x86_64-linux-gnu/libsoftokn3.so";
constexpr const char* kLabel = "NSS Certificate DB";

/// Profile is a database of keys and certificates as Thunderbird has it.
struct Profile {
    Profile() {
        const Outcome made = run_process({.arguments = {"certutil", "-N", "--empty-password", "-d", database()}});
        INFO(made.err);
        REQUIRE(made.status == 0);
    }
    std::string database() const { return "sql:" + directory.path().string(); }
    std::string arguments() const { return "configdir='" + database() + "'"; }

    TemporaryDirectory directory;
};

bool has_database(token::Tokens& tokens) {
    const auto all = tokens.tokens();
    return std::any_of(all.begin(), all.end(), [](const auto& token) { return token->info().label == kLabel; });
}

}  // namespace

TEST_CASE("what follows the name of a module's file are the module's arguments") {
    const auto plain = token::ModuleFile::parse("/usr/lib/opensc-pkcs11.so");
    CHECK(plain.path == "/usr/lib/opensc-pkcs11.so");
    CHECK(plain.arguments.empty());
    const auto softoken = token::ModuleFile::parse("libsoftokn3.so configdir='sql:/home/a b' flags=readOnly");
    CHECK(softoken.path == "libsoftokn3.so");
    CHECK(softoken.arguments == "configdir='sql:/home/a b' flags=readOnly");
    const auto versioned = token::ModuleFile::parse("/opt/My Cards/libcard.so.1.2 reader=2");
    CHECK(versioned.path == "/opt/My Cards/libcard.so.1.2");
    CHECK(versioned.arguments == "reader=2");
    CHECK(token::ModuleFile::parse("libcard.sowhat x").path == "libcard.sowhat x");

    const TemporaryDirectory directory;
    write_file(directory / "card.so old", "");
    CHECK(token::ModuleFile::parse(directory / "card.so old").path == directory / "card.so old");
}

TEST_CASE("NSS's module opens the database that its arguments name") {
    const Profile profile;
    ScriptedPins pins;
    const auto tokens = token::Tokens::open(
        {.modules = {std::string(kSoftoken) + " " + profile.arguments()}, .token = std::nullopt}, pins);
    CHECK(has_database(*tokens));
    CHECK(tokens->tokens().at(0)->info().module == kSoftoken);
    const Error other = error_of(
        [&] { token::Module::load(token::ModuleFile::parse(std::string(kSoftoken) + " configdir='sql:/elsewhere'")); });
    CHECK(std::string(other.what()).find("in use with other arguments") != std::string::npos);
}

TEST_CASE("a module that p11-kit has configured gets its x-init-reserved") {
    const Profile profile;
    const P11KitConfiguration configuration;
    configuration.add("profile",
                      "module: " + std::string(kSoftoken) + "\nx-init-reserved: " + profile.arguments() + "\n");
    ScriptedPins pins;
    const auto tokens = token::Tokens::open({}, pins);
    CHECK(has_database(*tokens));
}

TEST_CASE("a module that wants arguments and has none says how to give them") {
    const Error error = error_of([&] { token::Module::load(std::string(kSoftoken)); });
    CHECK(std::string(error.what()).find("(CKR_ARGUMENTS_BAD)") != std::string::npos);
    CHECK(error.hint().find("configdir='sql:DIRECTORY'") != std::string::npos);
}
