#include <filesystem>

#include "cms/encode.h"
#include "cms/trust_settings.h"
#include "softhsm-tests/support/hex.h"
#include "softhsm-tests/support/skip.h"
#include "softhsm-tests/support/temporary_directory.h"
#include "softhsm-tests/token_fixture.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

// Subjects and fingerprints as NSS's certutil -L gives them for the Builtin Object Token, with these trust flags.
constexpr const char* kTlsOnly =  // ISRG Root X1: C,,
    "304f310b300906035504061302555331293027060355040a1320496e7465726e65742053656375726974792052657365617263682047726f75"
    "70311530130603550403130c4953524720526f6f74205831";
constexpr const char* kEmailOnly =  // GlobalSign Secure Mail Root R45: ,C,
    "3052310b300906035504061302424531193017060355040a1310476c6f62616c5369676e206e762d736131283026060355040313"
    "1f476c6f62616c5369676e20536563757265204d61696c20526f6f7420523435";
constexpr const char* kEmailOnlyFingerprint = "319af0a7729e6f89269c131ea6a3a16fcd86389fdcab3c47a4a675c161a3f974";
constexpr const char* kEmailOnlySerial = "02107653fea84c50ab9f8d32b51d038f57dc";  // DER INTEGER
constexpr const char* kBoth =                                                     // DigiCert Assured ID Root CA: C,C,
    "3065310b300906035504061302555331153013060355040a130c446967694365727420496e6331193017060355040b1310777777"
    "2e64696769636572742e636f6d312430220603550403131b4469676943657274204173737572656420494420526f6f74204341";
constexpr const char* kBothFingerprint = "3e9099b5015e8f486c00bcea9d111ee721faba355a89bcf1df69561e3dc6325c";

// Root is one that NSS trusts for e-mail up to a date alone, as its certdata.txt has it.
struct Root {
    std::vector<std::string> name;  // TYPE=VALUE
    std::string distrust_after;
};

std::vector<Root> distrusted_roots() {
    const auto verisign = [](const std::string& number) {
        return std::vector<std::string>{"C=US", "O=VeriSign, Inc.", "OU=VeriSign Trust Network",
                                        "OU=(c) 1999 VeriSign, Inc. - For authorized use only",
                                        "CN=VeriSign Class " + number + " Public Primary Certification Authority - G3"};
    };
    const auto symantec = [](const std::string& number) {
        return std::vector<std::string>{"C=US", "O=Symantec Corporation", "OU=Symantec Trust Network",
                                        "CN=Symantec Class " + number + " Public Primary Certification Authority - G6"};
    };
    const auto trustcor = [](const std::string& name) {
        return std::vector<std::string>{"C=PA",
                                        "ST=Panama",
                                        "L=Panama City",
                                        "O=TrustCor Systems S. de R.L.",
                                        "OU=TrustCor Certificate Authority",
                                        "CN=" + name};
    };
    return {
        {verisign("1"), "2022-08-31T00:00:00Z"},
        {verisign("2"), "2022-08-31T00:00:00Z"},
        {symantec("1"), "2022-08-31T00:00:00Z"},
        {symantec("2"), "2022-08-31T00:00:00Z"},
        {trustcor("TrustCor RootCert CA-1"), "2022-11-30T00:00:00Z"},
        {trustcor("TrustCor RootCert CA-2"), "2022-11-30T00:00:00Z"},
        {trustcor("TrustCor ECA-1"), "2022-11-30T00:00:00Z"},
        {{"C=EU", "O=AC Camerfirma SA CIF A82743287", "OU=http://www.chambersign.org", "CN=Chambers of Commerce Root"},
         "2021-03-01T00:00:00Z"}};
}

Bytes name_der(const std::vector<std::string>& parts) {
    const NameHandle name(X509_NAME_new());
    for (const std::string& part : parts) {
        const std::size_t equals = part.find('=');
        X509_NAME_add_entry_by_txt(name.get(), part.substr(0, equals).c_str(), MBSTRING_UTF8,
                                   bytes_of(part).data() + equals + 1, -1, -1, 0);
    }
    return cms::encode(name.get(), i2d_X509_NAME);
}

}  // namespace

TEST_CASE("roots that Mozilla trusts for e-mail are found by subject, and TLS-only ones are not") {
    const auto anchors = token::open_email_anchors("");
    if (!anchors) {
        skip("libnssckbi.so is not installed");
        return;
    }
    const auto email = anchors->by_subject(from_hex(kEmailOnly));
    REQUIRE(email.size() == 1);
    CHECK(email[0].fingerprint_sha256() == kEmailOnlyFingerprint);
    const auto both = anchors->by_subject(from_hex(kBoth));
    REQUIRE(both.size() == 1);
    CHECK(both[0].fingerprint_sha256() == kBothFingerprint);
    CHECK(anchors->by_subject(from_hex(kTlsOnly)).empty());
    CHECK(anchors->by_subject(from_hex("3000")).empty());
}

TEST_CASE("e-mail roots are found by a name that is written in another way") {
    const auto anchors = token::open_email_anchors("");
    if (!anchors) {
        skip("libnssckbi.so is not installed");
        return;
    }
    const auto rewritten = [](const char* name) {
        Bytes der = from_hex(name);
        for (std::size_t i = 0; i + 3 < der.size(); ++i)
            if (der[i] == 0x55 && der[i + 1] == 0x04 && der[i + 3] == 0x13) der[i + 3] = 0x0c;  // UTF8String
        der.back() ^= 0x20;  // the last letter in the other case
        return der;
    };
    const Bytes both = rewritten(kBoth);
    CHECK(both != from_hex(kBoth));
    const auto found = anchors->by_subject(both);
    REQUIRE(found.size() == 1);
    CHECK(found[0].fingerprint_sha256() == kBothFingerprint);
    CHECK(anchors->by_subject(rewritten("3011310f300d06035504030c064e6f626f6479")).empty());
}

TEST_CASE("e-mail roots are found by issuer and serial number") {
    const auto anchors = token::open_email_anchors("");
    if (!anchors) {
        skip("libnssckbi.so is not installed");
        return;
    }
    const auto found = anchors->by_identifier(
        {.issuer_der = from_hex(kEmailOnly), .serial_der = from_hex(kEmailOnlySerial), .key_identifier = {}});
    REQUIRE(found.size() == 1);
    CHECK(found.front().fingerprint_sha256() == kEmailOnlyFingerprint);
    CHECK(anchors
              ->by_identifier(
                  {.issuer_der = from_hex(kEmailOnly), .serial_der = from_hex("020101"), .key_identifier = {}})
              .empty());
    CHECK(anchors->by_identifier({.issuer_der = {}, .serial_der = {}, .key_identifier = {0x01}}).empty());
}

TEST_CASE("a module for the anchors that is not there is an error once it is needed") {
    const auto anchors = token::open_email_anchors("/nowhere/libnssckbi.so");
    REQUIRE(anchors);
    const Error error = error_of([&] { anchors->by_subject(from_hex(kBoth)); });
    CHECK(error.kind() == ErrorKind::token);
    CHECK_THAT(error.what(), Catch::Contains("the roots that Mozilla trusts for e-mail cannot be read: "));
    CHECK_THAT(error.hint(), Catch::Contains("libnss3") && Catch::Contains("--no-default-ca with --ca"));
    CHECK_THAT(error.hint(), !Catch::Contains("--module"));
}

TEST_CASE("roots that Mozilla distrusts after a date have that date, and others none") {
    const auto anchors = token::open_email_anchors("");
    if (!anchors) {
        skip("libnssckbi.so is not installed");
        return;
    }
    std::size_t there = 0;
    for (const Root& root : distrusted_roots())
        for (const cms::Certificate& each : anchors->by_subject(name_der(root.name))) {
            CAPTURE(each.subject());
            ++there;
            const auto date = cms::trust_settings(each).distrust_after;
            REQUIRE(date);
            CHECK(cms::format_time(*date) == root.distrust_after);
            const auto again = anchors->by_identifier(
                {.issuer_der = each.issuer_der(), .serial_der = each.serial_der(), .key_identifier = {}});
            REQUIRE(again.size() == 1);
            CHECK(cms::trust_settings(again.front()).distrust_after == date);
        }
    for (const char* name : {kEmailOnly, kBoth})
        CHECK_FALSE(cms::trust_settings(anchors->by_subject(from_hex(name)).at(0)).distrust_after);
    if (there == 0) skip("this libnssckbi.so has no root with such a date");
}

TEST_CASE("a root that Mozilla distrusts altogether is told of as one") {
    constexpr const char* kModule = "/usr/lib/x86_64-linux-gnu/libnssckbi.so";
    if (!std::filesystem::exists(kModule) ||
        read_file(kModule).find("Explicitly Distrust DigiNotar Root CA") == std::string::npos) {
        skip("libnssckbi.so is not where this test looks, or does not tell of DigiNotar");
        return;
    }
    const auto found = token::open_email_anchors(kModule)->by_subject(
        name_der({"C=NL", "O=DigiNotar", "CN=DigiNotar Root CA", "emailAddress=info@diginotar.nl"}));
    REQUIRE(found.size() == 1);
    CHECK(cms::trust_settings(found.front()).distrust_after == cms::kDistrusted);
}

TEST_CASE("a root with a date of distrust that cannot be read is distrusted") {
    constexpr const char* kModule = "/usr/lib/x86_64-linux-gnu/libnssckbi.so";
    if (!std::filesystem::exists(kModule)) {
        skip("libnssckbi.so is not where this test looks");
        return;
    }
    PoorCard card;
    setenv("P11MIME_POOR_CARD_MODULE", kModule, 1);
    card.set("unreadable-distrust-date");
    const auto anchors = token::open_email_anchors(PoorCard::module());
    CHECK(anchors->by_subject(from_hex(kBoth)).size() == 1);
    CHECK_FALSE(cms::trust_settings(anchors->by_subject(from_hex(kBoth)).front()).distrust_after);
    for (const Root& root : distrusted_roots())
        for (const cms::Certificate& each : anchors->by_subject(name_der(root.name)))
            CHECK(cms::trust_settings(each).distrust_after == cms::kDistrusted);
}
