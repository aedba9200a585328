#include "cms/certificate.h"

#include <catch2/catch.hpp>

#include "cms/der.h"
#include "cms/name_outline.h"
#include "cms/smime/capabilities.h"
#include "mime/hex.h"
#include "softhsm-tests/cms_sender.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/hex.h"
#include "softhsm-tests/support/office.h"

using namespace p11mime;
using namespace p11mime::cms;
using namespace p11mime::test;

namespace {

// said is what `openssl x509` says of a certificate, without its label and the line end.
std::string said(const CmsBench& bench, const SoftwareKey& key, const Arguments& options) {
    std::string text = bench.openssl(Arguments{"x509", "-noout"} + options, key.certificate.pem());
    text = text.substr(text.find('=') + 1);
    return text.substr(0, text.find('\n'));
}

std::string lower_hex(std::string text) {
    std::erase(text, ':');
    for (char& c : text)
        c = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
    return text;
}

Certificate with(const std::string& alternative_name, const std::string& more = {}) {
    CertificateSpec spec;
    spec.alternative_name = alternative_name;
    spec.more_extensions = more;
    return certify(spec).certificate;
}

// Names, in the types of strings that X.520 has.
constexpr Byte kUtf8 = 0x0c, kNumeric = 0x12, kPrintable = 0x13, kTeletex = 0x14, kIa5 = 0x16, kVisible = 0x1a,
               kUniversal = 0x1c, kWide = 0x1e;
constexpr const char* kCommonName = "2.5.4.3";
constexpr const char* kOrganization = "2.5.4.10";

Bytes attribute(const char* type, Byte string, std::string_view text) {
    return der_value(tag::kSequence, {der_oid(type), der_value(string, bytes_of(text))});
}

Bytes rdn(const char* type, Byte string, std::string_view text) {
    return der_value(tag::kSet, attribute(type, string, text));
}

Bytes name(std::initializer_list<ByteView> rdns) {
    return der_value(tag::kSequence, rdns);
}

bool is_one_name(ByteView a, ByteView b) {
    const auto parsed = [](ByteView der) {
        const Byte* at = der.data();
        return NameHandle(d2i_X509_NAME(nullptr, &at, static_cast<long>(der.size())));
    };
    const NameHandle first = parsed(a), second = parsed(b);
    return first && second && X509_NAME_cmp(first.get(), second.get()) == 0;
}

}  // namespace

TEST_CASE("a certificate says what openssl says of it") {
    const CmsBench bench;
    CertificateSpec spec;
    spec.name = "Älice, the \"first\"";
    spec.kind = GENERATE(KeyKind::rsa2048, KeyKind::p256, KeyKind::p521, KeyKind::ed25519);
    spec.key_usage = "digitalSignature";
    const SoftwareKey key = bench.issue(spec);
    const Certificate& certificate = key.certificate;
    CHECK(certificate.fingerprint_sha256() == lower_hex(said(bench, key, {"-fingerprint", "-sha256"})));
    CHECK(certificate.serial_hex() == lower_hex(said(bench, key, {"-serial"})));
    CHECK(certificate.subject() == said(bench, key, {"-subject", "-nameopt", "RFC2253,-esc_msb,utf8"}));
    CHECK(certificate.issuer() == said(bench, key, {"-issuer", "-nameopt", "RFC2253"}));
    CHECK(certificate.common_name() == spec.name);
    CHECK(Certificate::from_der(certificate.der()) == certificate);
    const std::string spki = bench.openssl({"x509", "-noout", "-pubkey"}, certificate.pem());
    CHECK(bench.openssl({"pkey", "-pubin", "-inform", "DER"}, text_of(certificate.spki_der())) == spki);
    CHECK_FALSE(certificate.is_ca());
    CHECK(bench.intermediate.certificate.is_ca());
}

TEST_CASE("certificates are read from files in PEM, DER and PKCS#7") {
    const CmsBench bench;
    const SoftwareKey alice = bench.issue(), carol = bench.issue();
    const std::string both = alice.certificate.pem() + carol.certificate.pem();
    const std::string file = bench.file(both);
    const auto count = [](std::string_view bytes) { return Certificate::from_file_bytes(bytes_of(bytes)).size(); };
    CHECK(count(both) == 2);
    CHECK(count("Subject: Alice\n\n" + both + "more text\n") == 2);
    CHECK(count(text_of(alice.certificate.der())) == 1);
    CHECK(count(bench.openssl({"crl2pkcs7", "-nocrl", "-certfile", file, "-outform", "DER"})) == 2);
    CHECK(count(bench.openssl({"crl2pkcs7", "-nocrl", "-certfile", file})) == 2);
    CHECK(count(bench.openssl({"x509", "-trustout", "-addtrust", "emailProtection"}, alice.certificate.pem())) == 1);
    for (const std::string& nothing : {std::string(), std::string("no certificate"), alice.key_pem(),
                                       std::string(text_of(alice.certificate.der())) + "x"})
        CHECK(caught([&] { count(nothing); }).kind() == ErrorKind::malformed);
    // A broken one does not hide those after it.
    const std::string cut = both.substr(0, alice.certificate.pem().size() - 40);
    for (const std::string& broken : {std::string("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"),
                                      cut, std::string("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")})
        CHECK(caught([&] { count(both + broken + both); }).kind() == ErrorKind::malformed);
}

TEST_CASE("the addresses of a certificate are those that can be nobody else's") {
    using Addresses = std::vector<std::string>;
    CHECK(with("email:alice@example.gov,email:a@example.org").emails() ==
          Addresses{"alice@example.gov", "a@example.org"});
    CHECK(with("DNS:example.gov,URI:mailto:alice@example.gov").emails().empty());
    CHECK(with("").emails().empty());
    CHECK(with("email:alice@example.gov,email:alice@example.gov").emails() == Addresses{"alice@example.gov"});
    // The old place counts only where the new one has none.
    const CmsBench bench;
    const auto with_subject = [&](const std::string& alternative_name) {
        const std::string pem =
            bench.openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                           bench.file(""), "-subj", "/CN=Eve/emailAddress=eve@example.gov", "-addext",
                           "subjectAltName=" + alternative_name});
        return Certificate::from_file_bytes(bytes_of(pem)).at(0).emails();
    };
    CHECK(with_subject("email:alice@example.gov") == Addresses{"alice@example.gov"});
    CHECK(with_subject("DNS:example.gov") == Addresses{"eve@example.gov"});
    // RFC 9598: SmtpUTF8Mailbox.
    CHECK(with("", "subjectAltName=DER:3022a02006082b06010505070809a0140c12c3a46c696365406578616d706c652e676f76")
              .emails() == Addresses{"\xc3\xa4lice@example.gov"});
    CHECK(with("", "subjectAltName=DER:3022a02006082b06010505070809a0141612c3a46c696365406578616d706c652e676f76")
              .emails()
              .empty());  // an IA5String
    CHECK(with("otherName:1.2.3.4;UTF8:eve@example.gov").emails().empty());
    // A NUL or a line end in an rfc822Name: what follows it could be taken for the whole, or be dropped.
    const char* prefix = "subjectAltName=DER:";
    CHECK(with("", prefix + std::string("30138111616c696365406578616d706c6500676f76")).emails().empty());
    CHECK(with("", prefix + std::string("30138111616c696365406578616d706c650a676f76")).emails().empty());
    CHECK(with("", prefix + std::string("30138111616c696365406578616d706c652e676f76")).emails() ==
          Addresses{"alice@example.gov"});
    // What is an address in a header field alone: its domain is another for every authority.
    for (const char* field : {"\"x\"<alice@example.gov>@example.org", "<alice@example.gov>",
                              "alice@example.gov(@example.org)", "@example.org:alice@example.gov"})
        CHECK(with(rfc822_name(field)).emails().empty());
    CHECK(with(rfc822_name("\"alice\"@example.gov")).emails() == Addresses{"\"alice\"@example.gov"});
}

TEST_CASE("times are read and written in RFC 3339") {
    // Seconds since 1970 as `date -u -d TEXT +%s` has them.
    const auto [text, seconds] = GENERATE(table<const char*, long>({{"1970-01-01T00:00:00Z", 0},
                                                                    {"2025-03-04T10:15:00+01:00", 1'741'079'700},
                                                                    {"2024-02-29T23:59:59Z", 1'709'251'199},
                                                                    {"2025-03-04T10:15:00.25-02:30", 1'741'092'300},
                                                                    {"2025-03-04 10:15:00Z", 1'741'083'300}}));
    const auto time = parse_time(text);
    REQUIRE(time);
    CHECK(time->time_since_epoch().count() == seconds);
    CHECK(parse_time(format_time(*time)) == time);
    for (const char* wrong :
         {"", "2025-03-04", "2025-03-04T10:15:00", "2025-13-04T10:15:00Z", "2025-02-30T10:15:00Z",
          "2025-03-04T24:15:00Z", "2025-03-04T10:15:00Zx", "2025-03-04T10:15:00+0100", "+025-03-04T10:15:00Z"})
        CHECK_FALSE(parse_time(wrong));
}

TEST_CASE("capabilities are read in their order, what is unknown is left out") {
    using namespace p11mime::cms::smime;
    // The DER is what `openssl asn1parse -genconf` makes of the same list.
    const CmsBench bench;
    const auto listed = [&](const std::string& list) {
        std::string text = "asn1=SEQUENCE:list\n[list]\n" + list;
        const std::string out = bench.file("");
        bench.openssl({"asn1parse", "-noout", "-genconf", bench.file(text), "-out", out});
        return parse_capabilities(bytes_of(read_file(out)));
    };
    const std::string both =
        "1=SEQUENCE:a\n2=SEQUENCE:b\n3=SEQUENCE:c\n"
        "[a]\no=OID:aes-128-cbc\n[b]\no=OID:des-ede3-cbc\n[c]\no=OID:2.16.840.1.101.3.4.1.46\n";
    const Capabilities capabilities = listed(both);
    CHECK(capabilities.ciphers == std::vector{content_cipher("aes-128-cbc"), content_cipher("aes-256-gcm")});
    CHECK_FALSE(capabilities.oaep);
    CHECK(listed("1=SEQUENCE:a\n[a]\no=OID:rsaesOaep\n").oaep);
    for (const char* malformed : {"", "\x30", "\x30\x05\x06", "text"})
        CHECK(parse_capabilities(bytes_of(malformed)).ciphers.empty());
}

TEST_CASE("names that are one to OpenSSL have one outline, or none") {
    const Bytes organization = rdn(kOrganization, kPrintable, "Example Trust");
    std::vector<Bytes> names;
    const std::string wide("\0R\0o\0o\0t\0 \0C\0A\0 \0001", 18);
    for (const Byte string : {kUtf8, kPrintable, kTeletex, kIa5, kVisible, kNumeric, kUniversal, kWide})
        for (const std::string& text :
             {std::string("Root CA 1"), std::string("root ca 1"), std::string(" Root  CA\t1\n"), std::string("RootCA1"),
              std::string("Root CA 2"), std::string(), std::string("R\xc3\xb6ot"), std::string("R\xf6ot"), wide}) {
            const Bytes own = attribute(kCommonName, string, text);
            const Bytes other = attribute(kOrganization, kPrintable, "Example Trust");
            names.push_back(name({organization, rdn(kCommonName, string, text)}));
            names.push_back(name({rdn(kCommonName, string, text), organization}));
            names.push_back(name({der_value(tag::kSet, {own, other})}));
            names.push_back(name({der_value(tag::kSet, {other, own})}));
        }
    std::size_t pairs = 0;
    for (const Bytes& a : names)
        for (const Bytes& b : names) {
            const auto first = name_outline(a), second = name_outline(b);
            if (!is_one_name(a, b)) continue;
            CAPTURE(hex(a), hex(b));
            CHECK((!first || !second || *first == *second));
            pairs += a != b && first && second;
        }
    CHECK(pairs > 100);
}

TEST_CASE("an outline tells names apart by their types and letters, and there is none where that takes more") {
    const auto of = [](Byte string, std::string_view text) {
        return name_outline(name({rdn(kCommonName, string, text)}));
    };
    REQUIRE(of(kPrintable, "Root CA 1"));
    CHECK(of(kPrintable, "Root CA 1") == of(kUtf8, "root ca 1"));
    CHECK(of(kPrintable, "Root CA 1") != of(kPrintable, "Root CA 2"));
    CHECK(of(kPrintable, "Root CA 1") != name_outline(name({rdn(kOrganization, kPrintable, "Root CA 1")})));
    CHECK(name_outline(from_hex("3000")) == "");
    CHECK_FALSE(of(kUtf8, "R\xc3\xb6ot"));
    CHECK_FALSE(of(kTeletex, "R\xf6ot"));
    CHECK_FALSE(of(kWide, "Root"));
    CHECK_FALSE(of(kNumeric, "1"));
    CHECK_FALSE(name_outline(name(
        {der_value(tag::kSet, {attribute(kCommonName, kUtf8, "Root"), attribute(kOrganization, kUtf8, "Example")})})));
    Bytes longer = name({rdn(kCommonName, kUtf8, "Root")});
    longer.push_back(0);
    CHECK_FALSE(name_outline(longer));
    for (const char* broken : {"", "30", "3005", "3080", "30800000", "30023100", "300431023000", "310130"}) {
        CAPTURE(broken);
        CHECK_FALSE(name_outline(from_hex(broken)));
    }
}
