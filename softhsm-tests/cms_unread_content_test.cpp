// Signed content that cannot be read: the signature is judged on the bytes all the same.

#include <catch2/catch.hpp>

#include "cms/smime/read.h"
#include "mime/codec.h"
#include "mime/multipart.h"
#include "mime/transport.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/cms_structures.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

const std::string kFromAlice = "From: alice@example.gov\r\nMIME-Version: 1.0\r\n";
const std::string kTitled = "Title: abc\r\nplain text and no header\r\n";

/// UnreadWorld is one signer and what reads their mail.
struct UnreadWorld {
    CmsBench bench;
    SoftwareKey alice = bench.issue();

    std::string signature(std::string_view content, bool opaque, std::string_view type = oid::kData) const {
        const std::vector<Bytes> attributes{craft::content_type(type), craft::message_digest(content)};
        return craft::signed_data({opaque ? std::optional(content) : std::nullopt,
                                   {craft::signer_info(alice, attributes, content)},
                                   {alice.certificate},
                                   type});
    }
    std::string clear_signed(const std::string& entity, const std::string& boundary = "o") const {
        return kFromAlice +
               "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=" +
               boundary + "\r\n\r\n--" + boundary + "\r\n" + entity + "\r\n--" + boundary +
               "\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
               mime::base64_text(bytes_of(signature(entity, false))) + "\r\n--" + boundary + "--\r\n";
    }
    std::string opaque(const std::string& entity) const { return as_mail(signature(entity, true)); }
    ReadMail read(const std::string& mail) const { return bench.verify(mail); }
};

std::string in_mixed(const std::string& part) {
    return "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/plain\r\n\r\nsee "
           "below\r\n--m\r\n" +
           part + "\r\n--m--\r\n";
}

std::string as_attachment(const std::string& mail) {
    return "Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n" + mail;
}

std::string enclosed_cms(const std::string& base64) {
    return "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64;
}

std::vector<std::string> unread(const Report& report) {
    std::vector<std::string> messages;
    for (const Warning& warning : report.warnings)
        if (warning.kind == "unreadable-part") messages.push_back(warning.message);
    return messages;
}

void check_changed(const ReadMail& read) {
    INFO(read.report.reason);
    CHECK(read.report.exit_status() == 1);
    CHECK_THAT(read.report.reason, Catch::Contains("the content was changed"));
}

// break_end changes the tag, or the block before the last so that the padding is longer than a block.
void break_end(std::string& encrypted, std::string_view cipher) {
    char& last = encrypted[encrypted.size() - (cipher == "-aes-256-cbc" ? 17 : 1)];
    last = static_cast<char>(last ^ 0x80);
}

}  // namespace

TEST_CASE("a part of signed content that cannot be read is a warning, and the signature holds") {
    const UnreadWorld world;
    const std::string truncated = world.clear_signed("Content-Type: text/plain\r\n\r\nHello", "inner");
    for (const std::string& part :
         {as_attachment("From alice Sat Nov 28 22:16:21 2026\r\nSubject: x\r\n\r\nbody"),
          as_attachment("Subject: x\r\nno field\r\n\r\nbody"), as_attachment("Subject: x\r\n\xe4hnlich: x\r\n\r\nbody"),
          as_attachment(std::string("Subject: x\r\nX-A: \0\r\n\r\nbody", 25)),
          as_attachment(truncated.substr(0, truncated.size() - 100)),
          enclosed_cms(mime::base64_text(bytes_of(world.signature("x", false)))),
          std::string("Note: a colon first\r\nbut no header")}) {
        CAPTURE(part);
        const std::string entity = in_mixed(part);
        for (const std::string& mail : {world.clear_signed(entity), world.opaque(entity)}) {
            const ReadMail read = world.read(mail);
            CHECK(read.report.result == Result::valid);
            CHECK(read.report.layers.size() == 1);
            REQUIRE(unread(read.report).size() == 1);
            CHECK_THAT(unread(read.report)[0], Catch::StartsWith("part 1.1.2"));
            CHECK_THAT(read.content, Catch::EndsWith(entity));
        }
        check_changed(world.read(replaced(world.clear_signed(entity), "see below", "see above")));
        CHECK(caught([&] { world.read(kFromAlice + entity); }).kind() == ErrorKind::malformed);
    }
}

TEST_CASE("a part of signed content that is not looked into is a warning") {
    const UnreadWorld world;
    const std::string text = "Content-Type: text/plain\r\n\r\nHello\r\n", inner = world.clear_signed(text, "inner");
    const auto base64 = [](const std::string& type, const std::string& body) {
        return "Content-Type: " + type + "\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
               mime::base64_text(bytes_of(body)) + "\r\n";
    };
    const auto multipart = [&](const std::string& boundary) {
        return "Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\r\n\r\n--" + boundary + "\r\n" +
               entity_of(inner) + "\r\n--" + boundary + "--\r\n";
    };
    const std::string most(mime::kMaxBoundaryLength, 'b');
    for (const std::string& part : {multipart(most), as_attachment(inner), "Content-Type: message/news\r\n\r\n" + inner,
                                    "Content-Type: message/global\r\n\r\n" + inner, entity_of(inner)}) {
        CAPTURE(part.substr(0, 80));
        const Report report = world.read(world.clear_signed(in_mixed(part))).report;
        CHECK(report.result == Result::valid);
        CHECK(report.layers.size() == 2);
        CHECK(unread(report).empty());
        const std::string changed = replaced(in_mixed(part), "Hello", "Holla");
        CHECK(world.read(world.clear_signed(changed)).report.result == Result::untrusted);
    }
    for (const std::string& part :
         {multipart(most + "b"), std::string("Content-Type: multipart/mixed\r\n\r\nHello\r\n"),
          base64("message/rfc822", inner), base64("message/global", inner), base64("message/news", inner),
          base64("multipart/mixed; boundary=b", "--b\r\n" + entity_of(inner) + "\r\n--b--\r\n"),
          "bad line\r\n" + entity_of(inner), as_attachment("bad line\r\n" + inner),
          "Content-Type: message/partial; number=1; total=2; id=x\r\n\r\n" + inner,
          std::string("Content-Type: message/external-body; access-type=URL; URL=\"http://x.example/\"\r\n\r\n"
                      "Content-Type: text/html\r\n\r\n")}) {
        CAPTURE(part.substr(0, 80));
        const std::string entity = in_mixed(part);
        for (const std::string& mail : {world.clear_signed(entity), world.opaque(entity)}) {
            const Report report = world.read(mail).report;
            CHECK(report.result == Result::valid);
            CHECK(report.layers.size() == 1);
            REQUIRE(unread(report).size() == 1);
            CHECK_THAT(unread(report)[0], Catch::StartsWith("part 1.1.2"));
        }
    }
}

TEST_CASE("no mail is valid whose whole signed content programs read differently, and a reference is a warning") {
    const UnreadWorld world;
    const std::string ceo = "From: ceo@bank.example\r\nContent-Type: text/plain\r\n\r\nPay.\r\n";
    const std::string boundary(mime::kMaxBoundaryLength + 1, 'b');
    for (const std::string& entity : {"Content-Type: multipart/mixed; boundary=" + boundary + "\r\n\r\n--" + boundary +
                                          "\r\n" + ceo + "\r\n--" + boundary + "--\r\n",
                                      "Content-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                                          mime::base64_text(bytes_of(ceo)) + "\r\n",
                                      "Content-Type: message/news\r\n\r\n" + ceo}) {
        CAPTURE(entity.substr(0, 80));
        CHECK(world.read(world.clear_signed(entity)).report.result == Result::untrusted);
        CHECK(world.read(world.opaque(entity)).report.result == Result::untrusted);
    }
    for (const std::string& entity :
         {"Content-Type: message/partial; number=1; total=1; id=x\r\n\r\n" + ceo,
          std::string("Content-Type: message/external-body; access-type=URL; URL=\"http://x.example/\"\r\n\r\n"
                      "Content-Type: text/html\r\n\r\n")}) {
        const Report report = world.read(world.clear_signed(entity)).report;
        CHECK(report.result == Result::valid);
        REQUIRE(unread(report).size() == 1);
        CHECK_THAT(unread(report)[0], Catch::StartsWith("part 1.1 cannot be read: it "));
    }
    const std::string news = world.clear_signed("Content-Type: message/news\r\n\r\n" + kFromAlice + "\r\nHello\r\n");
    CHECK(world.read(news).report.result == Result::valid);
    CHECK(unread(world.read(news).report).empty());
}

TEST_CASE("an encrypted mail with a part that cannot be read is opened, with a warning") {
    const UnreadWorld world;
    const SoftwareKey bob = world.bench.bob(KeyKind::rsa2048);
    const std::string part = "Content-Type: text/plain\r\n\r\nHello\r\n";
    for (const std::string& broken :
         {as_attachment("From alice Sat Nov 28 22:16:21 2026\r\nSubject: x\r\n\r\nbody"),
          as_attachment("Subject: x\r\nno field\r\n\r\nbody"), enclosed_cms("QUJDREVG"),
          std::string("Note: a colon first\r\nbut no header"), world.clear_signed(part).substr(0, 200)}) {
        CAPTURE(broken);
        const std::string entity = in_mixed(broken);
        for (const char* cipher : {"-aes-256-cbc", "-aes-256-gcm"}) {
            const auto encrypted = [&](const char* form) {
                return world.bench.openssl({"cms", "-encrypt", "-binary", "-outform", form, cipher, "-in",
                                            world.bench.file(entity), "-recip", world.bench.certificate_file(bob)});
            };
            const ReadMail read = world.bench.open("From: alice@example.gov\r\n" + encrypted("SMIME"), {bob});
            CHECK(read.report.result == Result::decrypted);
            CHECK(unread(read.report).size() == 1);
            CHECK_THAT(with_crlf(read.content), Catch::EndsWith(entity));
            std::string changed = encrypted("DER");
            break_end(changed, cipher);
            const Error error = caught([&] { world.bench.open(changed, {bob}); });
            CHECK(error.kind() == ErrorKind::failed);
            CHECK_THAT(error.what(), Catch::Contains("the content does not decrypt"));
        }
        const ReadMail beside =
            world.read(kFromAlice + in_mixed(broken + "\r\n--m\r\n" + entity_of(world.clear_signed(part))));
        CHECK(beside.report.result == Result::untrusted);
        CHECK_THAT(beside.report.reason, Catch::StartsWith("only a part of the mail"));
        CHECK(unread(beside.report).size() == 1);
        CHECK_THAT(caught([&] { world.read(kFromAlice + entity); }).what(), Catch::Contains("is not signed"));
    }
}

TEST_CASE("encrypted text that starts like a header is opened as text") {
    const UnreadWorld world;
    const SoftwareKey bob = world.bench.bob(KeyKind::rsa2048);
    for (const char* cipher : {"-aes-256-cbc", "-aes-256-gcm"}) {
        const auto encrypted = [&](const char* form) {
            return world.bench.openssl(
                {"cms", "-encrypt", "-binary", "-outform", form, cipher, "-recip", world.bench.certificate_file(bob)},
                kTitled);
        };
        const ReadMail file = world.bench.open(encrypted("DER"), {bob});
        CHECK(file.report.result == Result::decrypted);
        CHECK(file.content == kTitled);
        CHECK(unread(file.report).empty());

        const ReadMail mail = world.bench.open("From: alice@example.gov\r\n" + encrypted("SMIME"), {bob});
        CHECK(mail.report.result == Result::decrypted);
        CHECK(with_crlf(mail.content).ends_with("\r\n\r\n" + kTitled));
        CHECK(unread(mail.report).size() == 1);
        std::string changed = encrypted("DER");
        break_end(changed, cipher);
        CHECK(caught([&] { world.bench.open(changed, {bob}); }).kind() == ErrorKind::failed);
    }
}

TEST_CASE("an attached signature over what starts like a header is judged on its bytes") {
    const UnreadWorld world;
    const std::string entity = in_mixed(enclosed_cms(mime::base64_text(bytes_of(world.signature(kTitled, true)))));
    const ReadMail read = world.read(world.clear_signed(entity));
    CHECK(read.report.result == Result::valid);
    REQUIRE(read.report.layers.size() == 2);
    CHECK(read.report.layers[1].signers.at(0).integrity == Integrity::valid);
}

TEST_CASE("changed content that cannot be read any more fails as changed") {
    const UnreadWorld world;
    const std::string inner = enclosed_cms(mime::base64_text(bytes_of(world.signature("x", true))));
    const std::string entity = "X-A: b\r\n" + in_mixed(inner);
    for (const auto& [from, to] : {std::pair<std::string, std::string>{"X-A: b", "X-A  b"},
                                   {"X-A: b", std::string("X-A: \0", 6)},
                                   {"base64\r\n\r\nMII", "base64\r\n\r\nM-I"}}) {
        CAPTURE(to);
        for (const std::string& mail : {world.clear_signed(entity), world.signature(entity, true)}) {
            CHECK(world.read(mail).report.exit_status() != 1);
            check_changed(world.read(replaced(mail, from, to)));
        }
    }
    const std::string whole = world.clear_signed(inner);
    check_changed(world.read(replaced(whole, "base64\r\n\r\nMII", "base64\r\n\r\nM-I")));
}

TEST_CASE("signed text that starts like a header is text") {
    const UnreadWorld world;
    const auto sign = [&](const char* form) {
        return world.bench.openssl(Arguments{"cms", "-sign", "-binary", "-nodetach", "-outform", form, "-certfile",
                                             world.bench.certificate_file(world.bench.intermediate)} +
                                       world.bench.signer_options(world.alice),
                                   kTitled);
    };
    for (const char* form : {"DER", "PEM"}) {
        const ReadMail read = world.read(sign(form));
        CHECK(read.report.result == Result::valid);
        CHECK(read.content == kTitled);
        CHECK(unread(read.report).empty());
    }
    const ReadMail read = world.read("From: alice@example.gov\r\n" + sign("SMIME"));
    CHECK(read.report.result == Result::valid);
    CHECK_THAT(with_crlf(read.content), Catch::EndsWith("\r\n\r\n" + kTitled));
    CHECK(unread(read.report) ==
          std::vector<std::string>{"part 1.1 cannot be read: line 2 of the header is no header field"});

    ReadOptions options;
    options.detached_content = std::make_shared<TextInput>(kTitled + "changed");
    check_changed(world.bench.verify(world.signature(kTitled, false), options));
}

TEST_CASE("no mail is valid whose whole signed content cannot be read, and none is lost") {
    const UnreadWorld world;
    const Bytes broken = craft::compressed_data(bytes_of("no zlib"));
    const std::string garbage = enclosed_cms("QUJDREVG\r\n");
    for (const std::string& mail :
         {world.clear_signed(garbage), world.opaque(garbage), world.signature(garbage, true),
          world.opaque(
              enclosed_cms(mime::base64_text(bytes_of(craft::content_info(oid::kCompressedData, broken))) + "\r\n"))}) {
        const ReadMail read = world.read(mail);
        CHECK(read.report.result == Result::untrusted);
        CHECK_THAT(read.report.reason, Catch::StartsWith("what is signed cannot be read: malformed CMS"));
        CHECK(read.report.layers.size() == 1);
        CHECK_THAT(read.content, Catch::Contains("Content-Type: application/pkcs7-mime"));
    }
    const ReadMail structure = world.read(world.signature(text_of(broken), true, oid::kSignedData));
    CHECK(structure.report.result == Result::untrusted);
    CHECK_THAT(structure.content, Catch::Contains(std::string(text_of(broken))));
}

TEST_CASE("no mail is valid whose signed header hides fields behind lines that programs pass over") {
    const UnreadWorld world;
    const std::string nul("X-A: a\0b\r\n", 10),
        type = "Content-Type: multipart/encrypted; boundary=b\r\n", hp = "Content-Type: text/plain; hp=\"clear\"\r\n",
        ceo = "From: ceo@bank.example\r\n", wrapper = "Content-Type: message/rfc822\r\n\r\n",
        text = "\r\nPay 10 to Bob.\r\n";
    std::vector<std::string> entities;
    for (const std::string& line : {std::string("bad line\r\n"), nul, std::string(": a\r\n"),
                                    std::string("X-\xc3\xb6: a\r\n"), std::string("From x Fri Nov 27 2026\r\n")}) {
        for (const std::string& fields : {type, hp + ceo, ceo + "Content-Type: text/plain\r\n"})
            for (const std::string& header : {line + fields, fields + line})
                entities.push_back(header + text);
        entities.push_back(wrapper + line + ceo + text);
        entities.push_back(wrapper + ceo + line + text);
    }
    for (const char* line : {" \r\n", " junk\r\n", "\xef\xbb\xbfX: a\r\n", ">From x Fri Nov 27 2026\r\n"})
        for (const std::string& fields : {type, hp + ceo, ceo})
            entities.push_back(line + fields + text);
    for (const char* field : {"X-A: a\rFrom: ceo@bank.example\r\n", "X-A: a\r\n \r\n"}) {
        entities.push_back(field + ("Content-Type: text/plain\r\n" + text));
        entities.push_back(wrapper + kFromAlice + field + text);
    }
    const std::string far = "junk\r\n" + std::string(mime::kMaxHeaderBytes, 'x') + "\r\n";
    entities.push_back(far + type + text);
    entities.push_back(wrapper + far + ceo + text);
    entities.push_back("X-A: " + std::string(mime::kMaxHeaderBytes, 'x') + "\r\n" + ceo + text);
    for (const std::string& entity : entities) {
        CAPTURE(entity.substr(0, 200));
        for (const std::string& mail : {world.clear_signed(entity), world.opaque(entity)}) {
            const ReadMail read = world.read(mail);
            CHECK(read.report.result == Result::untrusted);
            CHECK_THAT(read.report.reason, Catch::Contains("programs differ in what they take for"));
        }
    }
    for (const std::string& entity :
         {kTitled, hp + kFromAlice + text, "X-A: a\r\n b\r\n" + text, wrapper + kFromAlice + text,
          wrapper + kFromAlice + hp + "\r\n" + ceo, "Pay 10 to Bob.\r\n\r\n" + ceo}) {
        CAPTURE(entity);
        CHECK(world.read(world.clear_signed(entity)).report.result == Result::valid);
        CHECK(world.read(world.opaque(entity)).report.result == Result::valid);
    }
}

TEST_CASE("signed text without an empty line is text of any size") {
    const UnreadWorld world;
    std::string lines, log;
    for (int i = 0; i < 20'000; ++i) {
        lines += std::string(100, 'x') + " and so on.\r\n";
        log += "12:30:45 from here: " + std::string(50, 'x') + "\r\n";
    }
    std::string json = "{\"from\":\"" + std::string(2 * mime::kMaxHeaderBytes, 'x') + "\"}\r\n";
    const auto sign = [&](const std::string& text, const Arguments& options) {
        return world.bench.openssl(
            Arguments{"cms", "-sign", "-binary", "-certfile", world.bench.certificate_file(world.bench.intermediate)} +
                options + world.bench.signer_options(world.alice),
            text);
    };
    for (const std::string& text : {lines, log, json}) {
        CAPTURE(text.substr(0, 50));
        const ReadMail file = world.read(sign(text, {"-nodetach", "-outform", "DER"}));
        CHECK(file.report.result == Result::valid);
        CHECK(file.content == text);
        for (const Arguments& options : {Arguments{"-nodetach"}, Arguments{}}) {
            const ReadMail mail = world.read("From: alice@example.gov\r\n" + sign(text, options));
            CHECK(mail.report.result == Result::valid);
            CHECK(with_crlf(mail.content).ends_with("\r\n\r\n" + text));
            CHECK(unread(mail.report).size() == (text == lines ? 0 : 1));
        }
        check_changed(world.read(replaced(sign(text, {}), "xxxxx", "xxxxy")));
    }
}

TEST_CASE("limits end the reading of signed content too, where it is what was signed") {
    const UnreadWorld world;
    std::string deep = "Content-Type: text/plain\r\n\r\nHello\r\n";
    for (std::size_t i = 0; i <= mime::kMaxNesting; ++i)
        deep = "Content-Type: message/rfc822\r\n\r\n" + deep;
    const std::string long_header = as_attachment("X-A: " + std::string(mime::kMaxHeaderBytes, 'x') + "\r\n\r\n");
    const auto compressed = [](const std::string& entity) {
        const Bytes data = craft::compressed_data(deflated(entity));
        return enclosed_cms(mime::base64_text(bytes_of(craft::content_info(oid::kCompressedData, data))) + "\r\n");
    };
    for (const auto& [entity, limit] :
         {std::pair(in_mixed(deep), "nested more than"),
          {in_mixed(long_header), "longer than the limit"},
          {in_mixed(compressed(deep)), "nested more than"},
          {in_mixed(compressed(long_header)), "longer than the limit"},
          {in_mixed(compressed("X-A: " + std::string(mime::kMaxHeaderBytes, 'x'))), "longer than the limit"}}) {
        for (const std::string& mail : {world.clear_signed(entity), world.signature(entity, true)}) {
            const Error error = caught([&, &text = mail] { world.read(text); });
            CHECK(error.kind() == ErrorKind::malformed);
            CHECK_THAT(error.what(), Catch::Contains(limit));
            CHECK(caught([&, &text = mail] { world.bench.inspect(text); }).kind() == ErrorKind::malformed);
            check_changed(world.read(replaced(mail, "see below", "see above")));
        }
    }
    for (const std::string& mail : {world.clear_signed(compressed(deep)), world.opaque(compressed(deep))})
        CHECK(caught([&, &text = mail] { world.read(text); }).kind() == ErrorKind::malformed);
}

TEST_CASE("signed CMS that was changed fails as changed, whatever cannot be read in it then") {
    const UnreadWorld world;
    const std::string version("\x02\x01\x01\x31", 4), large("\x02\x83\x10\x00", 4);
    const auto structure = [&](const std::string& text) {
        const std::string message = world.signature(text, true);
        const std::size_t content = message.rfind('\x30', message.find(version));
        return message.substr(content);
    };
    const auto sign = [&](const std::string& content) { return world.signature(content, true, oid::kSignedData); };
    const std::string small = structure("x"), message = sign(small);
    CHECK(world.read(message).report.result == Result::valid);
    for (std::size_t i = 0; i < small.size(); ++i)
        for (const char change : {'\x80', '\x0f'}) {
            CAPTURE(i, change);
            std::string changed = small;
            changed[i] = static_cast<char>(changed[i] ^ change);
            CHECK(world.read(replaced(message, small, changed)).report.exit_status() == 1);
        }

    const std::string honest = structure(std::string(2'000'000, 'x')), too_large = replaced(honest, version, large);
    CHECK(world.read(sign(honest)).report.result == Result::valid);
    CHECK(world.read(replaced(sign(honest), honest, too_large)).report.exit_status() == 1);
    const Error error = caught([&] { world.read(sign(too_large)); });
    CHECK(error.kind() == ErrorKind::malformed);
    CHECK_THAT(error.what(), Catch::Contains("limit"));
}

TEST_CASE("an error of what is around is not taken for one of the part in it") {
    const UnreadWorld world;
    const std::string text = in_mixed("Content-Type: text/plain\r\n\r\n" + std::string(3000, 'x'));
    const std::string mail = world.opaque(text);
    CHECK(world.read(mail).report.result == Result::valid);
    std::string broken = mail;
    broken[broken.size() / 2] = '-';
    const Error error = caught([&] { world.read(broken); });
    CHECK(error.kind() == ErrorKind::malformed);
    CHECK_THAT(error.what(), Catch::Contains("base64"));

    Bytes compressed = deflated(text);
    const auto read_compressed = [&] {
        const std::string message = craft::content_info(oid::kCompressedData, craft::compressed_data(compressed));
        return world.read(world.opaque(enclosed_cms(mime::base64_text(bytes_of(message)) + "\r\n"))).report;
    };
    CHECK(read_compressed().result == Result::valid);
    compressed.push_back('x');
    CHECK_THAT(read_compressed().reason,
               Catch::Contains("what is signed cannot be read") && Catch::Contains("data after"));
}

TEST_CASE("what is encrypted inside a signature is opened or not at all") {
    const UnreadWorld world;
    const SoftwareKey bob = world.bench.bob();
    EncryptOptions options;
    options.form = Form::der;
    const std::string cipher = "\x60\x86\x48\x01\x65\x03\x04\x01\x2a", unknown = "\x60\x86\x48\x01\x65\x03\x04\x01\x7f";
    const std::string encrypted =
        world.bench.encrypt({{bob.certificate}}, kFromAlice + "Content-Type: text/plain\r\n\r\nHello\r\n", options);
    REQUIRE(encrypted.find(cipher) != std::string::npos);
    const std::string entity = enclosed_cms(mime::base64_text(bytes_of(replaced(encrypted, cipher, unknown))) + "\r\n");
    const Error error = caught([&] { world.bench.open(world.clear_signed(entity), {bob}); });
    CHECK(error.kind() == ErrorKind::malformed);
    CHECK_THAT(error.what(), Catch::Contains("unsupported algorithm"));
}

TEST_CASE("signed content of another type that has a boundary is not let pass where lines in it delimit parts") {
    const UnreadWorld world;
    const std::string parts =
        "--b\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nMIIB\r\n--b--\r\n";
    const std::string armoured = "--b\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA1vZ\r\n--b--\r\n";
    for (const char* type : {"text/x-foo; boundary=b", "application/x-foo; boundary=\"b\"", "text/plain; Boundary=b",
                             "text/x-foo; boundary*0=b"})
        for (const std::string& body : {parts, armoured}) {
            const std::string entity = "Content-Type: " + std::string(type) + "\r\n\r\n" + body;
            CAPTURE(entity);
            CHECK(world.read(world.clear_signed(entity)).report.result == Result::untrusted);
            CHECK(world.read(world.opaque(entity)).report.result == Result::untrusted);
        }
    const std::string unread_parts = "Content-Type: text/x-foo boundary=b\r\n\r\n" + parts;
    CHECK(world.read(world.opaque(unread_parts)).report.result == Result::untrusted);
    const auto read_with = [&](const std::string& behind) {
        return world.read(world.clear_signed("Content-Type: text/x-foo" + behind + "\r\n\r\n" + parts)).report;
    };
    std::string in_comments, apart;
    for (int i = 0; i < 1000; ++i) {
        in_comments += "\r\n boundary(" + std::string(80, 'x');
        apart += "\r\n boundary(x)";
    }
    CHECK(read_with(in_comments).result == Result::untrusted);
    CHECK(read_with(apart).result == Result::valid);
    CHECK(read_with(apart + "\r\n boundary (x) = b").result == Result::untrusted);
    const Report in_part =
        world.read(world.clear_signed(in_mixed("Content-Type: application/x-foo; boundary=b\r\n\r\n" + parts))).report;
    CHECK(in_part.result == Result::untrusted);
    CHECK(unread(in_part).size() == 1);
    const std::string message = "Hi\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA1vZ\r\n";
    for (const char* boundary : {"", "; boundary=b"}) {
        const std::string part = "Content-Type: application/x-foo" + std::string(boundary) + "\r\n\r\n" + message;
        const Result expected = *boundary == 0 ? Result::valid : Result::untrusted;
        CHECK(world.read(world.clear_signed(in_mixed(part))).report.result == expected);
    }
    for (const char* honest : {"Content-Type: text/plain; boundary=b\r\n\r\nHello\r\n-- \r\nAlice\r\n",
                               "Content-Type: text/plain\r\n\r\n--b\r\nHello\r\n--b--\r\n",
                               "Content-Type: text/plain; boundary=\"\"\r\n\r\n-- \r\nAlice\r\n",
                               "Content-Type: text/plain; name=\"boundary.txt\"\r\n\r\n-- \r\nContent-Type: x\r\n",
                               "Content-Type: text/x-boundary-log\r\n\r\n-- \r\nContent-Type: x\r\n"}) {
        CAPTURE(honest);
        const Report report = world.read(world.clear_signed(honest)).report;
        CHECK(report.result == Result::valid);
        CHECK(report.warnings.empty());
    }
    for (const char* type : {"text/x-foo boundary=b", "text/x-foo; boundary (c) = b", "text/x-foo; Boundary*0*=b"}) {
        CAPTURE(type);
        const std::string entity = "Content-Type: " + std::string(type) + "\r\n\r\n--b\r\nContent-Type: x\r\n\r\n";
        CHECK(world.read(world.clear_signed(entity)).report.result == Result::untrusted);
    }
}

TEST_CASE("a signed mail in a mail is not let pass where its type has a boundary and lines in it delimit parts") {
    const UnreadWorld world;
    const std::string mail =
        "From: c@example.org\r\nSubject: x\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\nHi\r\n--b--\r\n";
    for (const std::string type : {"message/rfc822", "message/global", "message/foo", "message/delivery-status"}) {
        CAPTURE(type);
        const Report spoof =
            world.read(world.clear_signed(in_mixed("Content-Type: " + type + "; boundary=b\r\n\r\n" + mail))).report;
        REQUIRE(unread(spoof).size() == 1);
        CHECK_THAT(unread(spoof).front(), Catch::Contains("a boundary at which programs may take it apart"));
        const Report whole =
            world.read(world.opaque("Content-Type: " + type + "; forwarded=yes; boundary=b\r\n\r\n" + mail)).report;
        CHECK_THAT(whole.reason, Catch::Contains("a boundary at which programs may take it apart"));
        for (const char* odd : {" boundary=b", "; forwarded=yes boundary=b", "; boundary='b'"}) {
            CAPTURE(odd);
            const std::string part = "Content-Type: " + type + odd + "\r\n\r\n";
            const std::string plain = "From: c@example.org\r\nSubject: x\r\n\r\n--b\r\nHi\r\n";
            CHECK(unread(world.read(world.clear_signed(in_mixed(part + mail))).report).size() == 1);
            CHECK(unread(world.read(world.clear_signed(in_mixed(part + plain))).report).empty());
        }
        for (const char* honest : {"", "; boundary=c"}) {
            const std::string part = "Content-Type: " + type + "; forwarded=yes" + honest + "\r\n\r\n" + mail;
            CHECK(unread(world.read(world.clear_signed(in_mixed(part))).report).empty());
            CHECK(world.read(world.clear_signed(part)).report.result == Result::valid);
        }
    }
}

TEST_CASE("a signed mail that wraps all of it is not let pass where lines in it delimit parts") {
    const UnreadWorld world;
    const auto read = [&](const std::string& parameter, const std::string& text = "Hi\r\n") {
        return world
            .read(world.clear_signed("Content-Type: message/rfc822" + parameter + "\r\n\r\n" + kFromAlice +
                                     "Content-Type: text/plain\r\n\r\n--b\r\n" + text))
            .report;
    };
    CHECK(read("").result == Result::valid);
    CHECK(read("; boundary=c").result == Result::valid);
    CHECK_THAT(read("; boundary=b").reason, Catch::Contains("a boundary at which programs may take it apart"));
    for (const char* odd : {"; forwarded=no boundary=b", "; boundary='b'"}) {
        CAPTURE(odd);
        const std::string reason = read(odd, "Content-Type: text/html\r\n\r\nHi\r\n").reason;
        CHECK_THAT(reason, Catch::Contains("a boundary at which programs may take it apart"));
        CHECK(read(odd).result == Result::valid);
    }
}

TEST_CASE("an OpenPGP message beside the parts of signed content is seen") {
    const UnreadWorld world;
    const std::string data = "hQEMA1vZ0kq7CwXpAQf9Hs2Tn4LbYxW8uQd6RmFjK3oVtE5ciPzN0aBgU7yrJ1eM\r\n";
    const std::string begin = "-----BEGIN PGP MESSAGE-----\r\n", end = "-----END PGP MESSAGE-----\r\n";
    const auto entity = [](const std::string& before, const std::string& behind) {
        return "Content-Type: multipart/mixed; boundary=m\r\n\r\n" + before +
               "--m\r\nContent-Type: text/plain\r\n\r\nHello\r\n--m--\r\n" + behind;
    };
    for (const std::string& message :
         {begin + "\r\n" + data + end, "Hi\r\n" + begin + "\r\n" + data, " " + begin + "\r\n " + data + " " + end}) {
        CAPTURE(message);
        for (const std::string& whole : {entity(message, ""), entity("", message)}) {
            const Report report = world.read(world.clear_signed(whole)).report;
            CHECK(report.result == Result::untrusted);
            CHECK_THAT(report.reason, Catch::Contains("encrypted"));
            CHECK(world.read(world.clear_signed(in_mixed(whole))).report.result == Result::untrusted);
        }
    }
    for (const std::string& text : {std::string("This is a multi-part message in MIME format.\r\n"), std::string()}) {
        const Report report = world.read(world.clear_signed(entity(text, text))).report;
        CHECK(report.result == Result::valid);
        CHECK(report.warnings.empty());
    }
}
