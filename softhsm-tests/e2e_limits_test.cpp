// Input that is made to exhaust whoever reads it ends with exit 6, soon and in little memory.

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "cms/content_info.h"
#include "cms/zlib.h"
#include "mime/codec.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/support/large_key.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/program.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

constexpr std::uint64_t kPeakKib = 48 * 1024;

/// run_limited runs a command of the program under limits: processor time many times what any of these inputs takes on
/// a slow machine, and less than the worst of them take without limits in the program; and address space, which
/// sanitizers do not live with.
Outcome run_limited(const Desk& desk, const Arguments& arguments, std::string input) {
    Command command = desk.p11mime_command(arguments);
    command.input = std::move(input);
    const Arguments limits =
        is_sanitized() ? Arguments{"prlimit", "--cpu=120"} : Arguments{"prlimit", "--cpu=10", "--as=1073741824"};
    command.arguments = limits + command.arguments;
    return run_process(command);
}

/// refused checks that reading ends with exit 6, saying why, and that little memory was used.
void refused(const Desk& desk, const std::string& input, const std::string& reason,
             const Arguments& commands = {"open", "verify", "inspect"}) {
    for (const std::string& command : is_sanitized() ? Arguments{commands.front()} : commands) {  // which takes long
        const Outcome outcome = run_limited(desk, {command}, input);
        INFO(command << ": " << outcome.err.substr(0, 2000));
        CHECK(outcome.status == 6);
        CHECK(outcome.out.empty());
        CHECK_THAT(outcome.err, Catch::Contains(reason));
        if (!is_sanitized()) CHECK(outcome.peak_kib < kPeakKib);
    }
}

std::string text(ByteView bytes) {
    return std::string(text_of(bytes));
}

Bytes der(Byte identifier, const std::string& content) {
    return craft::der_value(identifier, bytes_of(content));
}

std::string repeated(std::string_view piece, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i)
        all += piece;
    return all;
}

std::string content_info(std::string_view type, const std::string& structure) {
    return craft::content_info(type, bytes_of(structure));
}

std::string encapsulated(std::string_view type, const std::string& content) {
    return text(craft::encapsulated(type, bytes_of(content)));
}

std::string compressed(std::string_view type, const std::string& zlib) {
    return text(craft::compressed_data(bytes_of(zlib), type));
}

/// deflated compresses a text that is repeated `count` times, without the limit that the program has.
std::string deflated(const std::string& piece, std::size_t count) {
    z_stream stream{};
    REQUIRE(deflateInit(&stream, 9) == Z_OK);
    std::string all, buffer(1 << 20, '\0');
    for (std::size_t i = 0; i <= count; ++i) {
        stream.next_in = reinterpret_cast<Byte*>(const_cast<char*>(piece.data()));
        stream.avail_in = i == count ? 0 : static_cast<uInt>(piece.size());
        do {
            stream.next_out = reinterpret_cast<Byte*>(buffer.data());
            stream.avail_out = static_cast<uInt>(buffer.size());
            deflate(&stream, i == count ? Z_FINISH : Z_NO_FLUSH);
            all.append(buffer, 0, buffer.size() - stream.avail_out);
        } while (stream.avail_out == 0);
    }
    deflateEnd(&stream);
    return all;
}

/// enveloped is EnvelopedData with RecipientInfos and what stands after its content.
std::string enveloped(const std::string& recipients, const std::string& after = {}) {
    using namespace craft;
    const Bytes cipher = der_algorithm("2.16.840.1.101.3.4.1.42", der_value(tag::kOctetString, Bytes(16)));
    const Bytes content =
        der_value(tag::kSequence, {der_oid(oid::kData), cipher, der_value(tag::context(0, false), Bytes(32))});
    return content_info(
        oid::kEnvelopedData,
        text(der_value(tag::kSequence, {der_integer(0), der(tag::kSet, recipients), content, bytes_of(after)})));
}

std::string key_trans(std::size_t serial) {
    using namespace craft;
    const Bytes number{0x02, 0x03, static_cast<Byte>(1 + serial / 65536), static_cast<Byte>(serial / 256),
                       static_cast<Byte>(serial)};
    const Bytes rid = der_value(tag::kSequence, {der_value(tag::kSequence, ByteView{}), number});
    return text(der_value(tag::kSequence, {der_integer(0), rid, der_algorithm("1.2.840.113549.1.1.1"),
                                           der_value(tag::kOctetString, Bytes(256, 0x5a))}));
}

/// parts_of is a mail of many parts that each hold the same CMS.
std::string parts_of(const std::string& cms, std::size_t count) {
    const std::string part =
        "--x\r\nContent-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
        mime::base64_text(bytes_of(cms)) + "\r\n";
    return "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" + repeated(part, count) +
           "--x--\r\n";
}

constexpr std::string_view kAttribute("\x30\x05\x06\x01\x2a\x31\x00", 7);  // the smallest there is

}  // namespace

TEST_CASE("a decompression bomb ends early", "[e2e][limits]") {
    const Desk desk;
    const std::string zeros(1 << 20, '\0');
    const std::string bomb = deflated(zeros, 96);
    REQUIRE(bomb.size() < 120'000);
    const std::string bare = content_info(craft::oid::kCompressedData, compressed(craft::oid::kData, bomb));
    refused(desk, bare, "expands more than");
    refused(desk,
            "From: a@example.gov\r\nMIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n" +
                mime::base64_text(bytes_of(bare)),
            "expands more than", {"open", "inspect"});

    // Bombs inside each other, each small enough by itself.
    std::string inner = compressed(craft::oid::kData, deflated(zeros, 24));
    for (int i = 0; i < 4; ++i)
        inner = compressed(craft::oid::kCompressedData, deflated(inner, 1));
    CHECK(run_limited(desk, {"open", "-n"}, content_info(craft::oid::kCompressedData, inner)).status == 0);
    std::string parts;
    for (int i = 0; i < 4; ++i)
        parts += "--x\r\nContent-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                 mime::base64_text(bytes_of(
                     content_info(craft::oid::kCompressedData, compressed(craft::oid::kData, deflated(zeros, 24))))) +
                 "\r\n";
    refused(desk, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" + parts + "--x--\r\n",
            "expands more than", {"open", "inspect"});
}

TEST_CASE("compressed content that every level and every digest goes over again ends early", "[e2e][limits]") {
    using namespace craft;
    const Desk desk;
    std::string levels;
    for (int i = 10; i < 99; ++i)
        levels += fmt::format("Content-Type: multipart/mixed; boundary=b{}\r\n\r\n--b{}\r\n", i, i);
    const auto bare = [](std::string_view type, const std::string& zlib) {
        return content_info(oid::kCompressedData, compressed(type, zlib));
    };
    const auto bare_parts = [&](const std::string& line) {
        return bare(oid::kData, deflated(levels + "\r\n" + repeated(line, (8 << 20) / line.size()), 1));
    };
    const std::string delimiters = bare_parts("--\n");
    REQUIRE(delimiters.size() < 40'000);
    refused(desk, delimiters, "too much work", {"open"});
    refused(desk, bare_parts("\n"), "too much work", {"inspect"});

    const Bytes two = concat(
        {der_algorithm(digest_algorithm(Hash::sha3_512).oid), der_algorithm(digest_algorithm(Hash::sha3_384).oid)});
    std::string layers(4 << 20, '\0');
    std::string_view type = oid::kData;
    for (int i = 0; i < 48; ++i) {
        layers =
            text(der_value(tag::kSequence, {der_integer(1), der_value(tag::kSet, two),
                                            bytes_of(encapsulated(type, layers)), der_value(tag::kSet, ByteView{})}));
        type = oid::kSignedData;
    }
    refused(desk, bare(type, deflated(layers, 1)), "too much work", {"verify"});

    // As a mail that is well meant has them: some levels and a digest.
    const Outcome few =
        run_limited(desk, {"open", "-n"},
                    bare(oid::kData, deflated("Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n"
                                              "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" +
                                                  std::string(28 << 20, '\n'),
                                              1)));
    INFO(few.err);
    CHECK(few.status == 0);
}

TEST_CASE("10,000 recipients end early", "[e2e][limits]") {
    const Desk desk;
    std::string recipients;
    for (std::size_t i = 0; i < 10'000; ++i)
        recipients += key_trans(i);
    refused(desk, enveloped(recipients), "more than 2000 recipients", {"decrypt", "open", "inspect"});
}

TEST_CASE("recipients of one agreement take memory once, and none while nested content is read", "[e2e][limits]") {
    using namespace craft;
    const Desk desk;
    const auto agreed = [](std::size_t ukm_size, std::size_t count) {
        const std::string rid("\x30\x05\x30\x00\x02\x01\x01", 7);
        const std::string key = text(der(tag::kSequence, rid + std::string("\x04\x00", 2)));
        const Bytes originator =
            der_value(tag::context(0, true),
                      der_value(tag::context(1, true), {der_algorithm("1.3.101.110"), der_value(0x03, Bytes(33))}));
        return text(der_value(tag::context(1, true),
                              {der_integer(3), originator,
                               der_value(tag::context(1, true), der_value(tag::kOctetString, Bytes(ukm_size))),
                               der_algorithm("1.2.840.113549.1.9.16.3.19", der_algorithm("2.16.840.1.101.3.4.1.45")),
                               bytes_of(text(der(tag::kSequence, repeated(key, count))))}));
    };
    const Outcome alone = run_limited(desk, {"inspect"}, enveloped(agreed(45'000, 1'500)));
    INFO(alone.err);
    CHECK(alone.status == 0);
    if (!is_sanitized()) CHECK(alone.peak_kib < kPeakKib);

    std::string nested = "content";
    std::string_view type = craft::oid::kData;
    for (int i = 0; i < 8; ++i) {
        nested = text(der_value(
            tag::kSequence, {der_integer(0), der(tag::kSet, agreed(45'000, 1'500)), der_algorithm("1.2.840.113549.2.9"),
                             bytes_of(encapsulated(type, nested)), der_value(tag::kOctetString, Bytes(32))}));
        type = "1.2.840.113549.1.9.16.1.2";
    }
    const std::string mail = content_info(type, nested);
    refused(desk, mail, "more than 2000 recipients", {"inspect"});
    refused(desk,
            "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: "
            "application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                mime::base64_text(bytes_of(mail)) + "\r\n--x--\r\n",
            "more than 2000 recipients", {"open", "inspect"});
}

TEST_CASE("10,000 certificates end early", "[e2e][limits]") {
    const Desk desk;
    const SoftwareKey alice = certify({});
    const std::vector<cms::Certificate> certificates(10'000, alice.certificate);
    const std::string signed_data = craft::signed_data(
        {"content", {craft::signer_info(alice, craft::usual_attributes("content"), "content")}, certificates});
    refused(desk, signed_data, "more certificates than the limit");
}

TEST_CASE("100,000 attributes end early wherever they stand", "[e2e][limits]") {
    using namespace craft;
    const Desk desk;
    const SoftwareKey alice = certify({});
    const std::string many = repeated(kAttribute, 100'000);
    const Bytes usual = signer_info(alice, usual_attributes("content"), "content");
    ViewSource source(usual);
    BerReader reader(source);
    reader.enter(tag::kSequence, "SignerInfo");
    std::string before, after;
    for (int i = 0; i < 3; ++i)
        before += text(reader.element(1 << 16, "front"));
    reader.element(1 << 16, "attributes");
    while (!reader.at_end())
        after += text(reader.element(1 << 16, "rest"));
    const std::string is_signed = before + text(der(tag::context(0, true), many)) + after;
    const std::string is_unsigned = before + text(der(tag::context(0, true), text(usual_attributes("content")[0]))) +
                                    after + text(der(tag::context(1, true), many));
    for (const std::string& info : {is_signed, is_unsigned})
        refused(desk, signed_data({"content", {der(tag::kSequence, info)}, {alice.certificate}}),
                "SignerInfo is larger");
    const Bytes third =
        der(tag::kSequence, before + after + text(der(tag::context(1, true), repeated(kAttribute, 33'400))));
    refused(desk, signed_data({"content", {third, third, third}, {alice.certificate}}), "attributes of signers");
    const Bytes gcm =
        der_algorithm("2.16.840.1.101.3.4.1.46",
                      der_value(tag::kSequence, {der_value(tag::kOctetString, Bytes(12)), der_integer(16)}));
    const Bytes content =
        der_value(tag::kSequence, {der_oid(oid::kData), gcm, der_value(tag::context(0, false), Bytes(32))});
    const std::string auth_enveloped = content_info(
        oid::kAuthEnvelopedData,
        text(der_value(tag::kSequence, {der_integer(0), der(tag::kSet, key_trans(1)), content,
                                        der(tag::context(1, true), many), der_value(tag::kOctetString, Bytes(16))})));
    // Behind the ciphertext, which only who has the key reads to its end; as a part all of it is read.
    for (const std::string& message : {auth_enveloped, enveloped(key_trans(1), text(der(tag::context(1, true), many)))})
        refused(desk,
                "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: "
                "application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                    mime::base64_text(bytes_of(message)) + "\r\n--x--\r\n",
                "attributes is larger", {"open"});
}

TEST_CASE("1,000 nested layers end early", "[e2e][limits]") {
    const Desk desk;
    const SoftwareKey alice = certify({});
    std::string multiparts = "MIME-Version: 1.0\r\n", messages = "MIME-Version: 1.0\r\n";
    for (int i = 0; i < 1'000; ++i) {
        multiparts += fmt::format("Content-Type: multipart/mixed; boundary=b{}\r\n\r\n--b{}\r\n", i, i);
        messages += "Content-Type: message/rfc822\r\n\r\n";
    }
    refused(desk, multiparts, "nested more than", {"open", "inspect"});
    refused(desk, messages, "nested more than", {"open", "inspect"});

    std::string by_mime = "Content-Type: text/plain\r\n\r\ncontent", by_type = "content", by_zlib = by_type;
    std::string_view inner_type = craft::oid::kData;
    for (int i = 0; i < 1'000; ++i) {
        by_mime = "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: binary\r\n\r\n" +
                  craft::signed_data({by_mime, {}, {}});
        using namespace craft;
        by_type = text(
            der_value(tag::kSequence, {der_integer(1), der_value(tag::kSet, ByteView{}),
                                       bytes_of(encapsulated(inner_type, by_type)), der_value(tag::kSet, ByteView{})}));
        inner_type = oid::kSignedData;
        by_zlib = compressed(i == 0 ? oid::kData : oid::kCompressedData, deflated(by_zlib, 1));
    }
    refused(desk, "MIME-Version: 1.0\r\n" + by_mime, "nested more than");
    refused(desk, content_info(craft::oid::kSignedData, by_type), "nested more than");
    refused(desk, content_info(craft::oid::kCompressedData, by_zlib), "nested more than");
    refused(desk, repeated(std::string_view("\x30\x80", 2), 100'000), "neither a mail nor CMS");
    refused(desk,
            content_info(craft::oid::kSignedData, "\x30\x80\x02\x01\x01\x31" + std::string(1, '\0') +
                                                      "\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80" +
                                                      repeated(std::string_view("\x24\x80", 2), 100'000))
                .substr(0, 200'000),
            "malformed CMS");
}

TEST_CASE("layers that each ask for every digest end early", "[e2e][limits]") {
    using namespace craft;
    const Desk desk;
    Bytes every;
    std::size_t count = 0;
    for (const Algorithm& row : algorithm_table())
        if (row.kind == AlgorithmKind::digest && row.hash && row.oid != "2.16.840.1.101.3.4.2.18") {
            every = concat({every, der_algorithm(row.oid)});
            ++count;
        }
    const auto layers = [&](std::size_t depth, const std::string& content) {
        std::string inner = content;
        std::string_view type = oid::kData;
        for (std::size_t i = 0; i < depth; ++i) {
            inner = text(
                der_value(tag::kSequence, {der_integer(1), der_value(tag::kSet, every),
                                           bytes_of(encapsulated(type, inner)), der_value(tag::kSet, ByteView{})}));
            type = oid::kSignedData;
        }
        return content_info(type, inner);
    };
    refused(desk, layers(98, std::string(1 << 20, 'x')), "more than 100 digests of the same content");
    refused(desk, layers(100 / count + 1, "content"), "more than 100 digests of the same content");
    CHECK(run_limited(desk, {"inspect"}, layers(100 / count, "content")).status == 0);
}

TEST_CASE("a length of 1 GiB in 1 KiB of input ends early wherever it stands", "[e2e][limits]") {
    using namespace craft;
    const Desk desk;
    const std::string gib("\x84\x40\x00\x00\x00", 5);
    const std::string front = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
    const auto input = [&](const std::string& start) { return start + std::string(1024 - start.size(), 'x'); };
    const std::string indefinite = "\x30\x80";
    const std::string explicit0 = "\xa0\x80";
    const std::string signed_front = indefinite + front + "\x02" + explicit0 + indefinite + "\x02\x01\x01";
    const std::string content = indefinite + front + "\x01" + explicit0;
    const std::string no_content =
        signed_front + std::string("\x31\x00", 2) + std::string("\x30\x0b", 2) + front + "\x01";
    const std::string enveloped_front = indefinite + front + "\x03" + explicit0 + indefinite + "\x02\x01\x00";
    for (const std::string& start :
         {"\x30" + gib,                                                                // ContentInfo
          indefinite + "\x06" + gib,                                                   // its type
          indefinite + front + "\x02" + "\xa0" + gib,                                  // its content
          indefinite + front + "\x02" + explicit0 + indefinite + "\x02" + gib,         // the version
          signed_front + "\x31" + gib,                                                 // digest algorithms
          signed_front + "\x31\x80\x30" + gib,                                         // one of them
          signed_front + std::string("\x31\x00", 2) + content + "\x04" + gib,          // the content
          signed_front + std::string("\x31\x00", 2) + content + "\x24\x80\x04" + gib,  // a segment of it
          no_content + "\xa0\x80\x30" + gib,                                           // a certificate
          no_content + "\xa1\x80\x30" + gib,                                           // a CRL
          no_content + "\x31\x80\x30" + gib,                                           // a SignerInfo
          enveloped_front + "\x31\x80\x30" + gib,                                      // a RecipientInfo
          enveloped_front + "\xa0\x80\x30" + gib}) {                                   // the originator's
        CAPTURE(start);
        refused(desk, input(start), start.size() == 6 ? "neither a mail nor CMS" : "malformed CMS",
                {"open", "inspect"});
    }
}

TEST_CASE("signatures of keys that take long to verify with are not checked", "[e2e][limits]") {
    using namespace craft;
    const Desk desk;
    const SoftwareKey alice = certify({});
    const auto mail = [&](const PrivateKey& key, std::string_view algorithm) {
        const SoftwareKey signer{alice.key, certify_key(key, {.name = "Mallory"}, &alice)};
        std::vector<Bytes> infos;
        for (int i = 0; i < 100; ++i)
            infos.push_back(signer_info({.key = signer,
                                         .attributes = usual_attributes("content"),
                                         .content = "content",
                                         .signature_algorithm = der_algorithm(algorithm)}));
        return signed_data({"content", infos, {signer.certificate}});
    };
    refused(desk, mail(dsa_key(10'000), "2.16.840.1.101.3.4.3.2"),
            "unsupported algorithm DSA-10000: the key is too large", {"open", "verify"});
    refused(desk, mail(rsa_key(3'072, 3'068), "1.2.840.113549.1.1.1"),
            "unsupported algorithm RSA-3072: the key is too large", {"open", "verify"});
}

TEST_CASE("signers and signatures of all parts together are limited", "[e2e][limits]") {
    using namespace craft;
    const Desk desk;
    const SoftwareKey alice = certify({});
    const Bytes info = signer_info(alice, usual_attributes("content"), "content");
    refused(desk, parts_of(signed_data({"content", std::vector<Bytes>(100, info), {}}), 50), "more than 500 signers");

    const Bytes countersignature = signer_info(alice, {{message_digest("another signature")}}, "");
    const Bytes countersigned =
        signer_info({.key = alice,
                     .attributes = usual_attributes("content"),
                     .content = "content",
                     .unsigned_attributes = {attribute(oid::kCountersignature, std::vector(20, countersignature))}});
    refused(desk, parts_of(signed_data({"content", {countersigned}, {alice.certificate}}), 50),
            "more than 1000 signatures to be verified", {"open", "verify"});
}

TEST_CASE("certificates of all layers together, headers inside each other and endless names are limited",
          "[e2e][limits]") {
    using namespace craft;
    const Desk desk;
    const SoftwareKey alice = certify({});
    const std::vector<cms::Certificate> certificates(1'000, alice.certificate);
    const std::string bundles = parts_of(signed_data({std::nullopt, {}, certificates}), 20);
    refused(desk, content_info(oid::kCompressedData, compressed(oid::kData, deflated(bundles, 1))), "too much work",
            {"inspect"});

    std::string headers = "MIME-Version: 1.0\r\n";
    for (int i = 0; i < 50; ++i)
        headers += "Content-Type: message/rfc822\r\n" + repeated("a:\r\n", 9'000) + "\r\n";
    refused(desk, headers, "headers of parts inside each other", {"open", "inspect"});

    const std::string endless = text(der(
        tag::kSequence, text(der(tag::kSet, text(der_value(tag::kSequence, {der_oid("2.5.4.3"),
                                                                            der(0x0c, std::string(30'000, '\1'))}))))));
    const Bytes rid = der_value(tag::kSequence, {bytes_of(endless), der_integer(1)});
    const std::string recipient =
        text(der_value(tag::kSequence, {der_integer(0), rid, der_algorithm("1.2.840.113549.1.1.1"),
                                        der_value(tag::kOctetString, Bytes(256))}));
    const Outcome named = run_limited(desk, {"inspect"}, enveloped(repeated(recipient, 250)));
    CHECK(named.status == 0);
    CHECK_THAT(named.out, Catch::Contains("a name of 30021 bytes, serial 01"));
    if (!is_sanitized()) CHECK(named.peak_kib < kPeakKib);
}

TEST_CASE("many signers, certificates and parts take time in proportion", "[e2e][limits]") {
    using namespace craft;
    const Desk desk;
    // A hundred signers, and a thousand certificates of one key that each seem to be issued by the next.
    const SoftwareKey alice = certify({.name = "0"});
    std::vector<cms::Certificate> chain{alice.certificate};
    for (int i = 1; i < 1'000; ++i) {
        const SoftwareKey next{alice.key, certify_key(alice.key, authority_spec(std::to_string(i)), nullptr)};
        chain.push_back(certify_key(alice.key, authority_spec(std::to_string(i - 1)), &next));
    }
    std::vector<Bytes> infos;
    for (std::size_t i = 0; i < 100; ++i) {
        const SoftwareKey signer{alice.key, chain[1 + i]};
        infos.push_back(signer_info(signer, usual_attributes("content"), "content"));
    }
    const Outcome chained =
        run_limited(desk, {"verify", "--no-default-ca", "-n"}, signed_data({"content", infos, chain}));
    INFO(chained.err.substr(0, 1000));
    CHECK(chained.status == 3);

    refused(desk, parts_of(signed_data({std::nullopt, {}, {alice.certificate}}), 5'000), "more than 1000 layers",
            {"open", "inspect"});
    refused(desk,
            content_info(
                oid::kSignedData,
                text(der_value(tag::kSequence,
                               {der_integer(1), der(tag::kSet, repeated(text(der_algorithm("1.2.3")), 100'000)),
                                bytes_of(encapsulated(oid::kData, "content")), der_value(tag::kSet, ByteView{})}))),
            "more than 100 digest algorithms");
}
