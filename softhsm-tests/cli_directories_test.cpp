// Searches for certificates in LDAP directories: what is asked, and what is made of the answer.

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "cli/directories.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/evidence.h"

using namespace p11mime;
using namespace p11mime::cli;
using p11mime::cms::Certificate;
using namespace p11mime::test;

namespace {

constexpr const char* kDirectory = "ldap://ldap.example.gov/dc=example,dc=gov";

FoundCertificates found(std::vector<DirectoryEntry::Value> values) {
    const DirectoryEntry entry{"cn=Bob", std::move(values)};
    return certificates_of({&entry, 1});
}

}  // namespace

TEST_CASE("an address is searched for below a directory's base") {
    CHECK(search_url(kDirectory, "bob@example.gov") ==
          "ldap://ldap.example.gov/dc=example,dc=gov?userCertificate,userSMIMECertificate?sub?(mail=bob@example.gov)");
}

TEST_CASE("an address with a domain beyond ASCII is searched for in both forms") {
    const std::string ascii = "(mail=bob@xn--bcher-kva.example)";
    CHECK(search_url(kDirectory, "bob@bücher.example")
              .ends_with("?sub?(%7c" + ascii + "(mail=bob@b%5cc3%5cbccher.example))"));
    CHECK(search_url(kDirectory, "bob@xn--bcher-kva.example").ends_with("?sub?" + ascii));
}

TEST_CASE("nothing in an address widens a search, or ends the URL") {
    // RFC 4515 section 3: these characters are written as a backslash and their hexadecimal form; RFC 3986: a URL
    // writes a backslash as %5c.
    CHECK(search_url(kDirectory, "*)(mail=*").ends_with("(mail=%5c2a%5c29%5c28mail%5c3d%5c2a)"));
    CHECK(search_url(kDirectory, "a?b#c%d\\e f@x").ends_with("(mail=a%5c3fb%5c23c%5c25d%5c5ce%5c20f@x)"));
    CHECK(search_url(kDirectory, "ü@x").ends_with("(mail=%5cc3%5cbc@x)"));
}

TEST_CASE("what is no directory is a usage error with an example") {
    for (const std::string wrong : {"", "ldap.example.gov", "http://ldap.example.gov/dc=example", "ldap://host",
                                    "ldap://host/", "ldap:///dc=example", "ldap://host/dc=example?mail"}) {
        const Error error = caught([&] { (void)search_url(wrong, "bob@example.gov"); });
        CHECK(error.kind() == ErrorKind::usage);
        CHECK_THAT(error.hint(), Catch::Contains("ldap://"));
    }
}

TEST_CASE("certificates of both attributes are found, each once") {
    const CmsBench bench;
    const SoftwareKey bob = bench.bob(), carol = bench.issue({});
    const std::string smime =
        bench.openssl({"crl2pkcs7", "-nocrl", "-outform", "DER", "-certfile", bench.certificate_file(carol)});
    CHECK(found({{"userCertificate", bob.certificate.der()},
                 {"USERCERTIFICATE", bob.certificate.der()},
                 {"userSMIMECertificate", to_bytes(bytes_of(smime))}})
              .certificates == std::vector{bob.certificate, carol.certificate});
    CHECK(certificates_of({}).certificates.empty());
}

TEST_CASE("what is no certificate in a directory's answer is counted, and does no harm to what is one") {
    const CmsBench bench;
    const Bytes bob = bench.bob().certificate.der();
    const Bytes cut(bob.begin(), bob.begin() + 100);
    const FoundCertificates none = found({{"jpegPhoto", bob}, {"userCertificate", cut}, {"userCertificate", {}}});
    CHECK(none.certificates.empty());
    CHECK(none.broken == 2);
    const FoundCertificates one = found({{"userCertificate", cut}, {"userCertificate", bob}});
    CHECK(one.certificates.size() == 1);
    CHECK(one.broken == 1);
    CHECK(found({{"userCertificate", bob}}).broken == 0);
}

TEST_CASE("no more certificates are taken from a directory than the limit") {
    const CmsBench bench;
    const PrivateKey key = new_private_key(KeyKind::p256);
    std::vector<DirectoryEntry::Value> values;
    for (std::size_t i = 0; i < kMaxFound + 5; ++i) {
        CertificateSpec spec;
        spec.name = fmt::format("Alice {}", i);
        values.push_back({"userCertificate", certify_key(key, spec, &bench.root).der()});
    }
    values.push_back(values.front());  // counts once
    CHECK(found(values).certificates.size() == kMaxFound);
    CHECK(found(values).left_out == 5);
}

TEST_CASE("the CRLs in a directory's answer count whatever is beside them, and those that are broken are counted") {
    const SoftwareKey root = certify(authority_spec("Root"));
    const Bytes crl = make_crl({}, root);
    const std::string base64 =
        run_process({.arguments = {"openssl", "base64", "-A"}, .input = std::string(text_of(crl))}).out;
    const auto found = [&](const std::string& lines) { return crls_of(directory_entries("DN: o=Example\n" + lines)); };
    for (const char* name : {"certificateRevocationList;binary", "certificaterevocationlist", "AUTHORITYREVOCATIONLIST",
                             "deltaRevocationList;binary"}) {
        const FoundCrls all = found("\t" + std::string(name) + ":: " + base64 + "\n\tcn: Root\n");
        REQUIRE(all.crls.size() == 1);
        CHECK(all.crls[0].der() == crl);
        CHECK(all.broken == 0);
    }
    const FoundCrls beside =
        found("\tauthorityRevocationList;binary:: MAA=\n\tcertificateRevocationList;binary:: " + base64 + "\n");
    CHECK(beside.crls.size() == 1);
    CHECK(beside.broken == 1);
}

TEST_CASE("an authority's certificate is found by any case of its attribute, and beside one that is broken") {
    const SoftwareKey root = certify(authority_spec("Root"));
    DirectoryEntry entry;
    entry.values = {{"cACertificate", Bytes{0x30, 0}}, {"cacertificate", root.certificate.der()}};
    CHECK(certificates_of({&entry, 1}, Holder::authority).certificates == std::vector{root.certificate});
    CHECK(certificates_of({&entry, 1}).certificates.empty());
}
