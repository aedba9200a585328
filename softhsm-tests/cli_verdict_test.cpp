// The words of a verdict.

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/objects.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "cli/html_page.h"
#include "cli/report_json.h"
#include "cli/signer_words.h"
#include "cli/terminal.h"
#include "cli/verdict.h"
#include "softhsm-tests/support/software_key.h"

using namespace p11mime;
using namespace p11mime::cli;
using namespace p11mime::cms::smime;
using test::CertificateSpec;

namespace {

const cms::Time kNow = *cms::parse_time("2026-11-21T10:00:00Z");

SignerVerdict signer(const CertificateSpec& spec = {.name = "Alice Example"}) {
    SignerVerdict verdict;
    verdict.certificate = test::certify(spec).certificate;
    verdict.integrity = Integrity::valid;
    verdict.chain = ChainState::trusted;
    verdict.chain_certs = {*verdict.certificate};
    verdict.revocation = Revocation::good;
    verdict.sender = SenderState::match;
    verdict.time_at = kNow;
    return verdict;
}

Layer signed_by(std::vector<SignerVerdict> signers) {
    Layer layer;
    layer.path = "1";
    layer.type = LayerType::signed_data;
    layer.signers = std::move(signers);
    return layer;
}

Layer encrypted(bool authenticated) {
    Layer layer;
    layer.path = "1";
    layer.type = LayerType::enveloped;
    layer.cipher = "aes-256-cbc";
    layer.authenticated = authenticated;
    return layer;
}

std::string sentence(Result result, std::vector<Layer> layers, const std::string& reason = {},
                     const std::string& hint = {}) {
    Report report;
    report.from = {"alice@example.gov"};
    report.layers = std::move(layers);
    report.result = result;
    report.reason = reason;
    report.hint = hint;
    return verdict_words(report).sentence();
}

}  // namespace

TEST_CASE("a good verdict says who, unchanged, and when the certificate was checked", "[cli]") {
    CHECK(sentence(Result::valid, {signed_by({signer()})}) ==
          "Signed by Alice Example <alice@example.gov>, unchanged, certificate checked 2026-11-21");
    CHECK(sentence(Result::valid, {encrypted(true), signed_by({signer()})}) ==
          "Encrypted, and signed by Alice Example <alice@example.gov>, unchanged, certificate checked 2026-11-21");
    const CertificateSpec bob{.name = "Bob", .alternative_name = "email:bob@example.org"};
    CHECK(sentence(Result::valid, {signed_by({signer(), signer(bob)})}) ==
          "Signed by Alice Example <alice@example.gov> and by Bob <bob@example.org>, unchanged, certificates checked "
          "2026-11-21");
}

TEST_CASE("where signers were judged at different times, a good verdict says each", "[cli]") {
    const auto at = [](const char* time, const char* basis, const char* name) {
        SignerVerdict verdict = signer({.name = name});
        verdict.time_at = *cms::parse_time(time);
        verdict.time_basis = basis;
        return verdict;
    };
    const SignerVerdict now = signer(), stamped = at("2024-03-01T10:00:00Z", "timestamp", "Bob"),
                        same_day = at("2024-03-01T12:00:00Z", "timestamp", "Carol"),
                        other_day = at("2025-03-01T12:00:00Z", "timestamp", "Dan"),
                        last_day = at("2025-03-02T12:00:00Z", "timestamp", "Erin");
    const auto checked = [](const std::vector<SignerVerdict>& signers) {
        const std::string text = sentence(Result::valid, {signed_by(signers)});
        return text.substr(text.find("certificate"));
    };
    const std::string both = "certificates checked as of 2024-03-01, when it was time-stamped, and 2026-11-21";
    CHECK(checked({now, stamped}) == both);
    CHECK(checked({stamped, now}) == both);
    CHECK(checked({stamped, same_day, now}) == both);
    CHECK(checked({stamped, same_day}) == "certificates checked as of 2024-03-01, when it was time-stamped");
    CHECK(checked({now, last_day, other_day, stamped}) ==
          "certificates checked as of 2024-03-01, when it was time-stamped, and as of 2025-03-01, when it was "
          "time-stamped, and as of 2025-03-02, when it was time-stamped, and 1 more times");
}

TEST_CASE("the headline names who signed the text, and whoever signed its encrypted form only where nobody else did",
          "[cli]") {
    const Layer alice = signed_by({signer()}), lock = encrypted(true),
                bob = signed_by({signer({.name = "Bob", .alternative_name = "email:bob@example.org"})});
    CHECK(sentence(Result::valid, {bob, lock, alice}) ==
          "Encrypted, and signed by Alice Example <alice@example.gov>, unchanged, certificate checked 2026-11-21");
    CHECK(sentence(Result::valid, {alice, lock, alice}) == sentence(Result::valid, {bob, lock, alice}));
    CHECK_THAT(sentence(Result::valid, {bob, alice}),
               Catch::StartsWith("Signed by Bob <bob@example.org> and by Alice"));
    Layer not_the_sender = bob;
    not_the_sender.signers[0].sender = SenderState::mismatch;
    CHECK_THAT(sentence(Result::valid, {not_the_sender, alice}),
               Catch::StartsWith("Signed by Alice Example <alice@example.gov> and by Bob"));
    CHECK_THAT(sentence(Result::untrusted, {bob, lock}), Catch::StartsWith("Signed in the name of Bob"));

    // What is said of the sender is of who signed the text.
    Layer mismatch = alice;
    mismatch.signers[0].sender = SenderState::mismatch;
    CHECK_THAT(sentence(Result::valid, {bob, lock, mismatch}), Catch::EndsWith(", not the sender's"));

    Report report;
    report.layers = {bob, lock, alice};
    CHECK(layer_lines(report, true).front() == "part 1: signed, the encrypted form of the whole mail");
    CHECK_THAT(html_page(report, std::nullopt, kNow), Catch::Contains(", over the encrypted form of the whole mail<"));
    report.layers = {bob, alice};
    CHECK(layer_lines(report, true).front() == "part 1: signed, the whole mail");

    // Bob's address is no sender's for his signature over the encrypted form.
    MailText mail;
    mail.fields = {{.name = "From"}};
    report.result = Result::valid;
    report.layers = {bob, lock, mismatch};
    CHECK_THAT(html_page(report, mail, kNow), !Catch::Contains("one of the certificate's"));
    report.layers = {bob, lock, alice};
    CHECK_THAT(html_page(report, mail, kNow), Catch::Contains("one of the certificate's"));
}

TEST_CASE("a good verdict says what was not checked, and what was judged at another time", "[cli]") {
    const std::string all = "Signed by Alice Example <alice@example.gov>, unchanged, certificate checked ";
    const auto with = [&](auto change) {
        SignerVerdict one = signer();
        change(one);
        return sentence(Result::valid, {signed_by({one})});
    };
    CHECK(with([](auto& one) { one.revocation = Revocation::not_checked; }) ==
          all + "2026-11-21, revocation not checked");
    CHECK(with([](auto& one) { one.revocation = Revocation::unknown; }) == all + "2026-11-21, revocation unknown");
    CHECK(with([](auto& one) { one.sender = SenderState::not_checked; }) == all + "2026-11-21, sender not checked");
    CHECK(with([](auto& one) { one.sender = SenderState::mismatch; }) == all + "2026-11-21, not the sender's");
    CHECK(with([](auto& one) { one.off_purpose = true; }) == all + "2026-11-21, not meant for e-mail");
    CHECK(with([](auto& one) { one.strength = Strength::weak; }) == all + "2026-11-21, weak");
    Layer weak = encrypted(true);
    weak.weak_cipher = "des-ede3-cbc";
    CHECK_THAT(sentence(Result::valid, {weak, signed_by({signer()})}),
               Catch::StartsWith("Encrypted with the weak cipher des-ede3-cbc, and signed by Alice Example"));
    CHECK_THAT(sentence(Result::decrypted, {weak}),
               Catch::StartsWith("Encrypted with the weak cipher des-ede3-cbc, but not signed"));
    CHECK(with([](auto& one) { one.time_basis = "given"; }) == all + "as of 2026-11-21");
    CHECK(with([](auto& one) { one.time_basis = "timestamp"; }) == all + "as of 2026-11-21, when it was time-stamped");

    const auto since = [](const SignerVerdict& one, const char* reason) {
        return cms::RevokedSince{*one.certificate, kNow, reason};
    };
    CHECK(with([&](auto& one) {
              one.time_basis = "timestamp";
              one.revoked_since = {since(one, "key compromise")};
          }) == all + "as of 2026-11-21, when it was time-stamped; it was revoked since (key compromise)");
    CHECK(with([&](auto& one) {
              one.time_basis = "given";
              one.revocation = Revocation::unknown;
              one.revoked_since = {since(one, ""), since(signer({.name = "CA"}), "superseded")};
          }) == all +
                    "as of 2026-11-21, revocation by then unknown; it was revoked since and the certificate of "
                    "CN=CA,O=Example was revoked since (superseded)");
    SignerVerdict revoked = signer({.name = "Bob", .alternative_name = "email:bob@example.org"});
    revoked.revoked_since = {since(revoked, "")};
    CHECK_THAT(sentence(Result::valid, {signed_by({signer(), revoked})}),
               Catch::EndsWith("; the certificate of Bob <bob@example.org> was revoked since"));

    // One of two that was not checked is enough.
    SignerVerdict unchecked = signer();
    unchecked.revocation = Revocation::not_checked;
    CHECK_THAT(sentence(Result::valid, {signed_by({signer(), unchecked})}), Catch::Contains("revocation not checked"));
}

TEST_CASE("every other verdict starts with what does not hold, then cause and remedy", "[cli]") {
    CHECK(sentence(Result::untrusted, {signed_by({signer()})}, "the certificate has ended", "ask for another") ==
          "Signed in the name of Alice Example <alice@example.gov> and unchanged, but not to be trusted: the "
          "certificate has ended; ask for another");
    CHECK(sentence(Result::invalid, {signed_by({signer()})}, "it was changed", "have it sent again") ==
          "INVALID, do not rely on this mail: it was changed; have it sent again");
    CHECK(sentence(Result::unsigned_, {}) == "Neither signed nor encrypted, nothing tells who sent it");
    CHECK(sentence(Result::decrypted, {encrypted(true)}) == "Encrypted, but not signed: nothing tells who sent it");
    CHECK(sentence(Result::decrypted, {encrypted(false)}) ==
          "Encrypted, but not signed, nor protected against changes: nothing tells who sent it");
    Layer part = signed_by({signer()});
    part.covers_whole = false;
    CHECK(
        sentence(Result::untrusted, {part}, "only a part is signed", "rely on that part") ==
        "Not to be trusted as a whole, though signed in part in the name of Alice Example <alice@example.gov>: only a "
        "part is signed; rely on that part");
    Layer around_part = encrypted(true);
    around_part.covers_whole = false;
    CHECK(sentence(Result::untrusted, {around_part}, "only a part is encrypted") ==
          "Not to be trusted as a whole: only a part is encrypted");
    CHECK(sentence(Result::untrusted, {encrypted(true)}, "it is encrypted with a weak cipher") ==
          "Encrypted, but not to be trusted: it is encrypted with a weak cipher");
}

TEST_CASE("a mail in the form of OpenPGP is named so, and nothing is made of it", "[cli]") {
    Report report;
    report.openpgp = OpenPgp{"1", true, "signed"};
    CHECK(verdict_words(report).sentence() ==
          "Neither signed nor encrypted with S/MIME; it is in the form of signed OpenPGP, which was not looked at: "
          "nothing tells who sent it");
    CHECK(verdict_tone(report) == Tone::plain);
    report.openpgp = OpenPgp{"1.2", false, "encrypted"};
    CHECK_THAT(verdict_words(report).headline, Catch::Contains("part 1.2 is in the form of encrypted OpenPGP"));
    CHECK_THAT(html_page(report, std::nullopt, kNow),
               Catch::Contains("There is no signature and no encryption in the form of S/MIME."));
    report.result = Result::decrypted;
    report.layers = {encrypted(true)};
    CHECK_THAT(verdict_words(report).headline, Catch::Contains("but not signed with S/MIME: nothing tells"));
}

TEST_CASE("a name that could be read as more than a name is quoted", "[cli]") {
    const auto named = [](const std::string& name) {
        return person(signer({.name = name, .alternative_name = "email:mallory@example.org"}), {});
    };
    CHECK(named("O'Hara-Smith Jr.") == "O'Hara-Smith Jr. <mallory@example.org>");
    CHECK(named("Bob <bob@example.org>") == "\"Bob <bob@example.org>\" <mallory@example.org>");
    CHECK(named("Bob, unchanged") == "\"Bob, unchanged\" <mallory@example.org>");
    CHECK(named("Bob and by Carol") == "\"Bob and by Carol\" <mallory@example.org>");
    CHECK(named("\"Bob\"") == "\"\\\"Bob\\\"\" <mallory@example.org>");
    // In full-width and small letters, and with other blanks: U+FF1C, U+FF20, U+FF1E; U+FE6B; U+3000, U+00A0.
    for (const std::string name : {"Bob \xef\xbc\x9c"
                                   "bob\xef\xbc\xa0"
                                   "example.org\xef\xbc\x9e",
                                   "bob\xef\xb9\xab"
                                   "example.org",
                                   "Bob\xe3\x80\x80"
                                   "and\xc2\xa0"
                                   "by Carol"})
        CHECK(named(name) == "\"" + name + "\" <mallory@example.org>");
    for (const std::string name : {"J\xc3\xb6rg M\xc3\xbcller", "\xe7\x94\xb0\xe4\xb8\xad \xe5\xa4\xaa\xe9\x83\x8e"})
        CHECK(named(name) == name + " <mallory@example.org>");
    const SignerVerdict two = signer({.name = "Alice", .alternative_name = "email:a@example.org,email:b@example.org"});
    CHECK(person(two, {}) == "Alice <a@example.org, b@example.org>");
    CHECK(person(two, {"B@example.org"}) == "Alice <b@example.org>");
}

TEST_CASE("the facts of a signer come in one order", "[cli]") {
    SignerVerdict one = signer();
    one.signing_time = kNow;
    one.timestamps.emplace_back();
    std::vector<std::string> labels;
    for (const Fact& fact : signer_facts(one, true))
        labels.push_back(fact.label);
    CHECK(labels == std::vector<std::string>{"certificate", "signature", "chain", "revocation", "sender", "judged at",
                                             "time-stamp", "signed at"});
}

TEST_CASE("names, reasons and warnings of any length are cut where people read them, and whole in the JSON", "[cli]") {
    // Else OpenSSL itself allows no more than 64 letters.
    REQUIRE(ASN1_STRING_TABLE_add(NID_commonName, 1, 10'000, B_ASN1_DIRECTORYSTRING, 0) == 1);
    const std::string name(1'900, 'n'), local(3'000, 'l'), address = local + "@example.org", words(3'000, 'w');
    SignerVerdict one = signer({.name = name, .alternative_name = "email:" + address + ",email:b@example.org"});
    one.chain_reason = words;
    one.integrity_reason = words;
    CHECK(person(one, {address}) == std::string(200, 'n') + "… <" + std::string(200, 'l') + "…>");
    SignerVerdict nobody = signer({.name = name, .alternative_name = "DNS:example.org"});
    CHECK(person(nobody, {}) == std::string(200, 'n') + "…");
    SignerVerdict unknown;
    unknown.identifier = words;
    CHECK(person(unknown, {}).size() < 300);
    // What marks a name off is never cut off.
    CHECK(person(signer({.name = "<" + name, .alternative_name = "DNS:example.org"}), {}) ==
          "\"<" + std::string(199, 'n') + "…\"");

    Report report;
    report.result = Result::untrusted;
    report.reason = words;
    report.hint = words;
    report.subject = words;
    report.layers = {signed_by({one, nobody, unknown})};
    report.layers[0].recipients = {{.identifier = words}};
    report.layers[0].media_type = words;
    report.warnings = {{"kind", words}};
    const auto longest = [](const std::string& text) {
        std::size_t size = 1, most = 1;
        for (std::size_t i = 1; i < text.size(); ++i)
            most = std::max(most, size = text[i] == text[i - 1] ? size + 1 : 1);
        return most;
    };
    CHECK(longest("aaab") == 3);
    for (const std::string& line : layer_lines(report, true)) {
        CAPTURE(line);
        CHECK(line.size() < 700);
    }
    CHECK(longest(verdict_words(report).sentence()) == 600);
    CHECK(longest(html_page(report, std::nullopt, kNow)) == 600);
    CHECK(longest(html_page(report, MailText{}, kNow)) == 600);

    ReportFrame frame{.command = "open", .exit = 3, .result = "untrusted", .input = "-"};
    frame.warnings = report.warnings;
    frame.reason = words;
    frame.hint = words;
    const std::string json = read_report(frame, report);
    CHECK(json.find("CN=" + name) != std::string::npos);
    CHECK(json.find('"' + address + '"') != std::string::npos);
    for (const std::string member : {"\"message\":\"", "\"reason\":\"", "\"hint\":\"", "\"chain_reason\":\""})
        CHECK(json.find(member + words + '"') != std::string::npos);
}

TEST_CASE("a seal is not good where a mail is valid only because options accept what is off", "[cli]") {
    const auto seal = [](const Report& report) {
        const std::string page = html_page(report, std::nullopt, kNow), label = "aria-label=\"Signed: ";
        const std::size_t at = page.find(label) + label.size();
        CHECK(page.find(fmt::format("<div class=\"verdict {}\">",
                                    verdict_tone(report) == Tone::good ? "good" : "caution")) != std::string::npos);
        return page.substr(at, page.find('"', at) - at);
    };
    Report report;
    report.from = {"alice@example.gov"};
    report.result = Result::valid;
    report.layers = {signed_by({signer()})};
    CHECK(seal(report) == "good");
    CHECK(verdict_tone(report) == Tone::good);

    Report warned = report;
    warned.warnings = {{"sender", "no signer's certificate is for the sender eve@example.org"}};
    CHECK(seal(warned) == "with reservations");
    CHECK(verdict_tone(warned) == Tone::caution);
    warned.warnings = {{"reply-to", "answers go to eve@example.org"}};
    CHECK(seal(warned) == "good");
    for (const char* kind : {"policy", "purpose"}) {
        warned.warnings = {{kind, "it is not as it should be"}};
        CHECK(seal(warned) == "with reservations");
    }
    Report unchecked = report;
    unchecked.layers[0].signers[0].sender = SenderState::not_checked;
    CHECK(seal(unchecked) == "good");
    unchecked.from = {"eve@example.org"};
    CHECK(seal(unchecked) == "with reservations");
    unchecked.from.clear();
    CHECK(seal(unchecked) == "good");
    Report weak = report;
    weak.layers[0].signers[0].strength = Strength::weak;
    CHECK(seal(weak) == "with reservations");
    CHECK(verdict_tone(weak) == Tone::caution);
    Report backdated = report;
    SignerVerdict& by = backdated.layers[0].signers[0];
    by.time_basis = "given";
    by.revoked_since = {{*by.certificate, kNow, "superseded", true}};
    CHECK(seal(backdated) == "good");
    by.revoked_since = {{*by.certificate, kNow, "key compromise"}};
    CHECK(seal(backdated) == "with reservations");
    CHECK(verdict_tone(backdated) == Tone::caution);
    by.time_basis = "timestamp";
    CHECK(seal(backdated) == "good");
    Report later = report;
    later.layers[0].signers[0].claims_later = true;
    CHECK(seal(later) == "with reservations");
    CHECK(verdict_tone(later) == Tone::caution);
    Report around = report;
    around.layers.insert(around.layers.begin(), encrypted(true));
    CHECK(verdict_tone(around) == Tone::good);
    around.layers[0].weak_cipher = "des-ede3-cbc";
    CHECK(verdict_tone(around) == Tone::caution);
}

TEST_CASE("the picture of a chain marks the certificate that is the cause, and an anchor as trusted", "[cli]") {
    const test::SoftwareKey root = test::certify(test::authority_spec("Root")),
                            issuer = test::certify(test::authority_spec("Issuer"), &root);
    const cms::Certificate alice = test::certify({.name = "Alice"}, &issuer).certificate;
    const auto boxes = [&](const SignerVerdict& verdict) {
        Report report;
        report.result = Result::untrusted;
        report.layers = {signed_by({verdict})};
        const std::string page = html_page(report, std::nullopt, kNow);
        std::vector<std::string> found;
        for (std::size_t at = 0; (at = page.find("class=\"box ", at)) != std::string::npos; ++at) {
            const std::size_t style = at + 11, role = page.find("class=\"role\">", at) + 13;
            found.push_back(page.substr(style, page.find('"', style) - style) + " " +
                            page.substr(role, page.find('<', role) - role));
        }
        return found;
    };
    using Boxes = std::vector<std::string>;
    SignerVerdict verdict = signer();
    verdict.chain_certs = {alice, issuer.certificate, root.certificate};
    verdict.chain_anchored = true;
    CHECK(boxes(verdict) == Boxes{"good Signer", "good Authority", "good Root, trusted"});
    verdict.chain = ChainState::untrusted;
    verdict.chain_fault = 0;
    CHECK(boxes(verdict) == Boxes{"caution Signer: refused", "plain Authority", "plain Root, trusted"});
    verdict.chain_fault = 1;
    CHECK(boxes(verdict) == Boxes{"plain Signer", "caution Authority: refused", "plain Root, trusted"});

    // An anchor that another has certified.
    verdict.chain_certs = {alice, issuer.certificate};
    verdict.chain_fault = 0;
    CHECK(boxes(verdict) == Boxes{"caution Signer: refused", "plain Authority, trusted"});

    verdict.chain_anchored = false;
    verdict.chain_fault = 1;
    CHECK(boxes(verdict) == Boxes{"plain Signer", "plain Authority", "missing Authority, not at hand"});
    verdict.chain_certs = {alice, issuer.certificate, root.certificate};
    verdict.chain_fault = 2;
    CHECK(boxes(verdict) == Boxes{"plain Signer", "plain Authority", "caution Root, not trusted"});
}
