// A wrong key never yields content. Unauthenticated CBC is the hard case: a random content key passes the padding check
// once in about 250 times.

#include <openssl/cms.h>
#include <openssl/pem.h>

#include <catch2/catch.hpp>

#include "cms/handle.h"
#include "cms/smime/read.h"
#include "mime/error.h"
#include "softhsm-tests/support/office.h"
#include "token/token.h"

using namespace p11mime;
using namespace p11mime::test;

namespace {

using CmsHandle = Handle<CMS_ContentInfo, CMS_ContentInfo_free>;

class FixedPin final : public token::PinProvider {
  public:
    std::optional<token::Pin> pin(const token::PinRequest&) override {
        return token::Pin{SecretBytes(bytes_of(kUserPin)), false};
    }
    bool use_reader(const token::PinRequest&) override { return true; }
    void say(const std::string&) override {}
    void ended(const token::PinRequest&, const token::Pin*, token::LoginOutcome) override {}
};

/// encrypt is openssl's CMS in DER.
std::string encrypt(X509* to, const std::string& content) {
    const Handle<STACK_OF(X509), [](STACK_OF(X509) * stack) { sk_X509_free(stack); }> recipients(sk_X509_new_null());
    sk_X509_push(recipients.get(), to);
    const BioHandle in(BIO_new_mem_buf(content.data(), static_cast<int>(content.size())));
    const CmsHandle cms(CMS_encrypt(recipients.get(), in.get(), EVP_aes_128_cbc(), CMS_BINARY));
    const BioHandle out(BIO_new(BIO_s_mem()));
    REQUIRE(i2d_CMS_bio(out.get(), cms.get()) == 1);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string in_mail(const std::string& der) {
    std::string base64(der.size() * 2, '\0');
    base64.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(base64.data()),
                                                           reinterpret_cast<const unsigned char*>(der.data()),
                                                           static_cast<int>(der.size()))));
    return mail("alice@example.gov", "bob@example.org",
                "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n"
                "Content-Transfer-Encoding: base64\r\n\r\n" +
                    base64 + "\r\n");
}

X509Handle certificate(const Identity& identity) {
    const BioHandle in(BIO_new_mem_buf(identity.certificate_pem.data(), -1));
    return X509Handle(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
}

}  // namespace

TEST_CASE("2,000 CBC mails decrypted with a wrong RSA key of the right size all fail", "[e2e]") {
    // The token's certificate is the recipient's, its key another one.
    Office office;
    const Identity bob = office.correspond({.name = "Bob", .email = "bob@example.org"});
    Identity impostor = office.pki.issue({.name = "Impostor", .email = "bob@example.org"});
    impostor.certificate_pem = bob.certificate_pem;
    office.desk.put(impostor, "01");
    setenv("SOFTHSM2_CONF", office.desk.environment["SOFTHSM2_CONF"].c_str(), 1);

    FixedPin pins;
    const auto tokens = token::Tokens::open({.modules = {SoftHsm::module()}, .token = {}}, pins);
    const X509Handle recipient = certificate(bob);
    int failed = 0;
    int padding_passed = 0;
    for (int i = 0; i < 2000; ++i) {
        // Short content, so that the padding of the last block alone decides; every other one in a mail.
        const std::string der = encrypt(recipient.get(), "Content-Type: text/plain\r\n\r\nMail " + std::to_string(i));
        const std::string message = i % 2 == 0 ? der : in_mail(der);
        ViewSource input(bytes_of(message));
        BytesSink output;
        const auto job = cms::smime::read_job(tokens.get(), nullptr, {.task = cms::smime::Task::decrypt});
        try {
            while (!job->pass(input, output)) {
                input = ViewSource(bytes_of(message));
                output.bytes.clear();
            }
            if (job->report().exit_status() != 0) ++failed;
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::failed) ++failed;
            INFO(error.what());
            CHECK(error.kind() == ErrorKind::failed);
        }
        if (!output.bytes.empty()) ++padding_passed;
    }
    INFO(padding_passed << " got as far as giving out bytes, which the program holds back until the end");
    CHECK(failed == 2000);
}

TEST_CASE("the program says the same of a wrong key, a changed key and changed content", "[e2e]") {
    Office office;
    const Identity bob = office.correspond({.name = "Bob", .email = "bob@example.org"});
    Identity impostor = office.pki.issue({.name = "Impostor", .email = "bob@example.org"});
    impostor.certificate_pem = bob.certificate_pem;
    office.desk.put(impostor, "01");
    const std::string file = office.desk.path("out.eml");
    std::string said;
    for (int i = 0; i < 12; ++i) {
        const std::string message = encrypt(certificate(bob).get(), std::string(kText) + std::to_string(i));
        const Outcome outcome = office.desk.p11mime({"decrypt", "-o", file}, message);
        INFO(outcome.err);
        CHECK(outcome.status == 1);
        CHECK_FALSE(std::filesystem::exists(file));
        if (said.empty()) said = outcome.err;
        CHECK(outcome.err == said);
    }
}
