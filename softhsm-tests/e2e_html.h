#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "softhsm-tests/support/chromium.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/skip.h"

/// The page of --html.
namespace p11mime::test {

inline bool no_browser() {
    if (Chromium::installed()) return false;
    skip("Chromium is not installed (package chromium)");
    return true;
}

/// Reader is Alice at her desk, who opens mails as pages.
struct Reader {
    Office office;
    Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    std::string page = office.desk.path("page.html");

    std::string sign(std::string_view entity) const {
        return done(office.desk.p11mime({"sign"}, mail(alice.email, "bob@example.org", entity)));
    }
    std::string seal(const std::string& cipher = "aes-256-gcm") const {
        return done(office.desk.p11mime(
            Arguments{"seal", "--cipher", cipher, "--recipient-cert", office.certificate(alice)} + office.trust(),
            mail(alice.email, alice.email)));
    }
    Outcome open(const std::string& text, const Arguments& options = {}) const {
        return office.desk.p11mime(Arguments{"open", "--html", page} + office.trust() + options, text);
    }
    /// page_of opens a mail, which must end with a status, and gives the page.
    std::string page_of(const std::string& text, int status = 0, const Arguments& options = {"-n"}) const {
        std::filesystem::remove(page);
        const Outcome outcome = open(text, options);
        INFO(outcome.err);
        REQUIRE(outcome.status == status);
        REQUIRE(std::filesystem::exists(page));
        return read_file(page);
    }
    bool has_page() const { return std::filesystem::exists(page); }
};

inline std::string text_entity(std::string_view text, std::string_view type = "text/plain; charset=utf-8") {
    return "Content-Type: " + std::string(type) + "\r\n\r\n" + std::string(text);
}

inline bool any_contains(const std::vector<std::string>& list, const std::string& text) {
    return std::any_of(list.begin(), list.end(),
                       [&](const std::string& each) { return each.find(text) != std::string_view::npos; });
}

}  // namespace p11mime::test
