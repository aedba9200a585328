#pragma once

// Spoofing and leaking constructions of the classes published as "Johnny, you are fired!" (Müller et al., 2019) and
// EFAIL (Poddebniak et al., 2018), each beside its honest twin. The twin is valid; the construction never is.

#include <catch2/catch.hpp>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/table.h"

namespace p11mime::test {

inline constexpr const char* kAlice = "alice@example.gov";
inline constexpr const char* kBob = "bob@example.gov";
inline constexpr const char* kEve = "eve@example.org";

inline constexpr const char* kValid = "valid 0";
inline constexpr const char* kUntrusted = "untrusted 3";
inline constexpr const char* kInvalid = "invalid 1";
inline constexpr const char* kMalformed = "error 6";

/// Answer is what is said of a mail: why, or words of it, and the result with the exit code.
struct Answer {
    // NOLINTNEXTLINE(google-explicit-constructor): most rows name the reason alone
    Answer(std::string why, std::string result = kUntrusted) : reason(std::move(why)), verdict(std::move(result)) {}
    Answer(const char* why) : Answer(std::string(why)) {}  // NOLINT(google-explicit-constructor)

    std::string reason;
    std::string verdict;
};

/// Stage is what the constructions are made with. Alice, Eve and Bob all have trusted certificates; Bob reads.
struct Stage {
    Office office;
    Identity alice = office.employ({.name = "Alice", .email = kAlice, .kind = KeyKind::p256});
    Identity eve = office.employ({.name = "Eve", .email = kEve, .kind = KeyKind::p256});
    Identity bob = office.employ({.name = "Bob", .email = kBob, .kind = KeyKind::rsa2048});

    std::string p11mime(const Arguments& arguments, const std::string& input) const {
        return done(office.desk.p11mime(arguments, input));
    }
    std::string sign(const std::string& text, const Arguments& options = {}) const {
        return p11mime(Arguments{"sign"} + options, text);
    }
    /// part is an entity signed by itself.
    std::string part(const std::string& entity, const char* signer = kAlice) const {
        return sign(entity, {"--entity", "--from", signer});
    }
    std::string encrypt(const std::string& text, const Arguments& options = {}) const {
        return p11mime(
            Arguments{"encrypt", "--no-self", "--recipient-cert", office.certificate(bob)} + options + office.trust(),
            text);
    }
    std::string seal(const std::string& text, const Arguments& options = {}) const {
        return p11mime(
            Arguments{"seal", "--no-self", "--recipient-cert", office.certificate(bob)} + options + office.trust(),
            text);
    }
    /// read is what a reader is told of a mail.
    Answer read(const std::string& text, const char* command) const {
        const std::string report = office.desk.path("report.json");
        std::filesystem::remove(report);
        const Outcome outcome = office.desk.p11mime(Arguments{command, "-n", "--json", report} + office.trust(), text);
        UNSCOPED_INFO(outcome.err);
        const auto json = nlohmann::json::parse(read_file(report));
        if (json["result"] == "untrusted" || json["result"] == "invalid") {
            CHECK(json["reason"].is_string());
            CHECK(json["hint"].is_string());
        }
        return {json["reason"].is_null() ? "" : json["reason"].get<std::string>(),
                json["result"].get<std::string>() + " " + std::to_string(outcome.status)};
    }
    std::string verdict(const std::string& text, const char* command) const { return read(text, command).verdict; }
};

inline const std::string kPlain = "Content-Type: text/plain\r\n\r\nPay 10 to Bob.\r\n";
inline const std::string kOther = "Content-Type: text/plain\r\n\r\nPay 1000 to Eve.\r\n";

inline std::string multipart(const std::string& type, const std::vector<std::string>& parts,
                             const std::string& before = {}, const std::string& after = {}) {
    std::string text = "Content-Type: " + type + "; boundary=outer\r\n\r\n" + before;
    for (const std::string& part : parts)
        text += "\r\n--outer\r\n" + part;
    return text + "\r\n--outer--\r\n" + after;
}

inline std::string from_alice(const std::string& entity) {
    return mail(kAlice, kBob, entity);
}

inline std::string attached(const std::string& text, const std::string& parameters = {}) {
    return "Content-Type: message/rfc822" + parameters + "\r\n\r\n" + text;
}

/// last_boundary is where the close delimiter of a signed mail starts.
inline std::size_t last_boundary(const std::string& text) {
    return text.rfind("\r\n--p11mime-") + 2;
}

/// with_part_behind puts a part behind the signature.
inline std::string with_part_behind(const std::string& signed_mail, const std::string& part) {
    const std::size_t at = last_boundary(signed_mail);
    const std::string delimiter = signed_mail.substr(at, signed_mail.find("--\r\n", at + 2) - at);
    return signed_mail.substr(0, at) + delimiter + "\r\n" + part + "\r\n" + signed_mail.substr(at);
}

/// with_signature puts another signature (base64) into a clear-signed mail.
inline std::string with_signature(const std::string& signed_mail, const std::string& base64) {
    const std::size_t begin = signed_mail.find("\r\n\r\n", signed_mail.find("smime.p7s\r\n")) + 4;
    return signed_mail.substr(0, begin) + base64 + signed_mail.substr(last_boundary(signed_mail));
}

/// Row is a construction and its twin, and what is to be said of the construction.
struct Row {
    std::string name;
    std::string twin;
    std::string construction;
    Answer expected;
    const char* command = "open";
};

/// check_rows reads both mails of each row and prints how that went.
inline void check_rows(const Stage& stage, const std::vector<std::vector<Row>>& groups) {
    Table table;
    std::map<std::string, std::string> twins;
    for (const std::vector<Row>& rows : groups)
        for (const Row& row : rows) {
            INFO(row.name);
            std::string& twin = twins[row.command + row.twin];
            if (twin.empty()) twin = stage.verdict(row.twin, row.command);
            const Answer construction = stage.read(row.construction, row.command);
            CHECK(twin == kValid);
            CHECK(construction.verdict == row.expected.verdict);
            CHECK_THAT(construction.reason, Catch::Contains(row.expected.reason));
            CHECK(construction.reason.empty() == row.expected.reason.empty());
            table.set(row.name, "twin", twin == kValid ? kOk : twin);
            table.set(row.name, "construction", construction.verdict);
        }
    std::cout << table.text();
}

}  // namespace p11mime::test
