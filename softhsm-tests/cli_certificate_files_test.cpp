#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "cli/certificate_files.h"
#include "mime/error.h"
#include "softhsm-tests/support/pki.h"
#include "softhsm-tests/support/process.h"
#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime;
using namespace p11mime::cli;

namespace {

cms::Certificate certificate(std::string_view pem) {
    return cms::Certificate::from_file_bytes(bytes_of(pem)).at(0);
}

void no_warning(const std::string& line) {
    FAIL(line);
}

}  // namespace

TEST_CASE("certificates come from files and from directories, where other files are passed over", "[cli]") {
    const test::TemporaryDirectory directory;
    const test::TestPki pki;
    const cms::Certificate root = certificate(pki.root_pem());
    const cms::Certificate intermediate = certificate(pki.intermediate_pem());
    test::write_file(directory / "bundle.pem", pki.root_pem() + pki.intermediate_pem());
    std::filesystem::create_directory(directory / "certs");
    test::write_file(directory / "certs/README", "no certificate");
    test::write_file(directory / "certs/ca.cer", text_of(intermediate.der()));

    CertificateFiles bundle({directory / "bundle.pem"}, no_warning);
    CHECK(bundle.by_subject(root.subject_der()).size() == 1);
    CHECK(bundle.by_subject(intermediate.subject_der()).size() == 1);
    CertificateFiles certs({directory / "certs"}, no_warning);
    CHECK(certs.by_subject(root.subject_der()).empty());
    CHECK(certs.by_subject(intermediate.subject_der()).size() == 1);
    CHECK(certs.by_identifier({intermediate.issuer_der(), intermediate.serial_der(), {}}).size() == 1);
}

TEST_CASE("a certificate file that is named must be one", "[cli]") {
    const test::TemporaryDirectory directory;
    CHECK_THROWS_WITH(CertificateFiles({directory / "missing"}, no_warning), Catch::Contains("missing"));
    test::write_file(directory / "text", "no certificate");
    CertificateFiles text({directory / "text"}, no_warning);
    CHECK_THROWS_WITH(text.by_subject(Bytes{0x30, 0x00}), "not a certificate: '" + (directory / "text") + "'");
}

TEST_CASE("a certificate that is broken is told of, and what is with it in a file does not count", "[cli]") {
    const test::TemporaryDirectory directory;
    const test::TestPki pki;
    const cms::Certificate root = certificate(pki.root_pem());
    std::filesystem::create_directory(directory / "certs");
    const std::string file = directory / "certs/bundle.pem";
    test::write_file(file, pki.root_pem() + "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n" +
                               pki.intermediate_pem());
    CertificateFiles named({file}, no_warning);
    CHECK_THROWS_WITH(named.by_subject(root.subject_der()), "a certificate in '" + file + "' is broken");

    std::vector<std::string> warnings;
    CertificateFiles found({directory / "certs"}, [&](const std::string& line) { warnings.push_back(line); });
    CHECK(found.by_subject(root.subject_der()).empty());
    CHECK(found.by_subject(root.subject_der()).empty());
    CHECK(warnings == std::vector{"a certificate in '" + file + "' is broken; what is in that file does not count"});
}

TEST_CASE("the machine's store is looked up by the hashed names that openssl gives", "[cli]") {
    const test::TemporaryDirectory directory;
    const test::TestPki pki;
    const cms::Certificate root = certificate(pki.root_pem());
    test::write_file(directory / "root.pem", pki.root_pem());
    REQUIRE(test::run_process({.arguments = {"openssl", "rehash", directory.path().string()}}).status == 0);
    setenv("SSL_CERT_DIR", directory.path().c_str(), 1);
    SystemAnchors anchors;
    REQUIRE(anchors.by_subject(root.subject_der()).size() == 1);
    CHECK(anchors.by_subject(root.subject_der())[0] == root);
    CHECK(anchors.by_subject(certificate(pki.intermediate_pem()).subject_der()).empty());
    CHECK(anchors.by_subject(Bytes{0x01}).empty());
    unsetenv("SSL_CERT_DIR");
}
