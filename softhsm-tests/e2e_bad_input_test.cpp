// Bad input: the documented exit code, a one-line message, no output file, no crash.

#include <catch2/catch.hpp>

#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/program.h"

using namespace p11mime::test;
using namespace std::string_literals;

namespace {

/// refused runs a command with an output file and checks all that a refusal promises; returns the exit code.
int refused(const Office& office, const Arguments& arguments, const std::string& input) {
    const std::string file = office.desk.path("refused.out");
    std::filesystem::remove(file);
    const Outcome outcome = office.desk.p11mime(
        Arguments{arguments.front(), "-o", file} + Arguments(arguments.begin() + 1, arguments.end()), input);
    CAPTURE(arguments, outcome.status, outcome.err);
    CHECK(outcome.status >= 1);
    CHECK(outcome.status <= 7);
    CHECK(outcome.out.empty());
    CHECK_FALSE(std::filesystem::exists(file));
    CHECK_THAT(outcome.err, Catch::StartsWith("p11mime: "));
    CHECK_THAT(outcome.err, !Catch::Contains("Sanitizer"));
    if (!is_sanitized()) CHECK(outcome.peak_kib < 64 * 1024);
    return outcome.status;
}

/// Mails is one mail of each kind, made by openssl.
struct Mails {
    explicit Mails(Office& office)
        : alice(office.correspond({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256})),
          bob(office.employ({.name = "Bob", .email = "bob@example.org"})) {
        const std::string entity = office.desk.file("entity", kText);
        const auto openssl = [&](const Arguments& arguments) {
            return done(office.desk.run(Arguments{"openssl", "cms"} + arguments +
                                        Arguments{"-in", entity, "-from", alice.email, "-to", bob.email}));
        };
        const Arguments sign{"-sign", "-signer", office.certificate(alice), "-inkey", office.key(alice)};
        clear = openssl(sign);
        opaque = openssl(sign + Arguments{"-nodetach"});
        cbc = openssl({"-encrypt", "-aes-256-cbc", "-recip", office.certificate(bob)});
        gcm = openssl({"-encrypt", "-aes-256-gcm", "-recip", office.certificate(bob)});
    }

    struct Kind {
        const char* name;
        const char* command;
        const std::string* mail;
    };
    std::vector<Kind> kinds() const {
        return {{"clear", "verify", &clear}, {"opaque", "verify", &opaque}, {"cbc", "decrypt", &cbc},
                {"gcm", "decrypt", &gcm},    {"clear", "open", &clear},     {"gcm", "open", &gcm}};
    }

    Identity alice, bob;
    std::string clear, opaque, cbc, gcm;
};

Arguments command(const Office& office, const std::string& name) {
    return Arguments{name} + (name == "decrypt" ? Arguments{} : office.trust());
}

std::string der_length(std::size_t length) {
    std::string bytes = "\x84";
    for (int shift = 24; shift >= 0; shift -= 8)
        bytes += static_cast<char>(length >> shift);
    return bytes;
}

std::string base64_mail(const Office& office, const std::string& der) {
    const std::string file = office.desk.file("der", der);
    return mail("alice@example.gov", "bob@example.org",
                "Content-Type: application/pkcs7-mime; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                    done(office.desk.run({"openssl", "base64", "-in", file})));
}

}  // namespace

TEST_CASE("truncated mail is refused wherever it ends", "[e2e]") {
    Office office;
    const Mails mails(office);
    for (const auto& kind : mails.kinds()) {
        const std::size_t begin = kind.mail->find("\n\n") + 2;
        const std::size_t size = kind.mail->size();
        const std::size_t body = size - begin;
        for (const std::size_t end : {begin, begin + body / 8, begin + body / 4, begin + body / 2, begin + body * 3 / 4,
                                      size - 60, size - 30}) {
            INFO(kind.name << " " << kind.command << " cut at " << end << " of " << size);
            const int status = refused(office, command(office, kind.command), kind.mail->substr(0, end));
            CHECK((status == 1 || status == 6));
        }
    }
}

TEST_CASE("a mail with one bit flipped yields its content unchanged or not at all", "[e2e]") {
    Office office;
    const Mails mails(office);
    for (const auto& kind : mails.kinds()) {
        const std::size_t begin = kind.mail->find("\n\n") + 2;
        for (std::size_t i = 0; i < 24; ++i) {
            // Line ends may change into other white space, which means nothing in base64.
            const std::size_t at = kind.mail->find_first_not_of("\r\n", begin + (kind.mail->size() - begin) * i / 24);
            std::string flipped = *kind.mail;
            flipped[at] = static_cast<char>(flipped[at] ^ 0x01);
            INFO(kind.name << " " << kind.command << " bit flipped at " << at);
            const std::string file = office.desk.path("flipped.out");
            std::filesystem::remove(file);
            const Outcome outcome = office.desk.p11mime(command(office, kind.command) + Arguments{"-o", file}, flipped);
            INFO(outcome.err);
            CHECK(outcome.status <= 7);  // a signal would give 128 and more
            CHECK_THAT(outcome.err, !Catch::Contains("Sanitizer"));
            CHECK(outcome.out.empty());
            if (kind.mail == &mails.gcm) CHECK(outcome.status != 0);
            const bool written = std::filesystem::exists(file);
            CHECK(written == (outcome.status == 0 || outcome.status == 3));
            // CBC without a signature cannot tell: that is what its report says.
            if (written && kind.mail != &mails.cbc) CHECK(with_crlf(entity_of(read_file(file))) == kText);
        }
    }
}

TEST_CASE("input that is no S/MIME is refused with exit 6", "[e2e]") {
    Office office;
    office.employ({.name = "Bob", .email = "bob@example.org"});
    const std::string plain = mail("alice@example.gov", "bob@example.org");
    std::string zeros(100'000, '\0');
    std::string noise;
    for (unsigned i = 0, state = 1; i < 50'000; ++i) {
        state = state * 1103515245u + 12345u;
        noise += static_cast<char>(state >> 16);
    }
    for (const std::string name : {"verify", "decrypt"})
        for (const std::string& input :
             {std::string(), plain, zeros, noise, std::string("\n"), std::string("-----BEGIN CMS-----\n"),
              std::string("0\x80"), std::string("0")}) {
            INFO(name << " " << input.substr(0, 20));
            CHECK(refused(office, command(office, name), input) == 6);
        }
    CHECK(refused(office, command(office, "open"), "") == 6);
    const Outcome open = office.desk.p11mime(command(office, "open"), plain);
    CHECK(open.status == 0);
    CHECK(open.out == plain);
}

TEST_CASE("absurd lengths are refused without the memory that they claim", "[e2e]") {
    Office office;
    office.employ({.name = "Bob", .email = "bob@example.org"});
    const std::string enveloped = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03";
    const std::string signed_data = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
    const std::vector<std::pair<std::string, std::string>> inputs{
        {"verify", "0" + der_length(0xffffffff) + signed_data + "\xa0" + der_length(0xfffffff0)},
        {"decrypt",
         "0" + der_length(0xffffffff) + enveloped + "\xa0" + der_length(0xfffffff0) + "0" + der_length(0xffffffe0)},
        {"decrypt", "0" + der_length(0x7fffffff) + enveloped + "\xa0" + der_length(0x7ffffff0) + "0" +
                        der_length(0x7fffffe0) + "\x02\x01\x00"s + "1" + der_length(0x7fffff00) +
                        std::string(4096, 'A')},
        {"decrypt", "0\x88\xff\xff\xff\xff\xff\xff\xff\xff"s + enveloped},
        {"decrypt", "0\xff"s + std::string(200, '\xff')},
    };
    for (const auto& [name, der] : inputs)
        for (const std::string& input : {der, base64_mail(office, der)}) {
            CHECK(refused(office, command(office, name), input) == 6);
        }
}

TEST_CASE("deep nesting is refused, in CMS and in MIME", "[e2e]") {
    Office office;
    office.employ({.name = "Bob", .email = "bob@example.org"});
    std::string deep = "0\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0\x80";
    for (int i = 0; i < 100'000; ++i)
        deep += "0\x80";
    CHECK(refused(office, command(office, "decrypt"), deep) == 6);
    std::string octets =
        "0\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80"
        "0\x80\x02\x01\x01\x31\x00\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80"s;
    for (int i = 0; i < 100'000; ++i)
        octets += "$\x80";
    CHECK(refused(office, command(office, "verify"), octets) == 6);

    std::string multipart;
    for (int i = 0; i < 20'000; ++i)
        multipart += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\r\n\r\n--b" +
                     std::to_string(i) + "\r\n";
    const int status = refused(office, command(office, "verify"), multipart);
    CHECK(status == 6);

    std::string fields = "From: alice@example.gov\r\n";
    for (int i = 0; i < 200'000; ++i)
        fields += "X-Many: field\r\n";
    CHECK(refused(office, command(office, "verify"), fields + "\r\nbody\r\n") == 6);
}

TEST_CASE("a directory, a missing file and an unreadable one are exit 7", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    for (const std::string name : {"sign", "verify", "decrypt", "open"}) {
        const Arguments base = name == "sign" ? Arguments{"sign"} : command(office, name);
        CHECK(refused(office, base + Arguments{office.desk.path("tokens")}, "") == 7);
        CHECK(refused(office, base + Arguments{office.desk.path("absent")}, "") == 7);
    }
    const std::string text = office.desk.file("text.eml", mail(alice.email, "bob@example.org"));
    const Outcome into_directory = office.desk.p11mime({"sign", "-o", office.desk.path("tokens"), text});
    CHECK(into_directory.status == 7);
    CHECK(office.desk.p11mime({"sign", "-o", office.desk.path("absent/out.eml"), text}).status == 7);
}

TEST_CASE("a full disk is exit 7 and leaves no file behind", "[e2e]") {
    Office office;
    const Identity alice = office.employ({.name = "Alice", .email = "alice@example.gov", .kind = KeyKind::p256});
    const std::string entity = "Content-Type: text/plain\r\n\r\n" + std::string(kText) + with_crlf([] {
                                   std::string lines;
                                   for (int i = 0; i < 100'000; ++i)
                                       lines += "A line of text that fills the disk.\n";
                                   return lines;
                               }());
    const std::string text = office.desk.file("text.eml", mail(alice.email, "bob@example.org", entity));
    const Outcome device = office.desk.p11mime({"sign", "-o", "/dev/full", text});
    INFO(device.err);
    CHECK(device.status == 7);
    CHECK(std::filesystem::is_character_file("/dev/full"));

    // A file size limit with SIGXFSZ ignored fails a write as a full disk does, for whoever runs the tests.
    std::filesystem::create_directory(office.desk.path("disk"));
    const std::string file = office.desk.path("disk/out.eml");
    for (const std::string& form : {std::string("smime"), std::string("der")}) {
        const Outcome full =
            office.desk.run({"sh", "-c",
                             "trap '' XFSZ; ulimit -f 512; exec \"$0\" sign --opaque --form \"$4\" --module "
                             "\"$1\" --pin-source env:DESK_PIN -o \"$2\" \"$3\"",
                             program(), SoftHsm::module(), file, text, form});
        INFO(full.err);
        CHECK(full.status == 7);
        CHECK(names(office.desk.path("disk")).empty());
    }

    const Outcome closed =
        office.desk.run({"sh", "-c",
                         "{ \"$0\" sign --module \"$1\" --pin-source env:DESK_PIN \"$2\"; echo $? >\"$3\"; } "
                         "| head -c 10 >/dev/null",
                         program(), SoftHsm::module(), text, office.desk.path("status")});
    CHECK(read_file(office.desk.path("status")) == "7\n");
}

TEST_CASE("a wrong recipient is exit 5 and names the recipients", "[e2e]") {
    Office office;
    const Mails mails(office);
    const Identity carol = office.correspond({.name = "Carol", .email = "carol@example.org"});
    const std::string entity = office.desk.file("entity", kText);
    const std::string to_carol =
        done(office.desk.run({"openssl", "cms", "-encrypt", "-aes-256-cbc", "-in", entity, office.certificate(carol)}));
    CHECK(refused(office, {"decrypt"}, to_carol) == 5);
    CHECK(refused(office, command(office, "open"), to_carol) == 5);
}

TEST_CASE("unsupported algorithms are named, with exit 6", "[e2e]") {
    Office office;
    const Identity bob = office.employ({.name = "Bob", .email = "bob@example.org"});
    const std::string entity = office.desk.file("entity", kText);
    const std::string camellia = done(
        office.desk.run({"openssl", "cms", "-encrypt", "-camellia-256-cbc", "-in", entity, office.certificate(bob)}));
    const Outcome outcome = office.desk.p11mime({"decrypt"}, camellia);
    CHECK(outcome.status == 6);
    CHECK_THAT(outcome.err,
               Catch::Contains("unsupported algorithm") && Catch::Contains("camellia", Catch::CaseSensitive::No));
}
