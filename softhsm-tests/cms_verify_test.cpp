#include <catch2/catch.hpp>

#include "cms/smime/read.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

// peer_sign has `openssl cms` sign a text; -binary keeps it as it is.
std::string peer_sign(const CmsBench& bench, const Arguments& options, std::string_view text = kText) {
    return bench.openssl(Arguments{"cms", "-sign", "-binary"} + options, text);
}

Arguments chain_option(const CmsBench& bench) {
    return {"-certfile", bench.certificate_file(bench.intermediate)};
}

}  // namespace

TEST_CASE("what OpenSSL signs verifies in every variant") {
    const CmsBench bench;
    const KeyKind kind = GENERATE(KeyKind::rsa2048, KeyKind::p256, KeyKind::p384, KeyKind::p521);
    CertificateSpec spec;
    spec.kind = kind;
    const SoftwareKey alice = bench.issue(spec);
    const Arguments base = bench.signer_options(alice) + chain_option(bench);
    std::vector<Arguments> variants{{},
                                    {"-nodetach"},
                                    {"-nosmimecap"},
                                    {"-nodetach", "-keyid"},
                                    {"-nodetach", "-noattr"},
                                    {"-noattr"},
                                    {"-nodetach", "-cades"},
                                    {"-stream"},
                                    {"-nodetach", "-stream"},
                                    {"-nodetach", "-noindef"},
                                    {"-crlfeol"},
                                    {"-nodetach", "-crlfeol"},
                                    {"-nodetach", "-md", "sha384"},
                                    {"-md", "sha512"},
                                    {"-nodetach", "-outform", "DER"},
                                    {"-nodetach", "-outform", "DER", "-stream"},
                                    {"-nodetach", "-outform", "PEM"},
                                    {"-nodetach", "-outform", "PEM", "-stream"}};
    if (kind == KeyKind::rsa2048) {
        variants.push_back({"-keyopt", "rsa_padding_mode:pss"});
        variants.push_back({"-nodetach", "-keyopt", "rsa_padding_mode:pss", "-md", "sha512"});
        variants.push_back({"-nodetach", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:20"});
        variants.push_back({"-nodetach", "-noattr", "-keyopt", "rsa_padding_mode:pss"});
    }
    for (const Arguments& variant : variants) {
        CAPTURE(variant);
        const std::string message = peer_sign(bench, base + variant);
        const ReadMail read = bench.verify(message);
        CHECK(read.report.result == Result::valid);
        const bool lf = message.starts_with("MIME-Version: 1.0\n");
        CHECK(read.content == (lf ? with_lf(kText) : kText));
        CHECK(read.signer().integrity == Integrity::valid);
        CHECK(read.signer().chain == ChainState::trusted);
        CHECK(read.signer().strength == Strength::ok);
        CHECK(read.signer().revocation == Revocation::not_checked);
        CHECK(read.report.layers[0].covers_whole);
    }
}

TEST_CASE("a weak digest is told and refused unless weak algorithms are allowed") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    const std::string digest = GENERATE("sha1", "sha224");
    const std::string signed_mail =
        peer_sign(bench, bench.signer_options(alice) + Arguments{"-nodetach", "-md", digest});
    const ReadMail read = bench.verify(signed_mail);
    CHECK(read.report.result == Result::untrusted);
    CHECK(read.report.exit_status() == 3);
    CHECK(read.signer().strength == Strength::weak);
    CHECK(read.signer().digest == digest);
    CHECK(read.signer().integrity == Integrity::valid);
    ReadOptions options;
    options.allow_weak = true;
    CHECK(bench.verify(signed_mail, options).report.result == Result::valid);
}

TEST_CASE("a weak RSA key is told and refused unless weak algorithms are allowed") {
    const CmsBench bench;
    CertificateSpec spec;
    spec.kind = KeyKind::rsa1024;
    const std::string signed_mail = peer_sign(bench, bench.signer_options(bench.issue(spec)));
    Trust trust = bench.trust();
    ReadOptions options;
    CHECK(bench.verify(signed_mail, trust, options).report.result == Result::untrusted);
    CHECK(bench.verify(signed_mail, trust, options).signer().strength == Strength::weak);
    options.allow_weak = true;
    trust.allow_weak = true;
    const ReadMail allowed = bench.verify(signed_mail, trust, options);
    CHECK(allowed.report.result == Result::valid);
    CHECK(allowed.signer().strength == Strength::weak);
}

TEST_CASE("MD5 is never accepted") {
    const CmsBench bench;
    CertificateSpec spec;
    spec.kind = KeyKind::rsa2048;
    const std::string signed_mail =
        peer_sign(bench, bench.signer_options(bench.issue(spec)) + Arguments{"-nodetach", "-md", "md5"});
    Trust trust = bench.trust();
    trust.allow_weak = true;
    ReadOptions options;
    options.allow_weak = true;
    const ReadMail read = bench.verify(signed_mail, trust, options);
    CHECK(read.report.exit_status() == 1);
    CHECK(read.signer().integrity == Integrity::not_checked);
    CHECK(read.signer().integrity_reason == "md5 is refused: it is broken");
}

TEST_CASE("a signature whose certificate is missing cannot be checked") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    const std::string signed_mail = peer_sign(bench, bench.signer_options(alice) + Arguments{"-nocerts"});
    const ReadMail read = bench.verify(signed_mail);
    CHECK(read.report.exit_status() == 1);
    CHECK(read.report.hint.find("--intermediates") != std::string::npos);
    CHECK(read.signer().integrity == Integrity::not_checked);
    CHECK_FALSE(read.signer().certificate);

    // It is looked for among the intermediates too.
    const Trust knows = trust_in({bench.root.certificate}, {bench.intermediate.certificate, alice.certificate});
    CHECK(bench.verify(signed_mail, knows).report.result == Result::valid);
}

TEST_CASE("all of several signers are judged by themselves") {
    const CmsBench bench;
    CertificateSpec rsa;
    rsa.kind = KeyKind::rsa2048;
    const SoftwareKey alice = bench.issue(rsa), carol = bench.issue(), stranger = certify({});
    const auto sign = [&](const SoftwareKey& other) {
        return peer_sign(bench, bench.signer_options(alice) + bench.signer_options(other));
    };
    const ReadMail good = bench.verify(sign(carol));
    CHECK(good.report.result == Result::valid);
    CHECK(good.report.layers.at(0).signers.size() == 2);

    const ReadMail mixed = bench.verify(sign(stranger));
    CHECK(mixed.report.result == Result::untrusted);
    int trusted = 0;
    for (const SignerVerdict& signer : mixed.report.layers.at(0).signers)
        trusted += signer.chain == ChainState::trusted;
    CHECK(trusted == 1);
}

TEST_CASE("a detached signature is checked over its content in any form") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    const std::string form = GENERATE("DER", "PEM");
    const std::string text = GENERATE(as<std::string>{}, std::string(kText), std::string("bare\nlines\n"),
                                      std::string("\x00\x01\xff binary", 10));
    const std::string signature = peer_sign(bench, bench.signer_options(alice) + Arguments{"-outform", form}, text);
    ReadOptions options;
    options.detached_content = std::make_shared<TextInput>(text);
    const ReadMail read = bench.verify(signature, options);
    CHECK(read.report.result == Result::valid);
    CHECK(read.content == text);

    options.detached_content = std::make_shared<TextInput>(text + "!");
    CHECK(bench.verify(signature, options).report.exit_status() == 1);
    options.detached_content = nullptr;
    CHECK(caught([&] { bench.verify(signature, options); }).kind() == ErrorKind::malformed);
}

TEST_CASE("a detached signature over the canonical form or the entity of a mail is found") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    const auto verify = [&](std::string_view signed_content, std::string_view given) {
        ReadOptions options;
        options.detached_content = std::make_shared<TextInput>(std::string(given));
        const Arguments arguments = bench.signer_options(alice) + Arguments{"-outform", "DER"};
        return bench.verify(peer_sign(bench, arguments, signed_content), options).report.result;
    };
    CHECK(verify("two\r\nlines\r\n", "two\nlines\n") == Result::valid);
    CHECK(verify(kText, mail("alice@example.gov", "bob@example.gov")) == Result::valid);
    CHECK(verify(kText, with_lf(mail("alice@example.gov", "bob@example.gov"))) == Result::valid);
    CHECK(verify("two\r\nlines\r\n", "two\nLines\n") == Result::invalid);
}

TEST_CASE("a detached signature over a mail that does not state its type is over it as text") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    const auto verify = [&](const std::string& signature, const std::string& given) {
        ReadOptions options;
        options.detached_content = std::make_shared<TextInput>(given);
        return bench.verify(signature, options);
    };
    const std::string header = "From: alice@example.gov\nTo: bob@example.gov\n", text = "\nBuy 10.\n";
    const std::string typed = "Content-Type: text/plain\r\n\r\nBuy 10.\r\n";
    SignOptions detached;
    detached.form = Form::der;
    detached.detached = true;
    for (const std::string& signature :
         {bench.sign({alice}, header + text, detached),
          peer_sign(bench, bench.signer_options(alice) + Arguments{"-outform", "DER"}, typed)}) {
        const ReadMail read = verify(signature, header + text);
        CHECK(read.report.result == Result::valid);
        CHECK(read.signer().sender == SenderState::match);
        CHECK(read.content == with_lf(typed));
        CHECK(verify(signature, header + "\nBuy 100.\n").report.result == Result::invalid);
        CHECK(verify(signature, header + "Content-Type: text/html\n" + text).report.result == Result::invalid);
        CHECK(verify(signature, "From: eve@example.gov\n" + text).report.result == Result::untrusted);
    }
}

TEST_CASE("the fields beside an entity with a detached signature are those of a mail, and not written") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    const auto verify = [&](std::string_view signed_content, const std::string& given) {
        ReadOptions options;
        options.detached_content = std::make_shared<TextInput>(given);
        return bench.verify(
            peer_sign(bench, bench.signer_options(alice) + Arguments{"-outform", "DER"}, signed_content), options);
    };
    const std::string text = mail("alice@example.gov", "bob@example.gov");
    const ReadMail honest = verify(kText, text);
    CHECK(honest.report.result == Result::valid);
    CHECK(honest.signer().sender == SenderState::match);
    CHECK(honest.content == kText);

    const ReadMail forged = verify(kText, mail("ceo@bank.example", "bob@example.gov"));
    CHECK(forged.report.result == Result::untrusted);
    CHECK_THAT(forged.report.reason, Catch::Contains("ceo@bank.example"));
    CHECK(forged.content == kText);
    CHECK(verify(kText, "From: alice@example.gov\r\n" + text).report.result == Result::untrusted);
    CHECK(verify(kText, replaced(text, "From: ", "From: \"ceo@bank.example\" ")).report.result == Result::untrusted);

    const ReadMail file = verify(text, text);
    CHECK(file.report.result == Result::valid);
    CHECK(file.signer().sender == SenderState::match);
    CHECK(file.report.from == std::vector<std::string>{"alice@example.gov"});
    CHECK(file.content == text);
    const std::string by_other = mail("ceo@bank.example", "bob@example.gov");
    const ReadMail file_of_other = verify(by_other, by_other);
    CHECK(file_of_other.report.result == Result::untrusted);
    CHECK_THAT(file_of_other.report.reason, Catch::Contains("ceo@bank.example"));
    const std::string settings = "name: x\nsize: 1\n  \nmore\n";
    CHECK(verify(settings, settings).report.result == Result::valid);
    const std::string table = "From: \"Size\"\r\n\r\n1\r\n";
    CHECK(verify(table, table).report.result == Result::valid);
}

TEST_CASE("an algorithm that is not supported is named") {
    const CmsBench bench;
    CertificateSpec spec;
    spec.kind = KeyKind::rsa2048;
    const std::string signed_mail =
        peer_sign(bench, bench.signer_options(bench.issue(spec)) + Arguments{"-nodetach", "-md", "ripemd160"});
    const Error error = caught([&] { bench.verify(signed_mail); });
    CHECK(error.kind() == ErrorKind::malformed);
    CHECK(std::string(error.what()).find("unsupported algorithm ripemd160") != std::string::npos);
}

TEST_CASE("inspect reports layers and verifies nothing") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    const ReadMail read = bench.inspect(peer_sign(bench, bench.signer_options(alice)));
    CHECK(read.signer().integrity == Integrity::not_checked);
    CHECK(read.signer().chain == ChainState::not_checked);
    CHECK(read.signer().sender == SenderState::not_checked);
    CHECK(read.signer().digest == "sha256");
    CHECK(*read.signer().certificate == alice.certificate);
}

TEST_CASE("inspect reports a detached signature without its content, and says that it is not there") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue();
    const std::string detached = peer_sign(bench, bench.signer_options(alice) + Arguments{"-outform", "DER"});
    const ReadMail read = bench.inspect(detached);
    CHECK(*read.signer().certificate == alice.certificate);
    CHECK(read.signer().integrity == Integrity::not_checked);
    REQUIRE(read.report.warnings.size() == 1);
    CHECK(read.report.warnings.front().kind == "no-content");
    CHECK(read.report.layers.front().is_detached);
    CHECK_FALSE(read.report.layers.front().covers_whole);
    CHECK(read.report.layers.front().byte_ranges.empty());
    CHECK(caught([&] { bench.verify(detached); }).kind() == ErrorKind::malformed);
}
