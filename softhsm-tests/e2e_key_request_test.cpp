// Keys and requests for their certificates, by what the certificate is to be for.

#include <catch2/catch.hpp>

#include "softhsm-tests/support/office.h"

using namespace p11mime::test;

namespace {

constexpr const char* kBob = "bob@example.org";

/// usage_of is the line below a heading in what `openssl req -text` shows, or "".
std::string below(const std::string& text, const std::string& heading) {
    const std::size_t at = text.find(heading);
    if (at == std::string::npos) return {};
    const std::size_t begin = text.find_first_not_of(' ', text.find('\n', at) + 1);
    return text.substr(begin, text.find('\n', begin) - begin);
}

std::string shown(const Office& office, const std::string& request) {
    return done(office.desk.run({"openssl", "req", "-in", request, "-verify", "-noout", "-text"}));
}

/// uses_of_key is what pkcs11-tool says that the private key with a label may do.
std::string uses_of_key(const Office& office, const std::string& label) {
    const std::string list =
        done(office.desk.run({"pkcs11-tool", "--module", SoftHsm::module(), "--token-label", "Desk", "--login", "--pin",
                              std::string(kUserPin), "-O", "--type", "privkey"}));
    const std::size_t usage = list.find("Usage:", list.find(label));
    return list.substr(usage, list.find('\n', usage) - usage);
}

/// certify has the test CA issue what a request asks for, and puts the certificate on the token.
std::string certify(Office& office, const std::string& request) {
    const std::string issued = office.desk.file("issued.pem", office.pki.issue_for_request(read_file(request)));
    done(office.desk.p11mime({"key", "import-cert", issued}));
    return issued;
}

std::string encrypted_to(const Office& office, const std::string& certificate) {
    const std::string entity = office.desk.file("entity", kText);
    return done(office.desk.run({"openssl", "cms", "-encrypt", "-binary", "-aes-256-cbc", "-in", entity, certificate}));
}

}  // namespace

TEST_CASE("key generate --csr asks for a certificate by profile, and with what the CA issues it does that and no more",
          "[e2e]") {
    Office office;
    struct Row {
        std::string type, profile, usage;
        bool decrypts, agrees;
    };
    for (const Row& row :
         {Row{"rsa2048", "sign", "Digital Signature", false, false},
          Row{"rsa2048", "encrypt", "Key Encipherment", true, false},
          Row{"rsa2048", "both", "Digital Signature, Key Encipherment", true, false},
          Row{"p256", "sign", "Digital Signature", false, false}, Row{"p256", "encrypt", "Key Agreement", false, true},
          Row{"p256", "both", "Digital Signature, Key Agreement", false, true}}) {
        const std::string label = row.type + "-" + row.profile;
        INFO(label);
        const std::string email = label + "@example.gov";
        const std::string request = office.desk.path(label + ".csr");
        const Outcome made = office.desk.p11mime({"key", "generate", "--type", row.type, "--label", label, "--csr",
                                                  "--profile", row.profile, "--email", email, "-o", request});
        INFO(made.err);
        REQUIRE(made.status == 0);
        CHECK(made.out.empty());
        CHECK_THAT(made.err, Catch::Contains("the key is pkcs11:") && Catch::Contains("object=" + label));

        const std::string text = shown(office, request);
        CHECK(below(text, "X509v3 Key Usage: critical") == row.usage);
        CHECK(below(text, "X509v3 Extended Key Usage:") == "E-mail Protection");
        CHECK(below(text, "X509v3 Subject Alternative Name:") == "email:" + email);
        const std::string uses = uses_of_key(office, label);
        CHECK_THAT(uses, Catch::Contains("sign"));
        if (row.type == "rsa2048") CHECK((uses.find("decrypt") != std::string::npos) == row.decrypts);
        CHECK((uses.find("derive") != std::string::npos) == row.agrees);

        const std::string certificate = certify(office, request);
        const Outcome signed_mail = office.desk.p11mime({"sign"}, mail(email, kBob));
        INFO(signed_mail.err);
        if (row.profile == "encrypt") {
            CHECK(signed_mail.status == 4);
            CHECK_THAT(signed_mail.err, Catch::Contains("key usage does not allow signing"));
        } else {
            REQUIRE(signed_mail.status == 0);
            const std::string file = office.desk.file("signed.eml", signed_mail.out);
            CHECK(done(office.desk.run(Arguments{"openssl", "cms", "-verify", "-in", file} + office.peer_trust())) ==
                  kText);
        }
        if (row.profile != "sign")
            CHECK_THAT(done(office.desk.p11mime({"decrypt"}, encrypted_to(office, certificate))),
                       Catch::Contains("The second paragraph."));
        const Outcome sealed = office.desk.p11mime(
            Arguments{"encrypt", "--recipient-cert", certificate, "--no-self"} + office.trust(), mail(kBob, email));
        INFO(sealed.err);
        CHECK(sealed.status == (row.profile == "sign" ? 3 : 0));
    }
}

TEST_CASE("key csr asks by profile for a certificate of a key that is there", "[e2e]") {
    Office office;
    done(office.desk.p11mime({"key", "generate", "--type", "p384", "--label", "old"}));
    for (const auto& [profile, usage] :
         {std::pair<std::string, std::string>{"sign", "Digital Signature"}, {"encrypt", "Key Agreement"}}) {
        const std::string request = office.desk.path(profile + ".csr");
        done(office.desk.p11mime({"key", "csr", "--key", "pkcs11:object=old", "--profile", profile, "--email",
                                  "alice@example.gov", "--organization", "Example", "--country", "CH", "-o", request}));
        const std::string text = shown(office, request);
        CHECK(below(text, "X509v3 Key Usage: critical") == usage);
        CHECK_THAT(text, Catch::Contains("Subject: C = CH, O = Example, CN = alice@example.gov"));
    }
    const Outcome self_signed = office.desk.p11mime({"key", "self-sign", "--key", "pkcs11:object=old", "--profile",
                                                     "sign", "--email", "alice@example.gov", "-o", "-"});
    INFO(self_signed.err);
    REQUIRE(self_signed.status == 0);
    const std::string file = office.desk.file("self.pem", self_signed.out);
    CHECK(below(done(office.desk.run({"openssl", "x509", "-in", file, "-noout", "-text"})),
                "X509v3 Key Usage: critical") == "Digital Signature");
}

TEST_CASE("a request that cannot be had is refused before a key is made", "[e2e]") {
    Office office;
    const Arguments generate{"key", "generate", "--label", "new", "--type"};
    const Arguments request{"--csr", "--email", "alice@example.gov"};
    struct Row {
        Arguments options;
        int status;
        std::string said;
    };
    for (const Row& row : {Row{Arguments{"ed25519", "--profile", "encrypt"} + request, 2, "only sign"},
                           Row{Arguments{"x25519", "--profile", "sign"}, 2, "only agree"},
                           Row{Arguments{"x25519"} + request, 2, "cannot sign a request"},
                           Row{Arguments{"p256", "--profile", "everything"}, 2, "--profile"},
                           Row{Arguments{"p256", "--csr"}, 2, "--email"},
                           Row{Arguments{"p256", "--email", "alice@example.gov"}, 2, "--email is for --csr"},
                           Row{Arguments{"p256", "--csr", "--email", "nobody"}, 2, "--email does not take 'nobody'"}}) {
        const Outcome outcome = office.desk.p11mime(generate + row.options);
        INFO(outcome.err);
        CHECK(outcome.status == row.status);
        CHECK(outcome.out.empty());
        CHECK_THAT(outcome.err, Catch::Contains(row.said));
    }
    const std::string keys = done(office.desk.p11mime({"tokens", "--login", "--pin-source", "env:DESK_PIN"}));
    CHECK_THAT(keys, !Catch::Contains("'new'"));
}
