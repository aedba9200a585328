// Whether certificates are revoked, asked of real servers on loopback.

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cms/sources.h"
#include "softhsm-tests/support/built.h"
#include "softhsm-tests/support/desk.h"
#include "softhsm-tests/support/directory_server.h"
#include "softhsm-tests/support/evidence.h"
#include "softhsm-tests/support/http_server.h"
#include "softhsm-tests/support/mail.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/temporary_directory.h"

using namespace p11mime;
using namespace p11mime::test;
using nlohmann::json;

namespace {

constexpr std::string_view kMail = "From: alice@example.gov\r\nTo: bob@example.gov\r\nSubject: x\r\n\r\nHello\r\n";

std::string text(const Bytes& bytes) {
    return {bytes.begin(), bytes.end()};
}

// Web is a server whose files and responder can be set while it runs.
struct Web {
    std::map<std::string, std::string> files;
    std::function<std::string(const std::string&)> respond;
    HttpServer server{[this](const HttpServer::Request& request) {
        if (request.method == "POST" && respond)
            return HttpServer::Answer{.type = "application/ocsp-response", .body = respond(request.body)};
        const auto found = files.find(request.path);
        if (found == files.end()) return HttpServer::Answer{.status = 404};
        return HttpServer::Answer{.body = found->second};
    }};
};

// Bureau is a root, whom it certifies, and a desk whose config lets it ask the server on loopback.
struct Bureau {
    Bureau() {
        desk.environment["XDG_CONFIG_HOME"] = desk.path("config");
        desk.environment["XDG_CACHE_HOME"] = desk.path("cache");
        std::filesystem::create_directories(desk.path("config/p11mime"));
        allow("private-hosts = 127.0.0.1\n");
        desk.file("ca.pem", root.certificate.pem());
        desk.file("ca.key", root.key_pem());
    }
    void allow(const std::string& config) const { desk.file("config/p11mime/config", config); }

    SoftwareKey certify_alice(const std::string& extensions, const SoftwareKey* issuer = nullptr) const {
        return certify({.more_extensions = extensions}, issuer == nullptr ? &root : issuer);
    }
    std::string at(const std::string& path) const { return "crlDistributionPoints=URI:" + web.server.url(path); }

    /// signed_by is a mail that openssl has signed, without any other certificate.
    std::string signed_by(const SoftwareKey& signer) const {
        const std::string mail =
            done(desk.run({"openssl", "cms", "-sign", "-signer", desk.file("signer.pem", signer.certificate.pem()),
                           "-inkey", desk.file("signer.key", signer.key_pem())},
                          std::string(kMail.substr(kMail.find("\r\n\r\n") + 2))));
        return std::string(kMail.substr(0, kMail.find("\r\n\r\n") + 2)) + mail;
    }
    Outcome verify(const std::string& mail, const Arguments& more) const {
        Arguments arguments{
            "verify", "-n", "--no-default-ca", "--ca", desk.path("ca.pem"), "--json", desk.path("report.json")};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return desk.p11mime(arguments, mail);
    }
    json signer(const std::string& mail, const Arguments& more) const {
        const Outcome outcome = verify(mail, more);
        INFO(outcome.err);
        const json report = json::parse(read_file(desk.path("report.json")));
        CHECK(report["exit"] == outcome.status);
        return report["layers"][0]["signers"][0];
    }

    Web web;
    SoftwareKey root = certify(authority_spec("Root"));
    Desk desk;
};

const Arguments kOnline{"--revocation", "online"};

}  // namespace

TEST_CASE("a CRL is fetched where online use is asked for, and the cache serves after that without any socket") {
    Bureau bureau;
    const SoftwareKey alice = bureau.certify_alice(bureau.at("/root.crl"));
    bureau.web.files["/root.crl"] = text(make_crl({}, bureau.root));
    const std::string mail = bureau.signed_by(alice);

    const json offline = bureau.signer(mail, {});
    CHECK(offline["revocation"] == "unknown");
    CHECK(offline["revocation_reason"].get<std::string>().find("--revocation online asks") != std::string::npos);
    CHECK(offline["chain"] == "trusted");
    CHECK(bureau.signer(mail, {"--revocation", "off"})["revocation"] == "not_checked");
    CHECK(bureau.web.server.requests().empty());
    CHECK(bureau.verify(mail, {"--require-revocation"}).status == 3);

    CHECK(bureau.signer(mail, kOnline)["revocation"] == "good");
    CHECK(bureau.web.server.requests() == Arguments{"GET /root.crl"});

    bureau.desk.launcher = {built_path("p11mime-without"), "sockets"};
    for (const Arguments& how : {Arguments{}, kOnline, Arguments{"--revocation", "online", "--require-revocation"}}) {
        const Outcome outcome = bureau.verify(mail, how);
        CAPTURE(outcome.err);
        CHECK(outcome.status == 0);
        CHECK(bureau.signer(mail, how)["revocation"] == "good");
    }
    // The launcher does forbid sockets: without the cache, the fetch is the program's end.
    std::filesystem::remove_all(bureau.desk.path("cache"));
    CHECK(bureau.verify(mail, kOnline).status == 128 + 31);
    CHECK(bureau.web.server.requests().size() == 1);
}

TEST_CASE("a certificate that a fetched CRL lists is not trusted, for signatures and as a recipient's") {
    Bureau bureau;
    const SoftwareKey alice = bureau.certify_alice(bureau.at("/root.crl"));
    bureau.web.files["/root.crl"] =
        text(make_crl({.entries = {{.certificate = alice.certificate, .reason = "keyCompromise"}}}, bureau.root));
    const std::string mail = bureau.signed_by(alice);
    const Outcome outcome = bureau.verify(mail, kOnline);
    CHECK(outcome.status == 3);
    CHECK(outcome.err.find("CN=Alice,O=Example is revoked since") != std::string::npos);
    CHECK(bureau.signer(mail, kOnline)["revocation"] == "revoked");

    const std::string recipient = bureau.desk.file("alice.pem", alice.certificate.pem());
    // Whoever has the key reads what is encrypted now, so that it was good once is no way out.
    for (const Arguments& when : {Arguments{}, Arguments{"--at", "2001-01-01T00:00:00Z"}}) {
        const Outcome encrypted =
            bureau.desk.p11mime(Arguments{"encrypt", "--no-default-ca", "--ca", bureau.desk.path("ca.pem"),
                                          "--recipient-cert", recipient, "--no-self", "--revocation", "online"} +
                                    when,
                                std::string(kMail));
        CHECK(encrypted.status == 3);
        CHECK(encrypted.out.empty());
        CHECK(encrypted.err.find("is revoked since") != std::string::npos);
        // What an issuer says of an anchor of one's own counts too: that is no remedy.
        CHECK(encrypted.err.find("ask them for another certificate") != std::string::npos);
        CHECK(encrypted.err.find("--allow-untrusted-recipients") == std::string::npos);
        CHECK(encrypted.err.find("--ca") == std::string::npos);
    }
}

TEST_CASE("that servers were asked in vain about a recipient is told") {
    Bureau bureau;
    const SoftwareKey alice = bureau.certify_alice(bureau.at("/root.crl"));
    const std::string recipient = bureau.desk.file("alice.pem", alice.certificate.pem());
    const auto warned = [&](const Arguments& more) {
        Arguments arguments{"encrypt",
                            "--no-default-ca",
                            "--ca",
                            bureau.desk.path("ca.pem"),
                            "--recipient-cert",
                            recipient,
                            "--no-self",
                            "--json",
                            bureau.desk.path("report.json"),
                            "-o",
                            bureau.desk.path("mail")};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome outcome = bureau.desk.p11mime(arguments, std::string(kMail));
        CHECK(outcome.status == 0);
        const json warnings = json::parse(read_file(bureau.desk.path("report.json")))["warnings"];
        return std::any_of(warnings.begin(), warnings.end(), [](const json& each) {
            return each["kind"] == "revocation" &&
                   each["message"].get<std::string>().find("CN=Alice") != std::string::npos;
        });
    };
    CHECK(warned(kOnline));
    CHECK_FALSE(warned({}));
    bureau.web.files["/root.crl"] = text(make_crl({}, bureau.root));
    CHECK_FALSE(warned(kOnline));
}

TEST_CASE("who is known to be revoked since the time asked for is not remembered") {
    Bureau bureau;
    const SoftwareKey alice = bureau.certify_alice("");
    const std::string mail = bureau.signed_by(alice);
    const std::string at = cms::format_time(cms::SystemClock().now() - std::chrono::minutes(30));
    const auto verify = [&](const CrlSpec& crl) {
        const std::string file = bureau.desk.file("root.crl", text(make_crl(crl, bureau.root)));
        const Outcome outcome = bureau.verify(mail, {"--crl", file, "--at", at, "--remember"});
        INFO(outcome.err);
        CHECK(outcome.status == 0);
        return outcome.err;
    };
    CHECK_THAT(verify({.entries = {{.certificate = alice.certificate, .since = -10, .reason = "keyCompromise"}},
                       .this_update = -5}),
               Catch::Contains("is not remembered: the certificate of CN=Alice"));
    CHECK(done(bureau.desk.p11mime({"certs", "list"})).empty());
    verify({});
    CHECK_THAT(done(bureau.desk.p11mime({"certs", "list"})), Catch::Contains("CN=Alice"));
}

TEST_CASE("nothing is fetched for a certificate whose path leads to no anchor, nor from a private address") {
    Bureau bureau;
    const SoftwareKey stranger = certify(authority_spec("Stranger"));
    const std::string access = bureau.at("/root.crl") +
                               "\nauthorityInfoAccess=OCSP;URI:" + bureau.web.server.url("/ocsp") +
                               ",caIssuers;URI:" + bureau.web.server.url("/ca");
    const std::string mail = bureau.signed_by(bureau.certify_alice(access, &stranger));
    CHECK(bureau.verify(mail, kOnline).status == 3);
    CHECK(bureau.web.server.requests().empty());

    bureau.allow("");
    const std::string honest = bureau.signed_by(bureau.certify_alice(access));
    const json signer = bureau.signer(honest, kOnline);
    CHECK(signer["revocation"] == "unknown");
    CHECK(signer["revocation_reason"].get<std::string>().find("127.0.0.1 is no public address") != std::string::npos);
    CHECK(bureau.web.server.requests().empty());
    const std::string told = bureau.verify(honest, kOnline + Arguments{"--require-revocation"}).err;
    CHECK_THAT(told, Catch::Contains("if that is a server of your own network, 'private-hosts = 127.0.0.1' in the "
                                     "config allows it, and --crl FILE adds a CRL"));
    CHECK_THAT(told, !Catch::Contains("may answer later"));
}

TEST_CASE("no server hears of a mail that was changed, which still says so first") {
    Bureau bureau;
    const SoftwareKey between = certify(authority_spec("Between"), &bureau.root);
    bureau.web.files["/between"] = text(between.certificate.der());
    bureau.web.files["/root.crl"] = text(make_crl({}, bureau.root));
    const bool known_issuer = GENERATE(false, true);
    const std::string mail = bureau.signed_by(
        known_issuer
            ? bureau.certify_alice(bureau.at("/root.crl") +
                                   "\nauthorityInfoAccess=OCSP;URI:" + bureau.web.server.url("/ocsp"))
            : bureau.certify_alice("authorityInfoAccess=caIssuers;URI:" + bureau.web.server.url("/between"), &between));
    std::string changed = mail;
    changed.at(changed.find("\nHello") + 2) ^= 1;
    const Arguments asking{"--revocation", "online", "--fetch-issuers"};

    const Outcome outcome = bureau.verify(changed, asking);
    CHECK(outcome.status == 1);
    CHECK(outcome.err.find("INVALID") < outcome.err.find("chain"));
    const json signer = bureau.signer(changed, asking);
    CHECK(signer["integrity"] == "invalid");
    CHECK(signer["subject"] == "CN=Alice,O=Example");
    CHECK(signer["chain"] == (known_issuer ? "trusted" : "untrusted"));
    CHECK(signer["revocation"] == (known_issuer ? "unknown" : "not_checked"));
    if (known_issuer)
        CHECK(signer["revocation_reason"].get<std::string>().find("no server is asked") != std::string::npos);
    CHECK(bureau.web.server.requests().empty());

    CHECK(bureau.signer(mail, asking)["chain"] == "trusted");
    CHECK_FALSE(bureau.web.server.requests().empty());
    // What is at hand by then tells of the changed one too.
    if (known_issuer) CHECK(bureau.signer(changed, asking)["revocation"] == "good");
}

TEST_CASE("openssl's OCSP responder is asked with a nonce, and its answer is kept") {
    Bureau bureau;
    const SoftwareKey alice = bureau.certify_alice("authorityInfoAccess=OCSP;URI:" + bureau.web.server.url("/ocsp"));
    const auto index = [&](const std::string& line) {
        std::string serial = alice.certificate.serial_hex();
        for (char& c : serial)
            c = static_cast<char>(std::toupper(c));
        bureau.desk.file("index.txt", line + "\t" + serial + "\tunknown\t/O=Example/CN=Alice\n");
    };
    bureau.web.respond = [&](const std::string& request) {
        Arguments arguments{"openssl",  "ocsp",
                            "-index",   bureau.desk.path("index.txt"),
                            "-CA",      bureau.desk.path("ca.pem"),
                            "-rsigner", bureau.desk.path("ca.pem"),
                            "-rkey",    bureau.desk.path("ca.key"),
                            "-reqin",   bureau.desk.file("request.der", request),
                            "-respout", bureau.desk.path("response.der"),
                            "-ndays",   "1"};
        done(bureau.desk.run(arguments));
        return read_file(bureau.desk.path("response.der"));
    };
    const std::string mail = bureau.signed_by(alice);
    SECTION("good") {
        index("V\t350101000000Z\t");
        CHECK(bureau.signer(mail, kOnline)["revocation"] == "good");
        CHECK(bureau.web.server.requests() == Arguments{"POST /ocsp"});
        CHECK(bureau.signer(mail, {})["revocation"] == "good");
        CHECK(bureau.signer(mail, kOnline)["revocation"] == "good");
        CHECK(bureau.web.server.requests().size() == 1);
    }
    SECTION("revoked") {
        index("R\t350101000000Z\t250101000000Z,keyCompromise");
        CHECK(bureau.signer(mail, kOnline)["revocation"] == "revoked");
        CHECK(bureau.verify(mail, kOnline).status == 3);
    }
    SECTION("not known to it") {
        bureau.desk.file("index.txt", "V\t350101000000Z\t\t01\tunknown\t/CN=Other\n");
        const json signer = bureau.signer(mail, kOnline);
        CHECK(signer["revocation"] == "unknown");
        CHECK(signer["revocation_reason"].get<std::string>().find("does not know the certificate") !=
              std::string::npos);
    }
    SECTION("a response that was replayed is refused") {
        index("V\t350101000000Z\t");
        const auto honest = bureau.web.respond;
        std::string first;
        bureau.web.respond = [&](const std::string& request) {
            if (first.empty()) first = honest(request);
            return first;
        };
        CHECK(bureau.signer(mail, kOnline)["revocation"] == "good");
        std::filesystem::remove_all(bureau.desk.path("cache"));
        const json signer = bureau.signer(mail, kOnline);
        CHECK(signer["revocation"] == "unknown");
        CHECK(signer["revocation_reason"].get<std::string>().find("another request") != std::string::npos);
    }
}

TEST_CASE("CRLs come from files and directories too, and missing servers are told") {
    Bureau bureau;
    const SoftwareKey alice = bureau.certify_alice(bureau.at("/gone.crl"));
    const std::string mail = bureau.signed_by(alice);
    const json missing = bureau.signer(mail, kOnline);
    CHECK(missing["revocation"] == "unknown");
    CHECK(missing["revocation_reason"].get<std::string>().find("the server answers 404") != std::string::npos);

    const std::string crl = bureau.desk.file("root.crl", text(make_crl({}, bureau.root)));
    CHECK(bureau.signer(mail, {"--crl", crl})["revocation"] == "good");
    std::filesystem::create_directories(bureau.desk.path("crls"));
    done(bureau.desk.run({"openssl", "crl", "-inform", "DER", "-in", crl, "-out", bureau.desk.path("crls/root.pem")}));
    bureau.desk.file("crls/note.txt", "not a CRL");
    CHECK(bureau.signer(mail, {"--crl", bureau.desk.path("crls"), "--require-revocation"})["revocation"] == "good");
    CHECK(bureau.verify(mail, {"--crl", bureau.desk.path("crls/note.txt")}).status == 6);
    CHECK(bureau.verify(mail, {"--crl", bureau.desk.path("none")}).status == 7);
}

TEST_CASE("a CRL file and a fetched issuer count whose name is written in another way") {
    Bureau bureau;
    const auto shouting = [](const SoftwareKey& key, const std::string& name, const SoftwareKey* issuer) {
        return SoftwareKey{key.key, certify_key(key.key, authority_spec(name), issuer)};
    };
    const std::string crl = bureau.desk.file("root.crl", text(make_crl({}, shouting(bureau.root, "ROOT ", nullptr))));
    CHECK(bureau.signer(bureau.signed_by(bureau.certify_alice("")), {"--crl", crl})["revocation"] == "good");

    const SoftwareKey between = certify(authority_spec("Between"), &bureau.root);
    const SoftwareKey other = shouting(between, "BETWEEN", &bureau.root);
    bureau.web.files["/between"] = text(between.certificate.der());
    const SoftwareKey alice =
        bureau.certify_alice("authorityInfoAccess=caIssuers;URI:" + bureau.web.server.url("/between"), &other);
    REQUIRE(alice.certificate.issuer_der() != between.certificate.subject_der());
    CHECK(bureau.signer(bureau.signed_by(alice), {"--fetch-issuers"})["chain"] == "trusted");
}

TEST_CASE("a cache that is broken is said on the terminal and in the report, and made anew") {
    Bureau bureau;
    const SoftwareKey alice = bureau.certify_alice(bureau.at("/root.crl"));
    bureau.web.files["/root.crl"] = text(make_crl({}, bureau.root));
    std::filesystem::create_directories(bureau.desk.path("cache/p11mime"));
    bureau.desk.file("cache/p11mime/revocation.db", "this is no database, though it is long enough to look at");
    const std::string mail = bureau.signed_by(alice);
    const Outcome outcome = bureau.verify(mail, kOnline);
    CHECK(outcome.err.find("the revocation cache '") != std::string::npos);
    const json report = json::parse(read_file(bureau.desk.path("report.json")));
    CHECK(report["layers"][0]["signers"][0]["revocation"] == "good");
    REQUIRE(report["warnings"].size() == 1);
    CHECK(report["warnings"][0]["kind"] == "broken-file");
    CHECK(report["warnings"][0]["message"].get<std::string>().find("is broken") != std::string::npos);

    CHECK(bureau.signer(mail, {})["revocation"] == "good");
    CHECK(json::parse(read_file(bureau.desk.path("report.json")))["warnings"].empty());
}

TEST_CASE("the verdict is said before what is broken in files, and the report has both") {
    Bureau bureau;
    std::filesystem::create_directories(bureau.desk.path("crls"));
    bureau.desk.file("crls/broken.crl", "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n");
    const Outcome outcome =
        bureau.verify(bureau.signed_by(bureau.certify_alice("")), {"--crl", bureau.desk.path("crls")});
    CHECK_THAT(outcome.err,
               Catch::StartsWith("p11mime: Signed by ") && Catch::Contains("p11mime: warning: a CRL in '"));
    const json report = json::parse(read_file(bureau.desk.path("report.json")));
    REQUIRE(report["warnings"].size() == 1);
    CHECK(report["warnings"][0]["kind"] == "broken-file");
}

TEST_CASE("a revocation that a CRL told of which another mail had fetched is known after an older CRL took its place") {
    Bureau bureau;
    const auto certified = [&](const std::string& name) {
        return certify({.name = name, .more_extensions = bureau.at("/root.crl")}, &bureau.root);
    };
    const SoftwareKey alice = certified("Alice"), bob = certified("Bob"), carol = certified("Carol");
    const auto revocation = [&](const SoftwareKey& signer, const Arguments& how) {
        return bureau.signer(bureau.signed_by(signer), how)["revocation"];
    };
    bureau.web.files["/root.crl"] =
        text(make_crl({.entries = {{.certificate = bob.certificate, .reason = "keyCompromise"},
                                   {.certificate = carol.certificate, .reason = "certificateHold"}},
                       .number = 5},
                      bureau.root));
    CHECK(revocation(alice, kOnline) == "good");
    CHECK(revocation(bob, {}) == "revoked");

    // Whether Carol's is still on hold is asked, so that what is played back is kept.
    bureau.web.files["/root.crl"] = text(make_crl({.number = 4, .this_update = -60}, bureau.root));
    CHECK(revocation(carol, kOnline) == "revoked");
    for (const Arguments& how : {Arguments{}, kOnline}) {
        const std::string mail = bureau.signed_by(bob);
        CHECK(bureau.signer(mail, how)["revocation_reason"].get<std::string>().find("(key compromise)") !=
              std::string::npos);
        CHECK(bureau.verify(mail, how).status == 3);
        CHECK(revocation(alice, how) == "good");
    }
}

TEST_CASE("missing issuers are fetched where that is asked for, as a certificate and as PKCS#7") {
    Bureau bureau;
    const SoftwareKey between = certify(authority_spec("Between"), &bureau.root);
    const SoftwareKey alice =
        bureau.certify_alice("authorityInfoAccess=caIssuers;URI:" + bureau.web.server.url("/between"), &between);
    const std::string mail = bureau.signed_by(alice);
    const bool bundle = GENERATE(false, true);
    if (bundle)
        bureau.web.files["/between"] =
            done(bureau.desk.run({"openssl", "crl2pkcs7", "-nocrl", "-outform", "DER", "-certfile",
                                  bureau.desk.file("between.pem", between.certificate.pem())}));
    else
        bureau.web.files["/between"] = text(between.certificate.der());
    CHECK(bureau.verify(mail, kOnline).status == 3);
    CHECK(bureau.web.server.requests().empty());
    CHECK(bureau.signer(mail, {"--fetch-issuers"})["chain"] == "trusted");
    CHECK(bureau.web.server.requests() == Arguments{"GET /between"});
    bureau.web.files.clear();
    const Outcome failed = bureau.verify(mail, {"--fetch-issuers"});
    CHECK(failed.status == 3);
    CHECK_THAT(failed.err, Catch::Contains("CN=Alice") && Catch::Contains("CN=Between") &&
                               Catch::Contains("the server answers 404"));
    const json report = json::parse(read_file(bureau.desk.path("report.json")));
    CHECK_THAT(report["hint"].get<std::string>(), Catch::Contains("--intermediates"));
}

TEST_CASE("CRLs and issuers are fetched from a directory, and not from one with a private address") {
    Bureau bureau;
    const SoftwareKey between = certify(authority_spec("Between"), &bureau.root);
    const auto base64 = [&](const Bytes& der) { return done(bureau.desk.run({"openssl", "base64", "-A"}, text(der))); };
    const DirectoryServer directory(
        "dn: o=Example\nobjectClass: organization\no: Example\n\n"
        "dn: cn=Between,o=Example\nobjectClass: applicationProcess\nobjectClass: pkiCA\ncn: Between\n"
        "cACertificate;binary:: " +
        base64(between.certificate.der()) + "\ncertificateRevocationList;binary:: " + base64(make_crl({}, between)) +
        "\n");
    const std::string entry = directory.url("cn=Between%2Co=Example?");
    const SoftwareKey alice = certify({.more_extensions = "crlDistributionPoints=URI:" + entry +
                                                          "certificateRevocationList;binary\n"
                                                          "authorityInfoAccess=caIssuers;URI:" +
                                                          entry + "cACertificate;binary"},
                                      &between);
    const std::string mail = bureau.signed_by(alice);
    const std::string of_root = bureau.desk.file("root.crl", text(make_crl({}, bureau.root)));
    const Arguments asked{"--revocation", "online", "--fetch-issuers", "--crl", of_root};
    const json signer = bureau.signer(mail, asked);
    CHECK(signer["chain"] == "trusted");
    CHECK(signer["revocation"] == "good");
    bureau.allow("");
    std::filesystem::remove_all(bureau.desk.path("cache"));
    const std::string refused = bureau.verify(mail, asked).err;
    CHECK_THAT(refused, Catch::Contains("127.0.0.1 is no public address"));
    CHECK_THAT(refused, Catch::Contains("'private-hosts = 127.0.0.1' in the config allows it; --intermediates FILE"));
}

TEST_CASE("several processes use the cache at once") {
    Bureau bureau;
    std::vector<std::string> mails;
    for (int i = 0; i < 4; ++i) {
        const std::string path = "/" + std::to_string(i) + ".crl";
        bureau.web.files[path] = text(make_crl({}, bureau.root));
        mails.push_back(
            bureau.desk.file("mail" + std::to_string(i), bureau.signed_by(bureau.certify_alice(bureau.at(path)))));
    }
    const std::string log = bureau.desk.path("log");
    std::vector<Background> all;
    for (const std::string& mail : mails)
        for (int i = 0; i < 3; ++i)
            all.emplace_back(bureau.desk.p11mime_command({"verify", "-n", "--no-default-ca", "--ca",
                                                          bureau.desk.path("ca.pem"), "--revocation", "online", mail}),
                             log);
    wait_until([&] { return std::none_of(all.begin(), all.end(), [](Background& each) { return each.running(); }); },
               "the verifications to end");
    const auto before = bureau.web.server.requests().size();
    for (const std::string& mail : mails)
        CHECK(bureau.signer(read_file(mail), kOnline)["revocation"] == "good");
    CHECK(bureau.web.server.requests().size() == before);
}
