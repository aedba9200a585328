#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "cli/pins.h"
#include "mime/error.h"
#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime;
using namespace p11mime::cli;

namespace {

std::string text(const SecretBytes& secret) {
    return std::string(text_of(secret.view()));
}

token::PinRequest request(const std::string& label, const std::string& serial) {
    token::PinRequest wanted;
    wanted.token.module = "module.so";
    wanted.token.label = label;
    wanted.token.serial = serial;
    return wanted;
}

struct Rig {
    Rig() : fd(open("/dev/null", O_WRONLY)), terminal(fd, fd) {}
    ~Rig() { close(fd); }
    Pins pins(std::optional<std::string> source, const std::vector<std::string>& uris = {}) {
        PinSettings settings;
        if (source) settings.source = PinSource::parse(*source);
        for (const std::string& uri : uris)
            settings.uris.push_back(token::Uri::parse(uri));
        settings.batch = true;
        return {terminal, std::move(settings)};
    }
    test::TemporaryDirectory directory;
    int fd;
    Terminal terminal;
};

}  // namespace

TEST_CASE("a PIN file gives its first line without the line ending", "[cli]") {
    const test::TemporaryDirectory directory;
    const auto pin_of = [&](std::string_view content) {
        test::write_file(directory / "pin", content);
        return text(read_secret(PinSource::parse("file:" + directory / "pin"), "PIN"));
    };
    CHECK(pin_of("1234\n") == "1234");
    CHECK(pin_of("1234") == "1234");
    CHECK(pin_of("1234\r\nmore\n") == "1234");
    CHECK(pin_of(" 12 34 \n") == " 12 34 ");
    CHECK_THROWS_WITH(pin_of("\n"), Catch::Contains("empty"));
    CHECK_THROWS_WITH(pin_of(std::string(5000, '1')), Catch::Contains("no PIN"));
    CHECK_THROWS_WITH(read_secret(PinSource::parse("file:/nonexistent/pin"), "PIN"),
                      Catch::Contains("/nonexistent/pin"));
}

TEST_CASE("a PIN from the environment is taken out of it", "[cli]") {
    setenv("P11MIME_TEST_PIN", "1234", 1);
    CHECK(text(read_secret(PinSource::parse("env:P11MIME_TEST_PIN"), "PIN")) == "1234");
    CHECK(getenv("P11MIME_TEST_PIN") == nullptr);
    CHECK_THROWS_WITH(read_secret(PinSource::parse("env:P11MIME_TEST_PIN"), "PIN"),
                      Catch::Contains("P11MIME_TEST_PIN"));
}

TEST_CASE("a descriptor gives one line at a time", "[cli]") {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    REQUIRE(write(ends[1], "1234\n5678\n", 10) == 10);
    close(ends[1]);
    const PinSource source = PinSource::parse("fd:" + std::to_string(ends[0]));
    CHECK(text(read_secret(source, "PIN")) == "1234");
    CHECK(text(read_secret(source, "PIN")) == "5678");
    close(ends[0]);
}

TEST_CASE("PIN sources that are none are refused without being repeated", "[cli]") {
    for (const std::string source : {"1234", "env:", "env:A=B", "file:", "file:-", "fd:", "fd:x", "fd:-1", "tty:x"}) {
        INFO(source);
        CHECK_THROWS_AS(PinSource::parse(source), Error);
    }
    CHECK_THROWS_WITH(PinSource::parse("1234"), !Catch::Contains("1234"));
}

TEST_CASE("a PIN that names no token goes to the first token that asks, and to it alone", "[cli]") {
    Rig rig;
    test::write_file(rig.directory / "pin", "1234\n");
    Pins pins = rig.pins("file:" + rig.directory / "pin");
    const auto first = pins.pin(request("Alice", "1"));
    REQUIRE(first);
    CHECK(text(first->value) == "1234");
    CHECK_FALSE(first->typed_by_person);
    CHECK_FALSE(pins.pin(request("Bob", "2")));
    CHECK_FALSE(pins.pin(request("Alice", "2")));
}

TEST_CASE("a token that asks for its login again has refused it, and gets no PIN; a key may ask each time", "[cli]") {
    Rig rig;
    test::write_file(rig.directory / "pin", "1234\n");
    Pins pins = rig.pins("file:" + rig.directory / "pin");
    token::PinRequest of_key = request("Alice", "1");
    of_key.key_label = "signing key";
    CHECK(pins.pin(of_key));
    CHECK(pins.pin(of_key));
    CHECK(pins.pin(request("Alice", "1")));
    CHECK_THROWS_WITH(pins.pin(request("Alice", "1")), Catch::Contains("Alice") && Catch::Contains("not tried again"));
}

TEST_CASE("a PIN goes to every token that the URIs name", "[cli]") {
    Rig rig;
    test::write_file(rig.directory / "pin", "1234\n");
    Pins pins = rig.pins("file:" + rig.directory / "pin", {"pkcs11:token=Alice", "pkcs11:token=Bob"});
    CHECK(pins.pin(request("Alice", "1")));
    CHECK(pins.pin(request("Bob", "2")));
}

TEST_CASE("pin-source and pin-value of a URI serve the tokens that it matches", "[cli]") {
    Rig rig;
    test::write_file(rig.directory / "pin", "1111\n");
    Pins pins = rig.pins(std::nullopt, {"pkcs11:token=Alice?pin-source=file:" + rig.directory / "pin",
                                        "pkcs11:token=Bob?pin-value=2222"});
    CHECK(text(pins.pin(request("Alice", "1")).value().value) == "1111");
    CHECK(text(pins.pin(request("Bob", "2")).value().value) == "2222");
    CHECK_FALSE(pins.pin(request("Carol", "3")));
}

TEST_CASE("with --batch nothing is asked", "[cli]") {
    Rig rig;
    Pins pins = rig.pins(std::nullopt);
    CHECK_FALSE(pins.pin(request("Alice", "1")));
    CHECK_THROWS_WITH(pins.secret(std::nullopt, "PUK", false), Catch::Contains("--batch"));
}
