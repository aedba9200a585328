// Signed content that is no data, by its content type: a receipt, a time-stamp, or what nobody knows.

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "cms/smime/read.h"
#include "mime/codec.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/cms_structures.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::cms::smime;
using namespace p11mime::test;

namespace {

constexpr std::string_view kEntity = "Content-Type: text/plain\r\n\r\nPay 10 to Bob.\r\n";
constexpr std::string_view kDocument = "\r\nRequest for Comments: none\r\n";

// Type is a content type, and its name for people.
struct Type {
    std::string_view oid;
    std::string_view name;
};
constexpr Type kTypes[]{{"1.2.840.113549.1.9.16.1.1", "id-smime-ct-receipt (1.2.840.113549.1.9.16.1.1)"},
                        {"1.2.840.113549.1.9.16.1.4", "id-smime-ct-TSTInfo (1.2.840.113549.1.9.16.1.4)"},
                        {"1.2.3.4.5", "1.2.3.4.5"}};

// SignedTypeWorld is one signer and what reads what they sign.
struct SignedTypeWorld {
    CmsBench bench;
    SoftwareKey alice = bench.issue();

    std::string sign(std::string_view content, std::string_view type, bool detached, const char* form = "DER") const {
        Arguments command{"cms", "-sign", "-binary", "-outform", form, "-econtent_type", std::string(type)};
        if (!detached) command.emplace_back("-nodetach");
        return bench.openssl(command + bench.signer_options(alice), content);
    }
    ReadMail read(const std::string& message, std::string_view file = {}) const {
        ReadOptions options;
        if (!file.empty()) options.detached_content = std::make_shared<TextInput>(std::string(file));
        return bench.verify(message, options);
    }
};

std::vector<std::string> type_warnings(const Report& report) {
    std::vector<std::string> messages;
    for (const Warning& warning : report.warnings)
        if (warning.kind == "content-type") messages.push_back(warning.message);
    return messages;
}

std::string in_clear(std::string_view content, std::string_view signature) {
    return fmt::format(
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=b\r\n\r\n"
        "--b\r\n{}\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
        content, mime::base64_text(bytes_of(signature)));
}

void check_no_mail(const ReadMail& read, const Type& type) {
    CHECK(read.report.result == Result::untrusted);
    CHECK(read.report.reason == fmt::format("what is signed is no mail: its content type is {}", type.name));
    CHECK(with_crlf(read.content).ends_with(kEntity));
}

}  // namespace

TEST_CASE("a file may hold signed content of any type, and a warning names what is no data") {
    const SignedTypeWorld world;
    for (const Type& type : kTypes)
        for (const char* form : {"DER", "PEM"}) {
            CAPTURE(type.oid, form);
            for (const ReadMail& read : {world.read(world.sign(kDocument, type.oid, false, form)),
                                         world.read(world.sign(kDocument, type.oid, true, form), kDocument)}) {
                CHECK(read.report.result == Result::valid);
                CHECK(type_warnings(read.report) ==
                      std::vector{fmt::format("the content is of the type {} and not data: take it for a document of "
                                              "that type, if at all",
                                              type.name)});
                CHECK(read.content == kDocument);
            }
        }
    for (const std::string_view content : {kDocument, kEntity}) {
        CHECK(type_warnings(world.read(world.sign(content, oid::kData, false)).report).empty());
        CHECK(type_warnings(world.read(world.sign(content, oid::kData, true), content).report).empty());
    }
}

TEST_CASE("signed content of another type is no mail, however it is wrapped") {
    const SignedTypeWorld world;
    for (const Type& type : kTypes) {
        CAPTURE(type.oid);
        const std::string attached = world.sign(kEntity, type.oid, false), apart = world.sign(kEntity, type.oid, true);
        check_no_mail(world.read(as_mail(attached)), type);
        const ReadMail clear = world.read(in_clear(kEntity, apart));
        CHECK(clear.report.result == Result::invalid);
        CHECK_THAT(clear.report.reason, Catch::Contains(std::string(type.name)));

        // The same taken out of its mail.
        check_no_mail(world.read(attached), type);
        check_no_mail(world.read(apart, kEntity), type);
        check_no_mail(world.read(apart, mail("alice@example.gov", "bob@example.gov", kEntity)), type);
        check_no_mail(world.read(apart, with_lf(kEntity)), type);
    }
    const ReadMail structure = world.read(in_clear(kEntity, world.sign(kEntity, oid::kSignedData, true)));
    CHECK_THAT(structure.report.reason, Catch::Contains("pkcs7-signedData"));
    CHECK(world.read(as_mail(world.sign(kEntity, oid::kData, false))).report.result == Result::valid);
    CHECK(world.read(in_clear(kEntity, world.sign(kEntity, oid::kData, true))).report.result == Result::valid);
}

TEST_CASE("signed content that is an encrypted structure is not valid for who does not open it") {
    const SignedTypeWorld world;
    const SoftwareKey bob = world.bench.bob(KeyKind::rsa2048);
    const std::string encrypted = world.bench.openssl(
        {"cms", "-encrypt", "-binary", "-outform", "DER", "-recip", world.bench.certificate_file(bob)}, kEntity);
    constexpr std::size_t kContentInfo = 4 + 11 + 4;  // bytes around the structure
    const std::string message = world.sign(encrypted.substr(kContentInfo), oid::kEnvelopedData, false);
    for (const std::string& text : {message, as_mail(message)}) {
        const Report report = world.read(text).report;
        CHECK(report.result == Result::untrusted);
        CHECK_THAT(report.reason, Catch::Contains("what is signed is itself encrypted"));
    }
    CHECK(world.read(as_mail(world.sign(kEntity, oid::kData, false))).report.result == Result::valid);
}

TEST_CASE("content of another type needs signed attributes") {
    const SignedTypeWorld world;
    const std::string_view type = kTypes[1].oid;
    const auto read = [&](std::optional<std::vector<Bytes>> attributes) {
        return world.read(craft::signed_data({kDocument,
                                              {craft::signer_info(world.alice, std::move(attributes), kDocument)},
                                              {world.alice.certificate},
                                              type}));
    };
    CHECK(read({{craft::content_type(type), craft::message_digest(kDocument)}}).report.result == Result::valid);
    const ReadMail bare = read(std::nullopt);
    CHECK(bare.report.result == Result::invalid);
    CHECK_THAT(bare.report.reason, Catch::Contains("needs signed attributes"));
}

TEST_CASE("a file to check is refused where the input carries what it signs") {
    const SignedTypeWorld world;
    const std::string attached = world.sign(kDocument, oid::kData, false);
    CHECK(world.read(attached).report.result == Result::valid);
    const std::string apart = world.sign(kEntity, oid::kData, true);
    for (const std::string& message :
         {attached, as_mail(world.sign(kEntity, oid::kData, false)), in_clear(kEntity, apart)})
        for (const std::string_view file : {kDocument, kEntity, std::string_view("another text")}) {
            const Error error = caught([&] { world.read(message, file); });
            CHECK(error.kind() == ErrorKind::malformed);
            CHECK_THAT(error.what(), Catch::Contains("carries what it signs"));
        }
}
