// Structures that are larger, or deeper inside each other, than they may be end with exit 6, soon and in little memory.

#include <fmt/format.h>

#include "mime/codec.h"
#include "softhsm-tests/e2e_limits.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

std::string key_trans(std::size_t serial) {
    using namespace craft;
    const Bytes number{0x02, 0x03, static_cast<Byte>(1 + serial / 65536), static_cast<Byte>(serial / 256),
                       static_cast<Byte>(serial)};
    const Bytes rid = der_value(tag::kSequence, {der_value(tag::kSequence, ByteView{}), number});
    return text(der_value(tag::kSequence, {der_integer(0), rid, der_algorithm("1.2.840.113549.1.1.1"),
                                           der_value(tag::kOctetString, Bytes(256, 0x5a))}));
}

constexpr std::string_view kAttribute("\x30\x05\x06\x01\x2a\x31\x00", 7);  // the smallest there is

}  // namespace

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
