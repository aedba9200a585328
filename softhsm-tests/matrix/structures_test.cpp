// The further content types, with Bouncy Castle: what compresses and expands, and authenticated data.

#include "cms/smime/encrypt.h"
#include "cms/smime/read.h"
#include "cms/smime/writers.h"
#include "softhsm-tests/matrix/java_peer.h"
#include "softhsm-tests/support/software_key.h"

using namespace p11mime;
using namespace p11mime::test;
using namespace p11mime::test::matrix;

namespace {

ReadMail open(People& people, const std::string& message) {
    const cms::Trust trust = people.trust();
    const auto job = cms::smime::read_job(&people.tokens(), &trust, {});
    ReadMail read{{}, run(*job, message)};
    read.report = job->report();
    return read;
}

std::string compressed(std::string_view content) {
    cms::smime::CompressionState state;
    BytesSink counted, written;
    for (BytesSink* to : {&counted, &written}) {
        const auto writer = cms::smime::compressed_writer(*to, state, cms::smime::Form::der);
        writer->push(bytes_of(content));
        CHECK(writer->finish() == (to == &written));
    }
    return std::string(text_of(written.bytes));
}

cms::Recipient sharing(const cms::Certificate& certificate) {
    return {certificate, cms::KeyAgreement{.hash = cms::Hash::sha256, .wrap_size = 16, .shared = true}};
}

std::size_t mac_size(const char* name) {
    return cms::hash_size(*cms::algorithm_named(cms::AlgorithmKind::mac, name)->hash);
}

}  // namespace

TEST_CASE("compressed data goes both ways with Bouncy Castle", "[matrix]") {
    People people({});
    JavaPeer java;
    const std::string theirs = people.path("compressed");
    java.add({{"do", "compress"}, {"content", people.content_file()}, {"out", theirs}});
    java.add({{"do", "expand"}, {"in", people.file("ours", compressed(kText))}, {"content", people.content_file()}});
    java.add({{"do", "expand"}, {"in", people.file("other", compressed("other"))}, {"content", people.content_file()}});
    const std::vector<std::string> answers = java.run(people);
    CHECK(answers[0] == "ok");
    CHECK(answers[1] == "ok");
    CHECK(answers[2] != "ok");
    const ReadMail opened = open(people, read_file(theirs));
    CHECK(opened.content == kText);
    CHECK(opened.report.layers.at(0).type == cms::smime::LayerType::compressed);
}

TEST_CASE("the second of several keys in one KeyAgreeRecipientInfo goes both ways with Bouncy Castle", "[matrix]") {
    People people({KeyKind::p256});
    const Person& person = people.with(KeyKind::p256);
    const cms::Certificate first = certify({.name = "First"}).certificate;
    cms::smime::EncryptOptions options;
    options.form = cms::smime::Form::der;
    options.entity = true;
    options.cipher = cms::smime::content_cipher("aes-128-cbc");
    const std::string ours =
        run(*cms::smime::encrypt_job({sharing(first), sharing(person.certificate)}, options), kText);
    const std::string theirs = people.path("theirs");
    const JavaPeer::Values common{{"management", "ecdh"},
                                  {"hash", "sha256"},
                                  {"wrap", "16"},
                                  {"cipher", "aes-128-cbc"},
                                  {"certificate", person.certificate_der},
                                  {"content", people.content_file()}};
    JavaPeer::Values read = common, write = common;
    read.insert(read.end(), {{"do", "decrypt"}, {"in", people.file("ours", ours)}, {"key", person.key_der}});
    write.insert(write.end(),
                 {{"do", "encrypt"}, {"out", theirs}, {"first", people.file("first.crt", text_of(first.der()))}});
    JavaPeer java;
    java.add(read);
    java.add(write);
    CHECK(java.run(people) == std::vector<std::string>{"ok", "ok"});
    for (const std::string& message : {ours, read_file(theirs)}) {
        const ReadMail opened = open(people, message);
        CHECK(opened.content == kText);
        REQUIRE(opened.report.layers.at(0).recipients.size() == 2);
        CHECK_FALSE(opened.report.layers.at(0).recipients[0].used);
        CHECK(opened.report.layers.at(0).recipients[1].used);
    }
}

TEST_CASE("authenticated data of Bouncy Castle opens with keys on a token, unless it was changed", "[matrix]") {
    People people({KeyKind::rsa2048, KeyKind::p256});
    struct Case {
        KeyKind key;
        const char *oid, *name, *bits, *attributes;
        std::string file;
    };
    std::vector<Case> cases;
    JavaPeer java;
    for (const KeyKind key : {KeyKind::rsa2048, KeyKind::p256})
        for (const auto& [oid, name, bits] :
             {std::tuple("1.3.6.1.5.5.8.1.2", "hmac-sha1", ""), std::tuple("1.2.840.113549.2.7", "hmac-sha1", ""),
              std::tuple("1.2.840.113549.2.7", "hmac-sha1", "192"), std::tuple("1.2.840.113549.2.8", "hmac-sha224", ""),
              std::tuple("1.2.840.113549.2.9", "hmac-sha256", ""), std::tuple("1.2.840.113549.2.10", "hmac-sha384", ""),
              std::tuple("1.2.840.113549.2.9", "hmac-sha256", "128"),
              std::tuple("1.2.840.113549.2.9", "hmac-sha256", "1024"),
              std::tuple("1.2.840.113549.2.11", "hmac-sha512", ""),
              std::tuple("2.16.840.1.101.3.4.2.13", "hmac-sha3-224", ""),
              std::tuple("2.16.840.1.101.3.4.2.14", "hmac-sha3-256", ""),
              std::tuple("2.16.840.1.101.3.4.2.15", "hmac-sha3-384", ""),
              std::tuple("2.16.840.1.101.3.4.2.16", "hmac-sha3-512", "")})
            for (const char* attributes : {"", "yes"}) {
                const std::size_t key_bits = *bits != 0 ? std::stoul(bits) : 8 * mac_size(name);
                if (key == KeyKind::p256 && key_bits % 64 != 0) continue;  // no AES key wrap
                cases.push_back({key, oid, name, bits, attributes, people.path(std::to_string(cases.size()))});
                java.add({{"do", "authenticate"},
                          {"management", key == KeyKind::rsa2048 ? "rsa-pkcs1" : "ecdh"},
                          {"hash", "sha256"},
                          {"wrap", "32"},
                          {"certificate", people.with(key).certificate_der},
                          {"content", people.content_file()},
                          {"mac", oid},
                          {"bits", bits},
                          {"attributes", attributes},
                          {"out", cases.back().file}});
            }
    const std::vector<std::string> answers = java.run(people);
    for (std::size_t i = 0; i < cases.size(); ++i) {
        CAPTURE(cases[i].name, cases[i].bits, cases[i].attributes, answers[i]);
        REQUIRE(answers[i] == "ok");
        std::string message = read_file(cases[i].file);
        const ReadMail opened = open(people, message);
        CHECK(opened.content == kText);
        CHECK(opened.report.result == cms::smime::Result::unsigned_);
        CHECK(opened.report.layers.at(0).algorithm == cases[i].name);
        CHECK(opened.report.layers.at(0).authenticated == true);
        message[message.find("charset")] ^= 1;
        CHECK(caught([&] { open(people, message); }).kind() == ErrorKind::failed);
    }
}
