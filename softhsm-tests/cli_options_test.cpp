#include <catch2/catch.hpp>
#include <sstream>

#include "cli/options.h"
#include "cli/program.h"
#include "cli/settings.h"
#include "mime/error.h"
#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime;
using namespace p11mime::cli;

namespace {

Options parse(const char* command, const std::vector<std::string>& arguments,
              const std::vector<std::string>& config = {}) {
    return parse_options(*find_command(command), arguments, config);
}

// The message of the usage error that parsing ends in.
std::string refusal(const char* command, const std::vector<std::string>& arguments,
                    const std::vector<std::string>& config = {}) {
    try {
        (void)parse(command, arguments, config);
    } catch (const Error& error) {
        CHECK(error.kind() == ErrorKind::usage);
        return error.what();
    }
    return "";
}

struct ConfigFile {
    explicit ConfigFile(std::string_view text, const char* name = "config") : path(directory / name) {
        test::write_file(path, text);
    }
    test::TemporaryDirectory directory;
    std::string path;
};

}  // namespace

TEST_CASE("options come in GNU style, before and after the file", "[cli]") {
    const Options options = parse("verify", {"--strict", "mail.eml", "-o", "out", "--ca", "a", "--ca=b", "-n"});
    CHECK(options.flag("strict"));
    CHECK(options.flag("no-output"));
    CHECK_FALSE(options.flag("remember"));
    CHECK(options.text("output") == "out");
    CHECK(options.list("ca") == std::vector<std::string>{"a", "b"});
    CHECK(options.files() == std::vector<std::string>{"mail.eml"});
    CHECK(parse("verify", {"--", "-strange"}).files() == std::vector<std::string>{"-strange"});
    CHECK(parse("verify", {"-"}).files() == std::vector<std::string>{"-"});
}

TEST_CASE("what a command does not take is a usage error that names it", "[cli]") {
    CHECK(refusal("sign", {"--nonsense"}).find("--nonsense") != std::string::npos);
    CHECK(refusal("verify", {"--key", "pkcs11:"}).find("--key") != std::string::npos);
    CHECK(refusal("sign", {"--from"}).find("--from") != std::string::npos);
    CHECK(refusal("tokens", {"one"}).find("one") != std::string::npos);
}

TEST_CASE("of what takes one value the last one counts, lists keep all, and a flag may be repeated", "[cli]") {
    const Options options =
        parse("verify", {"--strict", "-o", "a", "--ca", "x", "--output", "b", "--strict", "--ca", "y"});
    CHECK(options.text("output") == "b");
    CHECK(options.flag("strict"));
    CHECK(options.list("ca") == std::vector<std::string>{"x", "y"});
}

TEST_CASE("options that take one of a few values take no others", "[cli]") {
    const auto value = [](const std::vector<std::string>& arguments) {
        const Options options = parse("encrypt", arguments);
        (void)revocation_of(options);
        (void)cipher_of(options, "cipher");
        (void)pin_settings_of(options);
    };
    CHECK_NOTHROW(value({"--revocation", "off"}));
    CHECK_NOTHROW(value({"--revocation", "online", "--require-revocation"}));
    CHECK_THROWS_WITH(value({"--revocation", "maybe"}), Catch::Contains("maybe"));
    CHECK_THROWS_WITH(value({"--revocation", "off", "--require-revocation"}), Catch::Contains("does not go with"));
    CHECK_NOTHROW(value({"--cipher", "chacha20-poly1305"}));
    CHECK_THROWS_WITH(value({"--cipher", "rot13"}), Catch::Contains("rot13"));
}

TEST_CASE("a time for the PIN cache has a unit and is a day at most", "[cli]") {
    const auto settings = [](const std::vector<std::string>& arguments) {
        return pin_settings_of(parse("sign", arguments));
    };
    CHECK_FALSE(settings({}).cache);
    CHECK(settings({"--pin-cache", "90s"}).cache == std::chrono::seconds(90));
    CHECK(settings({"--pin-cache", "10m"}).cache == std::chrono::minutes(10));
    CHECK(settings({"--pin-cache", "24h"}).cache == std::chrono::hours(24));
    for (const std::string time :
         {"", "10", "m", "0s", "-1s", "1.5h", "10m ", "25h", "86401s", "1441m", "99999999999s", "4294967297s", "1d"}) {
        INFO(time);
        CHECK_THROWS_WITH(settings({"--pin-cache", time}), Catch::Contains("--pin-cache does not take"));
    }
}

TEST_CASE("the reuse of a PIN is for PINs that a person types", "[cli]") {
    const auto settings = [](const std::vector<std::string>& arguments) {
        return pin_settings_of(parse("sign", arguments));
    };
    CHECK(settings({"--pin-reuse"}).reuse);
    CHECK(settings({"--pin-reuse", "--pin-source", "pinentry"}).reuse);
    CHECK_THROWS_WITH(settings({"--pin-reuse", "--batch"}), Catch::Contains("a person types"));
    for (const std::string source : {"env:PIN", "file:/pin", "fd:3"})
        CHECK_THROWS_WITH(settings({"--pin-reuse", "--pin-source", source}), Catch::Contains("a person types"));
}

TEST_CASE("variables with PINs and passwords are told, so that children do not get them", "[cli]") {
    const PinSettings settings =
        pin_settings_of(parse("key unblock", {"--puk-source", "env:PUK", "--new-pin-source", "env:NEW"}));
    CHECK(settings.secret_variables == std::vector<std::string>{"PUK", "NEW"});
    CHECK(pin_settings_of(parse("decrypt", {"--password-source", "env:PASSWORD"})).secret_variables ==
          std::vector<std::string>{"PASSWORD"});
}

TEST_CASE("the command line wins over the user's config, which wins over the system's", "[cli]") {
    const ConfigFile user("digest = sha384\nca = /user/a\nca = /user/b\n");
    const ConfigFile machine("digest = sha512\nfrom = alice@example.gov\nca = /etc/ca\npss = yes\n");
    const std::vector<std::string> files = {user.path, "/nonexistent/config", machine.path};

    const Options options = parse("seal", {"--digest", "sha256"}, files);
    CHECK(options.text("digest") == "sha256");
    CHECK(options.text("from") == "alice@example.gov");
    CHECK(options.list("ca") == std::vector<std::string>{"/user/a", "/user/b"});
    CHECK(options.flag("pss"));
    CHECK(parse("seal", {}, files).text("digest") == "sha384");
    CHECK(parse("seal", {"--ca", "mine"}, files).list("ca") == std::vector<std::string>{"mine"});
}

TEST_CASE("a file that the config names for trust or keys is one beside it, wherever one is", "[cli]") {
    using Files = std::vector<std::string>;
    const ConfigFile config("ca = root.pem\nca = /etc/roots\ncrl = crls/now\nkek = kek\npolicy = 1.2.3\n");
    const std::string beside = config.path.substr(0, config.path.rfind('/') + 1);
    const Options verify = parse("verify", {"--intermediates", "here.pem"}, {config.path});
    CHECK(verify.list("ca") == Files{beside + "root.pem", "/etc/roots"});
    CHECK(verify.list("crl") == Files{beside + "crls/now"});
    CHECK(verify.list("policy") == Files{"1.2.3"});
    CHECK(verify.list("intermediates") == Files{"here.pem"});
    CHECK(parse("decrypt", {}, {config.path}).text("kek") == beside + "kek");
}

TEST_CASE("config keys of other commands are left alone, sections hold for one command", "[cli]") {
    const ConfigFile config(
        "# mine\ndigest = sha384\nunknown-cipher = aes-256-gcm\n[verify]\nstrict = true\n[seal]\ndigest = sha512\n");
    const ConfigFile semicolons(
        "; mine\n  ; too = 1\n[sign]\n;digest = md5\nkey = pkcs11:token=a;object=b\nno-such = 1\n");
    CHECK_THAT(refusal("sign", {}, {semicolons.path}), Catch::StartsWith(semicolons.path + ":6:"));
    const ConfigFile uri("; mine\n[sign]\nkey = pkcs11:token=a;object=b\n");
    CHECK(parse("sign", {}, {uri.path}).list("key") == std::vector<std::string>{"pkcs11:token=a;object=b"});
    CHECK(parse("verify", {}, {config.path}).flag("strict"));
    CHECK_FALSE(parse("open", {}, {config.path}).flag("strict"));
    CHECK(parse("sign", {}, {config.path}).text("digest") == "sha384");
    CHECK(parse("seal", {}, {config.path}).text("digest") == "sha512");
    CHECK(parse("encrypt", {}, {config.path}).text("unknown-cipher") == "aes-256-gcm");
    const ConfigFile headers("[sign]\nprotect-headers = true\n[seal]\nno-protect-headers = true\n");
    CHECK(protects_headers(parse("sign", {}, {headers.path}), false));
    CHECK_FALSE(protects_headers(parse("sign", {"--no-protect-headers"}, {headers.path}), false));
    CHECK_FALSE(protects_headers(parse("seal", {}, {headers.path}), true));
    CHECK(protects_headers(parse("seal", {"--protect-headers"}, {headers.path}), true));
    CHECK(protects_headers(parse("seal", {}, {}), true));
    CHECK_THROWS_WITH(protects_headers(parse("seal", {"--protect-headers", "--no-protect-headers"}, {}), true),
                      Catch::Contains("exclude each other"));
    CHECK_FALSE(parse("encrypt", {}, {}).text("unknown-cipher"));
}

TEST_CASE("a mistake in a config file is a usage error naming file and line", "[cli]") {
    const ConfigFile unknown("digest = sha256\n\nno-such-key = 1\n");
    CHECK_THAT(refusal("verify", {}, {unknown.path}), Catch::StartsWith(unknown.path + ":3:"));
    CHECK_THAT(refusal("verify", {}, {unknown.path}), Catch::Contains("no-such-key"));
    const ConfigFile section("[verfy]\nstrict = true\n");
    CHECK_THAT(refusal("verify", {}, {section.path}), Catch::StartsWith(section.path + ":2:"));
    const ConfigFile value("[verify]\n\nstrict = perhaps\n");
    CHECK_THAT(refusal("verify", {}, {value.path}), Catch::StartsWith(value.path + ":3:"));
    const ConfigFile help("help = true\n");
    CHECK_THAT(refusal("verify", {}, {help.path}), Catch::Contains("help"));
    const ConfigFile broken("strict\n");
    CHECK_THAT(refusal("verify", {}, {broken.path}), Catch::Contains(broken.path));
}

namespace {

void check_fits_screen(const std::string& text) {
    std::istringstream lines(text);
    std::size_t count = 0;
    for (std::string line; std::getline(lines, line); ++count)
        CHECK(line.size() <= 80);
    CHECK(count <= 25);
}

}  // namespace

TEST_CASE("help fits a screen of 80 by 25 and names every option of the command", "[cli]") {
    check_fits_screen(general_help());
    for (const CommandSpec& command : command_table()) {
        INFO(command.name);
        const std::string help = command_help(command);
        check_fits_screen(help);
        for (const OptionSpec& option : option_table())
            if ((option.groups & command.groups) != 0) CHECK(help.find(option.name) != std::string::npos);
    }
    CHECK_THAT(group_help("key"), Catch::Contains("key import-cert") && Catch::Contains("key unblock"));
    CHECK_THAT(group_help("certs"), Catch::Contains("certs trust") && !Catch::Contains("key csr"));
}

TEST_CASE("sysexits make token trouble and input/output errors transient", "[cli]") {
    CHECK(sysexit(0) == 0);
    CHECK(sysexit(1) == 65);
    CHECK(sysexit(2) == 64);
    CHECK(sysexit(3) == 77);
    CHECK(sysexit(4) == 75);
    CHECK(sysexit(5) == 67);
    CHECK(sysexit(6) == 65);
    CHECK(sysexit(7) == 75);
}

TEST_CASE("times, lifetimes and forms are checked", "[cli]") {
    CHECK_THROWS_WITH(time_of(parse("verify", {"--at", "yesterday"})), Catch::Contains("yesterday"));
    const auto demands =
        policy_demands_of(parse("verify", {"--policy", "2.23.140.1.5.3.3", "--policy", "1.2.3", "--explicit-policy"}));
    CHECK(demands.accepted == std::vector<std::string>{"2.23.140.1.5.3.3", "1.2.3"});
    CHECK(demands.explicit_policy);
    CHECK_FALSE(demands.inhibit_mapping);
    CHECK(policy_demands_of(parse("seal", {"--inhibit-policy-mapping"})).inhibit_mapping);
    CHECK(policy_demands_of(parse("open", {"--inhibit-any-policy"})).inhibit_any_policy);
    CHECK_THROWS_WITH(policy_demands_of(parse("verify", {"--policy", "strict"})), Catch::Contains("'strict'"));
    CHECK_THROWS_WITH(lifetime_of(parse("key self-sign", {"--days", "0"})), Catch::Contains("'0'"));
    CHECK_THROWS_WITH(lifetime_of(parse("key self-sign", {"--days", "3d"})), Catch::Contains("3d"));
    CHECK(lifetime_of(parse("key self-sign", {"--days", "30"})) == std::chrono::days(30));
    CHECK(lifetime_of(parse("key self-sign", {})) == std::chrono::days(365));
    CHECK(form_of(parse("sign", {})) == cms::smime::Form::smime);
    CHECK(form_of(parse("sign", {"--form", "der"})) == cms::smime::Form::der);
    CHECK_THROWS_WITH(form_of(parse("sign", {"--form", "xml"})), Catch::Contains("xml"));
}
