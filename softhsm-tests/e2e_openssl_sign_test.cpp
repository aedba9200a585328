// Signatures, both ways between the program (keys on SoftHSM) and openssl cms (keys in files).

#include <catch2/catch.hpp>

#include "softhsm-tests/support/office.h"

using namespace p11mime::test;

namespace {

struct SignWay {
    KeyKind kind;
    const char* name;
    const char* digest;                     // natural for the key, as openssl names it
    const char* micalg;                     // RFC 8551 section 3.5.3.2
    std::vector<std::string> ours, theirs;  // options for p11mime and for openssl
    const char* signature;                  // as `openssl cms -cmsout -print` names the algorithm
};

const std::vector<SignWay>& sign_ways() {
    static const std::vector<SignWay> all{
        {KeyKind::rsa2048, "rsa", "sha256", "sha-256", {}, {}, "rsaEncryption"},
        {KeyKind::rsa2048, "pss", "sha256", "sha-256", {"--pss"}, {"-keyopt", "rsa_padding_mode:pss"}, "rsassaPss"},
        {KeyKind::rsa2048, "rsa512", "sha512", "sha-512", {"--digest", "sha512"}, {}, "rsaEncryption"},
        {KeyKind::p256, "p256", "sha256", "sha-256", {}, {}, "ecdsa-with-SHA256"},
        {KeyKind::p384, "p384", "sha384", "sha-384", {}, {}, "ecdsa-with-SHA384"},
        {KeyKind::p521, "p521", "sha512", "sha-512", {}, {}, "ecdsa-with-SHA512"},
    };
    return all;
}

Leaf leaf(const SignWay& way) {
    return {.name = way.name, .email = std::string(way.name) + "@example.gov", .kind = way.kind};
}

}  // namespace

TEST_CASE("openssl verifies what p11mime signs with RSA, PSS and ECDSA keys, clear and opaque", "[e2e]") {
    Office office;
    for (const SignWay& way : sign_ways()) {
        const Identity signer = office.employ(leaf(way));
        const std::string text = mail(signer.email, "bob@example.org");
        for (const bool opaque : {false, true}) {
            INFO(way.name << (opaque ? " opaque" : " clear"));
            const Outcome outcome = office.desk.p11mime(
                Arguments{"sign"} + way.ours + (opaque ? Arguments{"--opaque"} : Arguments{}), text);
            INFO(outcome.err);
            REQUIRE(outcome.status == 0);
            CHECK(field(outcome.out, "From") == signer.email);
            CHECK(field(outcome.out, "X-Folded") == "one two");
            const std::string type = field(outcome.out, "Content-Type");
            if (opaque) {
                CHECK_THAT(type, Catch::Contains("application/pkcs7-mime") &&
                                     Catch::Contains("smime-type=signed-data") && Catch::Contains("smime.p7m"));
            } else {
                CHECK_THAT(type, Catch::Contains("multipart/signed") &&
                                     Catch::Contains(std::string("micalg=") + way.micalg) &&
                                     Catch::Contains("protocol=\"application/pkcs7-signature\""));
                CHECK_THAT(outcome.out, Catch::Contains(std::string(kText)));
            }
            const std::string signed_mail = office.desk.file("signed.eml", outcome.out);
            const Outcome verified =
                office.desk.run(Arguments{"openssl", "cms", "-verify", "-in", signed_mail} + office.peer_trust());
            INFO(verified.err);
            CHECK(verified.status == 0);
            CHECK(verified.out == kText);
            CHECK_THAT(done(office.desk.run({"openssl", "cms", "-cmsout", "-print", "-noout", "-in", signed_mail})),
                       Catch::Contains(way.signature) && Catch::Contains(way.digest));
        }
    }
}

TEST_CASE("p11mime verifies what openssl signs with RSA, PSS and ECDSA keys, clear and opaque", "[e2e]") {
    Office office;
    const std::string entity = office.desk.file("entity", with_lf(kText));
    for (const SignWay& way : sign_ways()) {
        const Identity signer = office.correspond(leaf(way));
        for (const Arguments& form : {Arguments{}, Arguments{"-nodetach"}, Arguments{"-nodetach", "-stream"}}) {
            INFO(way.name << " " << form.size());
            if (form.size() == 2 && !way.theirs.empty()) continue;  // openssl 3.0 cannot stream a PSS signature
            const std::string signed_mail = done(
                office.desk.run(Arguments{"openssl", "cms", "-sign", "-in", entity, "-signer",
                                          office.certificate(signer), "-inkey", office.key(signer), "-md", way.digest,
                                          "-from", signer.email, "-to", "bob@example.org", "-subject", "From a peer"} +
                                way.theirs + form));
            const Outcome verified = office.desk.p11mime(Arguments{"verify"} + office.trust(), signed_mail);
            INFO(verified.err);
            CHECK(verified.status == 0);
            CHECK(field(verified.out, "Subject") == "From a peer");
            CHECK(entity_of(verified.out) == with_lf(kText));
            const Outcome broken = office.desk.p11mime(
                Arguments{"verify"} + office.trust(),
                form.empty() ? replaced(signed_mail, "second", "Second") : replaced(signed_mail, "\n\nM", "\n\nN"));
            CHECK(broken.status != 0);
            CHECK(broken.out.empty());
        }
    }
}

TEST_CASE("bare CMS goes between p11mime and openssl in DER and PEM, attached and detached", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string content = office.desk.file("entity", kText);
    for (const std::string form : {"der", "pem"}) {
        const std::string inform = form == "der" ? "DER" : "PEM";
        for (const bool detached : {false, true}) {
            INFO(form << detached);
            const Outcome ours =
                office.desk.p11mime(Arguments{"sign", "--entity", "--from", alice.email, "--form", form} +
                                    (detached ? Arguments{"--detached"} : Arguments{}) + Arguments{content});
            INFO(ours.err);
            REQUIRE(ours.status == 0);
            const std::string file = office.desk.file("ours", ours.out);
            const Outcome verified =
                office.desk.run(Arguments{"openssl", "cms", "-verify", "-binary", "-inform", inform, "-in", file} +
                                office.peer_trust() + (detached ? Arguments{"-content", content} : Arguments{}));
            INFO(verified.err);
            CHECK(verified.status == 0);
            CHECK(verified.out == kText);

            const std::string theirs = office.desk.path("theirs");
            done(office.desk.run(Arguments{"openssl", "cms", "-sign", "-binary", "-in", content, "-signer",
                                           office.certificate(alice), "-inkey", office.key(alice), "-outform", inform,
                                           "-out", theirs} +
                                 (detached ? Arguments{} : Arguments{"-nodetach"})));
            const Outcome read =
                office.desk.p11mime(Arguments{"verify"} + office.trust() +
                                    (detached ? Arguments{"--content", content} : Arguments{}) + Arguments{theirs});
            INFO(read.err);
            CHECK(read.status == 0);
            if (!detached) CHECK(read.out == kText);
            if (detached) {
                const std::string other = office.desk.file("other", replaced(std::string(kText), "second", "third"));
                CHECK(office.desk.p11mime(Arguments{"verify"} + office.trust() + Arguments{"--content", other, theirs})
                          .status == 1);
            }
        }
    }
}

TEST_CASE("two signers of one mail are both judged", "[e2e]") {
    Office office;
    const Identity alice = office.correspond({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const Identity carol = office.correspond({.name = "Carol", .email = "carol@example.gov", .kind = KeyKind::rsa2048});
    const std::string entity = office.desk.file("entity", kText);
    const std::string both = done(office.desk.run(
        {"openssl", "cms", "-sign", "-in", entity, "-signer", office.certificate(alice), "-inkey", office.key(alice),
         "-signer", office.certificate(carol), "-inkey", office.key(carol), "-from", alice.email}));
    const Outcome valid = office.desk.p11mime(Arguments{"verify"} + office.trust(), both);
    INFO(valid.err);
    CHECK(valid.status == 0);
    CHECK_THAT(valid.err, Catch::Contains("Alice") && Catch::Contains("Carol"));

    // Carol's certificate is out of date: the mail as a whole is not to be trusted.
    const Identity late = office.correspond({.name = "Late",
                                             .email = "late@example.gov",
                                             .kind = KeyKind::p256,
                                             .begins_in_days = -20,
                                             .ends_in_days = -10});
    const std::string one_late = done(office.desk.run(
        {"openssl", "cms", "-sign", "-in", entity, "-signer", office.certificate(alice), "-inkey", office.key(alice),
         "-signer", office.certificate(late), "-inkey", office.key(late), "-from", alice.email}));
    CHECK(office.desk.p11mime(Arguments{"verify"} + office.trust(), one_late).status == 3);
}
