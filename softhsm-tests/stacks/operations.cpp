#include "softhsm-tests/stacks/operations.h"

#include <catch2/catch.hpp>
#include <regex>

#include "softhsm-tests/support/program.h"
#include "softhsm-tests/support/table.h"

namespace p11mime::test {

namespace {

constexpr const char* kCorrespondent = "bob@example.org";

const Leaf kRsa{.name = "RSA", .email = "rsa@example.gov"};
const Leaf kEc{.name = "EC", .email = "ec@example.gov", .kind = KeyKind::p256};
const Leaf kAlways{.name = "Always", .email = "always@example.gov"};
const std::string kMade = "made@example.gov";

/// Refused is a request that p11mime turned down, as it must: the cell says how.
struct Refused {
    std::string cell;
};

/// refusal makes sure that p11mime named the token and the mechanism that it lacks, and returns that without the hint.
std::string refusal(const Stack& stack, const Outcome& outcome, const std::string& naming = "CKM_") {
    INFO(outcome.err);
    CHECK(outcome.status == 4);
    CHECK(outcome.out.empty());
    std::smatch said;
    REQUIRE(std::regex_search(outcome.err, said, std::regex("p11mime: ([^\n]*?" + naming + "[^\n]*?); [^\n]+\n$")));
    CHECK_THAT(said[1], Catch::Contains("token '" + stack.token() + "'"));
    return said[1];
}

/// need goes on where p11mime did what it was asked to do.
std::string need(const Stack& stack, const Outcome& outcome, const std::string& naming = "CKM_") {
    if (outcome.status != 0) throw Refused{refusal(stack, outcome, naming)};
    return outcome.out;
}

/// owner has a key of a kind on the token. Where it takes none, p11mime has to say so when asked to make one.
const Identity& owner(Stack& stack, const Leaf& leaf) {
    if (leaf.kind != KeyKind::p256 || !stack.traits().no_ec_keys) return stack.employ(leaf);
    const Outcome outcome =
        stack.office.desk.p11mime({"key", "generate", "--type", "p256", "--label", "EC", "--token", stack.token_uri()});
    REQUIRE(outcome.status != 0);
    throw Refused{refusal(stack, outcome)};
}

/// signature_algorithm is the signer's, as openssl names it.
std::string signature_algorithm(const Desk& desk, const std::string& signed_mail) {
    const std::string text = done(desk.run({"openssl", "cms", "-cmsout", "-print"}, signed_mail));
    std::smatch found;
    REQUIRE(std::regex_search(text, found, std::regex("signatureAlgorithm: *\n *algorithm: ([^ ]+)")));
    return found[1];
}

/// signed_mail is a mail that p11mime signed and openssl verified.
std::string signed_mail(const Stack& stack, const std::string& from, const Arguments& options = {}) {
    const Desk& desk = stack.office.desk;
    std::string text = need(stack, desk.p11mime(Arguments{"sign"} + options, mail(from, kCorrespondent)));
    const Outcome verified = desk.run(Arguments{"openssl", "cms", "-verify"} + stack.office.peer_trust(), text);
    INFO(verified.err);
    CHECK(verified.status == 0);
    CHECK(verified.out == kText);
    return text;
}

void list(Stack& stack) {
    owner(stack, kRsa);
    const std::string text = need(stack, stack.office.desk.p11mime({"tokens", "--login", "--pin-source", "env:DESK_PIN",
                                                                    "--token", stack.token_uri()}));
    CHECK_THAT(text, Catch::Contains("token '" + stack.token() + "'") &&
                         Catch::Contains("<rsa@example.gov>, RSA-2048") &&
                         Catch::Contains("key '" + stack.key_label(kRsa) + "': RSA-2048 (sign, decrypt)"));
}

void sign(Stack& stack, const Leaf& leaf, const Arguments& options, const std::string& algorithm) {
    const std::string text = signed_mail(stack, owner(stack, leaf).email, options);
    CHECK(signature_algorithm(stack.office.desk, text) == algorithm);
}

void decrypt(Stack& stack, const Leaf& leaf, const Arguments& options) {
    const Identity& recipient = owner(stack, leaf);
    const Desk& desk = stack.office.desk;
    const std::string encrypted =
        done(desk.run(Arguments{"openssl", "cms", "-encrypt", "-aes-256-cbc", "-binary", "-in",
                                desk.file("entity", kText), "-recip", stack.office.certificate(recipient)} +
                      options));
    const std::string text = need(stack, desk.p11mime({"decrypt"}, encrypted));
    CHECK(with_crlf(text) == kText);
}

void always_authenticate(Stack& stack) {
    if (const std::string& reason = stack.traits().no_always_authenticate; !reason.empty()) throw Refused{reason};
    const Identity& signer = stack.employ_always_authenticate(kAlways);
    CHECK_THAT(
        stack.office.desk.p11mime({"tokens", "--login", "--pin-source", "env:DESK_PIN", "--token", stack.token_uri()})
            .out,
        Catch::Contains("RSA-2048 (sign") && Catch::Contains("asks for the PIN each time"));
    signed_mail(stack, signer.email);
}

/// forget_refused has p11mime forget the PINs that were refused, for which one in 4096 others passes.
void forget_refused(const Stack& stack) {
    done(stack.office.desk.run({program(), "tokens", "--forget"}));
}

void wrong_pin(Stack& stack) {
    stack.office.desk.environment["WRONG_PIN"] = "471147";
    const std::string output = stack.office.desk.path("wrong-pin.eml");
    const Outcome outcome = stack.office.desk.p11mime({"sign", "--pin-source", "env:WRONG_PIN", "-o", output},
                                                      mail(owner(stack, kRsa).email, kCorrespondent));
    INFO(outcome.err);
    CHECK(outcome.status == 4);
    CHECK_THAT(outcome.err,
               Catch::Contains("PIN refused by token '" + stack.token() + "'") && !Catch::Contains("471147"));
    CHECK_FALSE(std::filesystem::exists(output));
    forget_refused(stack);
    signed_mail(stack, kRsa.email);
}

/// request has p11mime ask for a certificate of a key on the token, and openssl check that.
std::string request(const Stack& stack, const std::string& label) {
    const Desk& desk = stack.office.desk;
    const std::string uri = stack.token_uri() + ";object=" + escaped(label) + ";type=private";
    const std::string text = done(desk.p11mime({"key", "csr", "--email", kMade, "--key", uri}));
    done(desk.run({"openssl", "req", "-verify", "-noout"}, text));
    return text;
}

void generate(Stack& stack) {
    const Outcome outcome = stack.office.desk.p11mime(
        {"key", "generate", "--type", "rsa2048", "--label", "made", "--id", "a0", "--token", stack.token_uri()});
    need(stack, outcome, "CK[MR]_");
    stack.office.desk.file("made.req", request(stack, "made"));
}

/// import_certificate puts a certificate beside the key that was made, or beside the RSA key where none could be.
void import_certificate(Stack& stack) {
    const Desk& desk = stack.office.desk;
    const std::string made = desk.path("made.req");
    const std::string text = std::filesystem::exists(made) ? read_file(made) : request(stack, stack.key_label(kRsa));
    const std::string certificate = desk.file("made.pem", stack.office.pki.issue_for_request(text));
    need(stack, desk.p11mime({"key", "import-cert", "--token", stack.token_uri(), certificate}), "CK[MR]_");
    signed_mail(stack, kMade);
}

void change_pin(Stack& stack) {
    Desk& desk = stack.office.desk;
    desk.environment["NEW_PIN"] = "27182818";
    need(stack, desk.p11mime({"key", "change-pin", "--token", stack.token_uri(), "--new-pin-source", "env:NEW_PIN"}),
         "CK[MR]_");
    const Outcome old = desk.p11mime({"sign", "--from", owner(stack, kRsa).email}, mail(kRsa.email, kCorrespondent));
    CHECK(old.status == 4);
    forget_refused(stack);
    desk.environment["DESK_PIN"] = desk.environment["NEW_PIN"];
    signed_mail(stack, kRsa.email);
}

/// unblock gives the token a new PIN with the PUK.
void unblock(Stack& stack) {
    Desk& desk = stack.office.desk;
    desk.environment["PUK"] = stack.puk();
    desk.environment["NEW_PIN"] = "31415926";
    stack.need_puk();
    need(stack,
         desk.p11mime({"key", "unblock", "--token", stack.token_uri(), "--puk-source", "env:PUK", "--new-pin-source",
                       "env:NEW_PIN"}),
         "(?:CK[MR]_|does not unblock)");
    const Outcome old = desk.p11mime({"sign", "--from", owner(stack, kRsa).email}, mail(kRsa.email, kCorrespondent));
    CHECK(old.status == 4);
    forget_refused(stack);
    desk.environment["DESK_PIN"] = desk.environment["NEW_PIN"];
    signed_mail(stack, kRsa.email);
}

void remove(Stack& stack) {
    if (const std::string& reason = stack.traits().no_removal; !reason.empty()) throw Refused{reason};
    const std::string output = stack.office.desk.path("removed.eml");
    const std::string text = mail(owner(stack, kRsa).email, kCorrespondent);
    stack.remove();
    const Outcome outcome = stack.office.desk.p11mime({"sign", "-o", output}, text);
    INFO(outcome.err);
    CHECK(outcome.status == 4);
    CHECK_THAT(outcome.err, Catch::Contains("; "));  // a hint
    CHECK_FALSE(std::filesystem::exists(output));
}

const Arguments kOaep{"-keyopt", "rsa_padding_mode:oaep"};
const Arguments kOaepSha256{"-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"};

}  // namespace

const std::vector<Operation>& operations() {
    static const std::vector<Operation> all{
        {"list", list},
        {"sign RSA PKCS#1 v1.5", [](Stack& stack) { sign(stack, kRsa, {}, "rsaEncryption"); }},
        {"sign RSA PSS", [](Stack& stack) { sign(stack, kRsa, {"--pss"}, "rsassaPss"); }},
        {"sign ECDSA", [](Stack& stack) { sign(stack, kEc, {}, "ecdsa-with-SHA256"); }},
        {"decrypt RSA PKCS#1 v1.5", [](Stack& stack) { decrypt(stack, kRsa, {}); }},
        {"decrypt RSA OAEP SHA-1", [](Stack& stack) { decrypt(stack, kRsa, kOaep); }},
        {"decrypt RSA OAEP SHA-256", [](Stack& stack) { decrypt(stack, kRsa, kOaepSha256); }},
        {"decrypt ECDH", [](Stack& stack) { decrypt(stack, kEc, {}); }},
        {"always-authenticate", always_authenticate},
        {"wrong PIN", wrong_pin},
        {"key generate", generate},
        {"key import-cert", import_certificate},
        {"key change-pin", change_pin},
        {"key unblock", unblock},
        {"removal", remove},
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
