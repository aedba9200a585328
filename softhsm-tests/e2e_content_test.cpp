// Compressed content, weak ciphers and content that is no data, as a user meets them.

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "softhsm-tests/support/office.h"

using namespace p11mime::test;

TEST_CASE("content is compressed before it is signed and encrypted, and expanded on reading", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov"});
    const std::string text = mail("alice@example.gov", "alice@example.gov");
    const Arguments to{"--recipient-cert", office.certificate(alice)};
    const Arguments trust = office.trust();
    for (const auto& [command, layers] :
         {std::pair<Arguments, std::size_t>{{"sign", "--compress"}, 2},
          {Arguments{"encrypt", "--compress", "--allow-untrusted-recipients"} + to, 2},
          {Arguments{"seal", "--compress", "--triple", "--allow-untrusted-recipients"} + to, 4}}) {
        const Outcome made = office.desk.p11mime(command, text);
        INFO(command.front() << made.err);
        REQUIRE(made.status == 0);
        const std::string report = office.desk.path("report");
        const Outcome opened = office.desk.p11mime(Arguments{"open", "--json", report} + trust, made.out);
        INFO(opened.err);
        CHECK(opened.status == 0);
        CHECK(body_of(opened.out) == body_of(text));
        const auto json = nlohmann::json::parse(read_file(report));
        CHECK(json["result"] == (command.front() == "encrypt" ? "decrypted" : "valid"));
        REQUIRE(json["layers"].size() == layers);
        CHECK(json["layers"].back()["type"] == "compressed");
        CHECK(json["layers"].back()["algorithm"] == "zlib");
    }
    const Outcome refused = office.desk.p11mime({"sign", "--compress", "--detached", "--form", "der"}, text);
    CHECK(refused.status == 2);
    CHECK_THAT(refused.err, Catch::Contains("--compress"));
}

TEST_CASE("a weak cipher is a warning, and one that OpenSSL keeps apart needs its provider", "[e2e]") {
    Office office;
    const Identity bob = office.employ({.name = "Bob", .email = "bob@example.org"});
    const auto encrypt = [&](const char* cipher) {
        return done(office.desk.run({"openssl", "cms", "-encrypt", "-provider", "default", "-provider", "legacy",
                                     cipher, "-recip", office.certificate(bob)},
                                    "Content-Type: text/plain\r\n\r\nHello\r\n"));
    };
    const std::string des = encrypt("-des3"), rc2 = encrypt("-rc2-128");
    for (const std::string& message : {des, rc2}) {
        const std::string report = office.desk.path("report");
        const Outcome decrypted = office.desk.p11mime({"decrypt", "--json", report}, message);
        INFO(decrypted.err);
        CHECK(decrypted.status == 0);
        CHECK_THAT(decrypted.err, Catch::Contains("is weak"));
        const auto json = nlohmann::json::parse(read_file(report));
        CHECK(json["result"] == "decrypted");
        CHECK(json["layers"][0]["strength"] == "weak");
        CHECK(json["warnings"][0]["kind"] == "weak-cipher");
    }
    const std::string nothing = office.desk.path("nothing");
    std::filesystem::create_directory(nothing);
    office.desk.environment["OPENSSL_MODULES"] = nothing;
    CHECK(office.desk.p11mime({"decrypt"}, des).status == 0);
    const Outcome without = office.desk.p11mime({"decrypt"}, rc2);
    CHECK(without.status == 6);
    CHECK(without.out.empty());
    CHECK_THAT(without.err, Catch::Contains("unsupported algorithm rc2-128-cbc") && Catch::Contains("legacy.so"));
}

TEST_CASE("a file that holds signed content of another type than data says so", "[e2e]") {
    Office office;
    const Identity alice = office.correspond({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string report = office.desk.path("report.json");
    const auto signature = [&](const std::string& name, const Arguments& options) {
        const std::string file = office.desk.path(name);
        done(office.desk.run(Arguments{"openssl", "cms", "-sign", "-binary", "-outform", "DER", "-out", file, "-signer",
                                       office.certificate(alice), "-inkey", office.key(alice)} +
                             options));
        return file;
    };
    const auto verify = [&](const Arguments& arguments) {
        std::filesystem::remove(report);
        return office.desk.p11mime(Arguments{"verify", "--json", report} + office.trust() + arguments);
    };
    const std::string text = office.desk.file("text", "Received.\n");
    const std::string entity = office.desk.file("entity", "Content-Type: text/plain\r\n\r\nHello\r\n");
    const Arguments receipt{"-econtent_type", "id-smime-ct-receipt"};
    const std::string attached = signature("attached.p7m", Arguments{"-nodetach", "-in", text} + receipt);
    const std::string apart = signature("apart.p7s", Arguments{"-in", text} + receipt);
    for (const Arguments& arguments : {Arguments{attached}, Arguments{"--content", text, apart}}) {
        const Outcome outcome = verify(arguments);
        INFO(outcome.err);
        CHECK(outcome.status == 0);
        CHECK(outcome.out == "Received.\n");
        CHECK_THAT(outcome.err, Catch::Contains("type id-smime-ct-receipt (1.2.840.113549.1.9.16.1.1) and not data"));
        const auto json = nlohmann::json::parse(read_file(report));
        CHECK(json["result"] == "valid");
        CHECK(json["warnings"][0]["kind"] == "content-type");
    }
    const Outcome data = verify({signature("data.p7m", {"-nodetach", "-in", text})});
    CHECK(data.status == 0);
    CHECK(nlohmann::json::parse(read_file(report))["warnings"].empty());

    const Outcome of_mail = verify({"--content", entity, signature("mail.p7s", Arguments{"-in", entity} + receipt)});
    CHECK(of_mail.status == 3);
    CHECK_THAT(of_mail.err, Catch::Contains("what is signed is no mail"));
    CHECK(verify({"--content", entity, signature("mail.p7s", {"-in", entity})}).status == 0);

    const Outcome beside = verify({"--content", entity, attached});
    CHECK(beside.status == 6);
    CHECK(beside.out.empty());
    CHECK_THAT(beside.err, Catch::Contains("carries what it signs") && Catch::Contains("leave --content out"));
}
