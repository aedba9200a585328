#include "softhsm-tests/stacks/operations.h"

#include <catch2/catch.hpp>
#include <regex>

#include "softhsm-tests/support/table.h"

namespace p11mime::test {

namespace {

constexpr const char* kCorrespondent = "bob@example.org";

const Leaf kRsa{.name = "RSA", .email = "rsa@example.gov"};
const Leaf kEc{.name = "EC", .email = "ec@example.gov", .kind = KeyKind::p256};

/// Refused is a request that p11mime turned down, as it must: the cell says how.
struct Refused {
    std::string cell;
};

/// refusal makes sure that what p11mime said is fit for a person, and leaves out whose key and token it was.
std::string refusal(const Stack& stack, const Outcome& outcome) {
    INFO(outcome.err);
    CHECK(outcome.status == 4);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Catch::Contains("'" + stack.token() + "'"));
    return outcome.err;
}

/// need goes on where p11mime did what it was asked to do.
std::string need(const Stack& stack, const Outcome& outcome) {
    if (outcome.status != 0) throw Refused{refusal(stack, outcome)};
    return outcome.out;
}

/// signature_algorithm is the signer's, as openssl names it.
std::string signature_algorithm(const Desk& desk, const std::string& signed_mail) {
    const std::string text = done(desk.run({"openssl", "cms", "-cmsout", "-print"}, signed_mail));
    std::smatch found;
    REQUIRE(std::regex_search(text, found, std::regex("signatureAlgorithm: *\n *algorithm: ([^ ]+)")));
    return found[1];
}

void sign(Stack& stack, const Leaf& leaf, const Arguments& options, const std::string& algorithm) {
    const Identity& signer = stack.employ(leaf);
    const Desk& desk = stack.office.desk;
    const std::string signed_mail =
        need(stack, desk.p11mime(Arguments{"sign"} + options, mail(signer.email, kCorrespondent)));
    const Outcome verified = desk.run(Arguments{"openssl", "cms", "-verify"} + stack.office.peer_trust(), signed_mail);
    INFO(verified.err);
    CHECK(verified.status == 0);
    CHECK(verified.out == kText);
    CHECK(signature_algorithm(desk, signed_mail) == algorithm);
}

void decrypt(Stack& stack, const Leaf& leaf, const Arguments& options) {
    const Identity& recipient = stack.employ(leaf);
    const Desk& desk = stack.office.desk;
    const std::string encrypted =
        done(desk.run(Arguments{"openssl", "cms", "-encrypt", "-aes-256-cbc", "-binary", "-in",
                                desk.file("entity", kText), "-recip", stack.office.certificate(recipient)} +
                      options));
    CHECK(with_crlf(need(stack, desk.p11mime({"decrypt"}, encrypted))) == kText);
}

void list(Stack& stack) {
    stack.employ(kRsa);
    const Outcome outcome =
        stack.office.desk.p11mime({"tokens", "--login", "--pin-source", "env:DESK_PIN", "--token", stack.token_uri()});
    const std::string text = need(stack, outcome);
    CHECK_THAT(text, Catch::Contains("token '" + stack.token() + "'") &&
                         Catch::Contains("<rsa@example.gov>, RSA-2048") &&
                         Catch::Contains("key 'RSA': RSA-2048 (sign, decrypt)"));
}

}  // namespace

const std::vector<Operation>& operations() {
    static const std::vector<Operation> all{
        {"list", list},
        {"sign RSA PKCS#1 v1.5", [](Stack& stack) { sign(stack, kRsa, {}, "rsaEncryption"); }},
        {"sign RSA PSS", [](Stack& stack) { sign(stack, kRsa, {"--pss"}, "rsassaPss"); }},
        {"sign ECDSA", [](Stack& stack) { sign(stack, kEc, {}, "ecdsa-with-SHA256"); }},
        {"decrypt RSA PKCS#1 v1.5", [](Stack& stack) { decrypt(stack, kRsa, {}); }},
        {"decrypt RSA OAEP SHA-1",
         [](Stack& stack) {
             decrypt(stack, kRsa, {"-keyopt", "rsa_padding_mode:oaep"});
         }},
        {"decrypt RSA OAEP SHA-256",
         [](Stack& stack) {
             decrypt(stack, kRsa, {"-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"});
         }},
        {"decrypt ECDH", [](Stack& stack) { decrypt(stack, kEc, {}); }},
    };
    return all;
}

std::string outcome_of(const Operation& operation, Stack& stack) {
    INFO(operation.name);
    try {
        operation.run(stack);
        return kOk;
    } catch (const Refused& refused) {
        return refused.cell;
    }
}

}  // namespace p11mime::test
