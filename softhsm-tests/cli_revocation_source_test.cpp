#include "cli/revocation_source.h"

#include <openssl/ec.h>
#include <openssl/x509.h>

#include <catch2/catch.hpp>
#include <future>
#include <list>

#include "cms/der.h"
#include "cms/encode.h"
#include "cms/trust.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/evidence.h"
#include "softhsm-tests/support/http_server.h"

using namespace p11mime;
using namespace p11mime::cli;
using namespace p11mime::test;
using cms::Certificate;
using cms::RevocationState;

namespace {

CertificateSpec long_ago(CertificateSpec spec) {
    spec.begins_in_days = -100;
    return spec;
}

std::string text(const Bytes& bytes) {
    return {bytes.begin(), bytes.end()};
}

std::string at(const HttpServer& server, const std::string& path) {
    return "crlDistributionPoints=URI:" + server.url(path);
}

// with_other_signature is a certificate by a P-256 key with the other signature (r, -s) that verifies as well.
Certificate with_other_signature(const Certificate& certificate) {
    using Signature = Handle<ECDSA_SIG, ECDSA_SIG_free>;
    using Number = Handle<BIGNUM, BN_free>;
    const ASN1_BIT_STRING* bits = nullptr;
    const X509_ALGOR* algorithm = nullptr;
    X509_get0_signature(&bits, &algorithm, certificate.get());
    const Byte* at = ASN1_STRING_get0_data(bits);
    const Signature signature(d2i_ECDSA_SIG(nullptr, &at, ASN1_STRING_length(bits)));
    REQUIRE(signature);
    const Handle<EC_GROUP, EC_GROUP_free> curve(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
    Number r(BN_dup(ECDSA_SIG_get0_r(signature.get()))), s(BN_new());
    REQUIRE(BN_sub(s.get(), EC_GROUP_get0_order(curve.get()), ECDSA_SIG_get0_s(signature.get())) == 1);
    ECDSA_SIG_set0(signature.get(), r.release(), s.release());

    const Handle<X509, X509_free> copy(X509_dup(certificate.get()));
    constexpr Byte kBitString = 0x03;
    const Bytes no_unused_bits{0};
    return Certificate::from_der(
        cms::der_value(cms::tag::kSequence,
                       {cms::encode(copy.get(), i2d_re_X509_tbs), cms::encode(algorithm, i2d_X509_ALGOR),
                        cms::der_value(kBitString, {no_unused_bits, cms::encode(signature.get(), i2d_ECDSA_SIG)})}));
}

// MovableClock goes wrong by as much as it is told to.
struct MovableClock final : cms::Clock {
    std::chrono::hours ahead{0};
    cms::Time now() const override { return cms::SystemClock().now() + ahead; }
};

// Agency is a root, whom it certifies, and what tells of them on the servers that it runs on loopback.
struct Agency {
    SoftwareKey root = certify(long_ago(authority_spec("Root")));
    TemporaryDirectory directory;
    std::vector<std::string> warnings;
    std::shared_ptr<MovableClock> clock = std::make_shared<MovableClock>();
    std::shared_ptr<RevocationFiles> source = started({});

    /// started is the source at the start of a run.
    std::shared_ptr<RevocationFiles> started(std::vector<std::string> files, bool online = true) {
        const std::vector<std::string> private_hosts{"127.0.0.1"};
        const auto warn = [this](const std::string& line) { warnings.push_back(line); };
        return std::make_shared<RevocationFiles>(std::move(files), RevocationCache(directory / "revocation.db", warn),
                                                 online ? std::make_shared<Fetcher>(private_hosts) : nullptr, clock,
                                                 warn);
    }
    Certificate certify_one(const std::string& name, const std::string& extensions,
                            const std::string& sections = {}) const {
        const CertificateSpec spec{.name = name, .more_extensions = extensions, .sections = sections};
        return certify(long_ago(spec), &root).certificate;
    }
    RevocationState judge(const Certificate& certificate, int minutes_from_now = 0) const {
        cms::Trust trust = trust_in({root.certificate});
        trust.revocation = std::make_shared<RevocationOfMail>(source);
        trust.clock = clock;
        if (minutes_from_now != 0) trust.at = trust.clock->now() + std::chrono::minutes(minutes_from_now);
        return cms::validate(certificate, {}, trust, cms::Use::signing).revocation;
    }
    std::string crl(const CrlSpec& spec) const { return text(make_crl(spec, root)); }
    /// revoking is a responder's answer that says nothing of when there will be another, as openssl's do.
    HttpServer::Answer revoking(const Certificate& certificate, const HttpServer::Request& request) const {
        const OcspSpec spec{.status = OcspSpec::Status::revoked,
                            .since = -10 * kDay,
                            .next_update = std::nullopt,
                            .request = to_bytes(bytes_of(request.body))};
        return {.type = "application/ocsp-response",
                .body = text(make_ocsp(spec, certificate, root.certificate, root))};
    }
};

}  // namespace

TEST_CASE("what a server told is known for the rest of the run, and it is asked once") {
    Agency agency;
    SECTION("by OCSP") {
        std::optional<Certificate> alice;
        const HttpServer server([&](const HttpServer::Request& request) { return agency.revoking(*alice, request); });
        alice = agency.certify_one("Alice", "authorityInfoAccess=OCSP;URI:" + server.url("/ocsp"));
        CHECK(agency.judge(*alice, -2 * kDay) == RevocationState::revoked);
        CHECK(agency.judge(*alice) == RevocationState::revoked);
        CHECK(agency.judge(*alice, -20 * kDay) == RevocationState::good);
        CHECK(server.requests().size() == 1);
    }
    SECTION("by a CRL that cannot be kept") {
        std::map<std::string, std::string> files;
        const HttpServer server(
            [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
        const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
        files["/a.crl"] = agency.crl(
            {.entries = {{.certificate = alice, .since = -10 * kDay}}, .this_update = -2 * kDay, .next_update = -kDay});
        for (int i = 0; i < 2; ++i)
            CHECK(agency.judge(alice, -3 * kDay) == RevocationState::revoked);
        CHECK(server.requests().size() == 1);
    }
    SECTION("by a delta CRL, for all that it completes") {
        std::map<std::string, std::string> files;
        const HttpServer server(
            [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
        const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
        const Certificate bob = agency.certify_one("Bob", at(server, "/b.crl"));
        files["/a.crl"] = files["/b.crl"] =
            agency.crl({.number = 5, .this_update = -60, .extensions = "freshestCRL=URI:" + server.url("/delta.crl")});
        files["/delta.crl"] = agency.crl({.entries = {{.certificate = bob}}, .number = 7, .base_number = 5});
        CHECK(agency.judge(alice) == RevocationState::good);
        CHECK(agency.judge(bob) == RevocationState::revoked);
        CHECK(server.requests() == std::vector<std::string>{"GET /a.crl", "GET /delta.crl", "GET /b.crl"});
    }
}

TEST_CASE("a CRL by another key of the issuer counts where the certificate's server gave it, and from the cache then") {
    Agency agency;
    const SoftwareKey rolled = certify(long_ago(authority_spec("Root")), &agency.root);
    const std::string crl = text(make_crl({}, rolled));
    const HttpServer server([&](const HttpServer::Request&) { return HttpServer::Answer{.body = crl}; });
    const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
    cms::Trust trust = trust_in({agency.root.certificate}, {rolled.certificate});
    const auto judged = [&](std::shared_ptr<RevocationFiles> source) {
        trust.revocation = std::make_shared<RevocationOfMail>(std::move(source));
        return cms::validate(alice, {}, trust, cms::Use::signing).revocation;
    };
    const std::string file = agency.directory / "root.crl";
    write_file(file, crl);
    CHECK(judged(agency.started({file}, false)) == RevocationState::unknown);
    CHECK(judged(agency.started({})) == RevocationState::good);
    CHECK(judged(agency.started({}, false)) == RevocationState::good);
    CHECK(server.requests().size() == 1);
}

TEST_CASE("a CRL that is broken is told of, and what is with it in a file does not count") {
    Agency agency;
    const Certificate alice = agency.certify_one("Alice", "");
    const auto pem = [&](const CrlSpec& spec) {
        return run_process({.arguments = {"openssl", "crl", "-inform", "DER"}, .input = agency.crl(spec)}).out;
    };
    const std::string lists = pem({.entries = {{.certificate = alice}}});
    const std::string broken = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n" + lists;
    const std::string file = agency.directory / "root.pem";
    for (const std::string& content : {broken, pem({}) + broken}) {
        write_file(file, content);
        agency.source = agency.started({file});
        CHECK_THROWS_WITH(agency.judge(alice), "a CRL in '" + file + "' is broken");
    }
    write_file(file, pem({.this_update = -60}) + lists);
    agency.source = agency.started({file});
    CHECK(agency.judge(alice) == RevocationState::revoked);

    const std::string crls = agency.directory / "crls";
    std::filesystem::create_directory(crls);
    write_file(crls + "/note", "not a CRL");
    write_file(crls + "/root.pem", pem({}) + broken);
    agency.source = agency.started({crls});
    for (int i = 0; i < 2; ++i)
        CHECK(agency.judge(alice) == RevocationState::unknown);
    REQUIRE(agency.warnings.size() == 1);
    CHECK(agency.warnings[0] == "a CRL in '" + crls + "/root.pem' is broken; what is in that file does not count");
}

TEST_CASE("a CRL in DER may have white space after it, and one that is cut off is told of") {
    Agency agency;
    const Certificate alice = agency.certify_one("Alice", "");
    const std::string lists = agency.crl({.entries = {{.certificate = alice}}});
    const std::string crls = agency.directory / "crls";
    std::filesystem::create_directory(crls);
    SECTION("white space") {
        write_file(crls + "/root", lists + "\r\n \t\n");
        for (const std::string& path : {crls, crls + "/root"}) {
            agency.source = agency.started({path});
            CHECK(agency.judge(alice) == RevocationState::revoked);
        }
        CHECK(agency.warnings.empty());
    }
    SECTION("cut off") {
        const auto [name, content] = GENERATE_COPY(table<std::string, std::string>(
            {{"root", lists.substr(0, lists.size() - 5)}, {"root.crl", lists.substr(0, 1)}, {"root.crl", ""}}));
        const std::string file = crls + "/" + name;
        write_file(file, content);
        agency.source = agency.started({crls});
        CHECK(agency.judge(alice) == RevocationState::unknown);
        REQUIRE(agency.warnings.size() == 1);
        CHECK(agency.warnings[0] == "a CRL in '" + file + "' is broken; what is in that file does not count");
        agency.source = agency.started({file});
        CHECK_THROWS_WITH(agency.judge(alice), "a CRL in '" + file + "' is broken");
    }
    SECTION("something else") {
        write_file(crls + "/root.pem", agency.root.certificate.pem());
        write_file(crls + "/root.der", text(agency.root.certificate.der()));
        write_file(crls + "/note", "0 of 7");
        agency.source = agency.started({crls});
        CHECK(agency.judge(alice) == RevocationState::unknown);
        CHECK(agency.warnings.empty());
    }
}

TEST_CASE(
    "all CRLs that are at one place are kept, until the last of them that counts ends, one that revokes for longer") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const Certificate alice = agency.certify_one("Alice", at(server, "/all.crl"));
    const auto pem = [&](CrlSpec spec, const std::string& reasons) {
        spec.extensions = "issuingDistributionPoint=critical,@idp";
        spec.sections = "[idp]\nonlysomereasons=" + reasons + "\n";
        return run_process({.arguments = {"openssl", "crl", "-inform", "DER"}, .input = agency.crl(spec)}).out;
    };
    // The newer is looked at first.
    const int age = GENERATE(10, 50);
    files["/all.crl"] =
        pem({.this_update = -30, .next_update = kDay}, "keyCompromise") +
        pem({.entries = {{.certificate = alice, .reason = "superseded"}}, .this_update = -age, .next_update = 2 * kDay},
            "superseded");
    CHECK(agency.judge(alice) == RevocationState::revoked);
    agency.source = agency.started({}, false);
    CHECK(agency.judge(alice) == RevocationState::revoked);
    agency.clock->ahead = std::chrono::hours(36);
    agency.source = agency.started({}, false);
    CHECK(agency.judge(alice) == RevocationState::revoked);
    agency.clock->ahead = std::chrono::hours(49);
    agency.source = agency.started({}, false);
    CHECK(agency.judge(alice) == RevocationState::revoked);
}

TEST_CASE("no place of a CRL is asked again for what it gave before") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const Certificate alice =
        agency.certify_one("Alice", "crlDistributionPoints=dp",
                           "[dp]\nfullname=URI:" + server.url("/a.crl") + ",URI:" + server.url("/more.crl") + "\n");
    files["/a.crl"] = files["/more.crl"] = agency.crl({.this_update = -2 * kDay, .next_update = -kDay});
    CHECK(agency.judge(alice) == RevocationState::unknown);
    const auto asked = server.requests();
    CHECK(agency.judge(alice) == RevocationState::unknown);
    CHECK(server.requests() == asked);
}

TEST_CASE("another place is asked where what the one before gave tells nothing of the certificate") {
    Agency agency;
    std::map<std::string, std::string> files;
    std::optional<Certificate> alice;
    const HttpServer server([&](const HttpServer::Request& request) {
        const auto file = files.find(request.path);
        if (file != files.end()) return HttpServer::Answer{.body = file->second};
        if (request.path == "/knows") return agency.revoking(*alice, request);
        const OcspSpec spec{.status = OcspSpec::Status::unknown, .request = to_bytes(bytes_of(request.body))};
        const Certificate about = request.path == "/other" ? agency.root.certificate : *alice;
        return HttpServer::Answer{.type = "application/ocsp-response",
                                  .body = text(make_ocsp(spec, about, agency.root.certificate, agency.root))};
    });
    const auto points = [&](const std::string& first) {
        return agency.certify_one("Alice", "crlDistributionPoints=dp",
                                  "[dp]\nfullname=URI:" + server.url(first) + ",URI:" + server.url("/new.crl") + "\n");
    };
    const auto responders = [&](const std::string& first) {
        return agency.certify_one(
            "Alice", "authorityInfoAccess=OCSP;URI:" + server.url(first) + ",OCSP;URI:" + server.url("/knows"));
    };
    const auto revoked = [&](const std::vector<std::string>& asked) {
        files["/new.crl"] = agency.crl({.entries = {{.certificate = *alice}}});
        CHECK(agency.judge(*alice) == RevocationState::revoked);
        CHECK(server.requests() == asked);
    };
    SECTION("a CRL that has ended") {
        alice = points("/old.crl");
        files["/old.crl"] = agency.crl({.this_update = -2 * kDay, .next_update = -kDay});
        revoked({"GET /old.crl", "GET /new.crl"});
    }
    SECTION("a CRL for others") {
        alice = points("/authorities.crl");
        files["/authorities.crl"] =
            agency.crl({.extensions = "issuingDistributionPoint=critical,@idp", .sections = "[idp]\nonlyCA=TRUE\n"});
        revoked({"GET /authorities.crl", "GET /new.crl"});
    }
    SECTION("a CRL for some reasons") {
        alice = points("/some.crl");
        files["/some.crl"] = agency.crl({.extensions = "issuingDistributionPoint=critical,@idp",
                                         .sections = "[idp]\nonlysomereasons=keyCompromise\n"});
        revoked({"GET /some.crl", "GET /new.crl"});
    }
    SECTION("a responder that does not know the certificate") {
        alice = responders("/ignorant");
        revoked({"POST /ignorant", "POST /knows"});
    }
    SECTION("a response about another certificate") {
        alice = responders("/other");
        revoked({"POST /other", "POST /knows"});
    }
    SECTION("a delta CRL that has ended") {
        alice = agency.certify_one("Alice", at(server, "/base.crl"));
        files["/base.crl"] = agency.crl(
            {.number = 5,
             .this_update = -3 * kDay,
             .extensions = "freshestCRL=dp",
             .sections = "[dp]\nfullname=URI:" + server.url("/old.crl") + ",URI:" + server.url("/new.crl") + "\n"});
        files["/old.crl"] = agency.crl({.number = 6, .base_number = 5, .this_update = -2 * kDay, .next_update = -kDay});
        files["/new.crl"] = agency.crl({.entries = {{.certificate = *alice}}, .number = 7, .base_number = 5});
        CHECK(agency.judge(*alice) == RevocationState::revoked);
        CHECK(server.requests() == std::vector<std::string>{"GET /base.crl", "GET /old.crl", "GET /new.crl"});
    }
    SECTION("but not where it tells") {
        alice = points("/good.crl");
        files["/good.crl"] = agency.crl({});
        CHECK(agency.judge(*alice) == RevocationState::good);
        CHECK(server.requests() == std::vector<std::string>{"GET /good.crl"});
    }
}

TEST_CASE("a thread that asks the same waits for the answer that another is waiting for") {
    Agency agency;
    std::optional<Certificate> alice;
    std::promise<void> asked, second;
    const HttpServer server([&](const HttpServer::Request& request) {
        asked.set_value();
        second.get_future().wait();
        return agency.revoking(*alice, request);
    });
    alice = agency.certify_one("Alice", "authorityInfoAccess=OCSP;URI:" + server.url("/ocsp"));
    auto one = std::async(std::launch::async, [&] { return agency.judge(*alice); });
    asked.get_future().wait();
    auto other = std::async(std::launch::async, [&] {
        second.set_value();
        return agency.judge(*alice);
    });
    CHECK(one.get() == RevocationState::revoked);
    CHECK(other.get() == RevocationState::revoked);
    CHECK(server.requests().size() == 1);
}

TEST_CASE("a server that never answers is waited for once in a run") {
    Agency agency;
    const HttpServer server([](const HttpServer::Request&) { return HttpServer::Answer{.keep_open = true}; });
    const auto reason = [&](const std::string& name) {
        const Certificate certificate =
            agency.certify_one(name, at(server, "/" + name) + "\nauthorityInfoAccess=OCSP;URI:" + server.url("/ocsp"));
        cms::Trust trust = trust_in({agency.root.certificate});
        trust.revocation = std::make_shared<RevocationOfMail>(agency.source, std::chrono::milliseconds(600));
        return cms::validate(certificate, {}, trust, cms::Use::signing).revocation_reason;
    };
    for (const char* name : {"Alice", "Bob"})
        CHECK_THAT(reason(name), Catch::Contains("did not answer before, and was not asked again"));
    CHECK(server.requests() == std::vector<std::string>{"POST /ocsp"});
}

TEST_CASE("servers that never answer keep a mail waiting for no longer than it has for all of them") {
    Agency agency;
    const auto hang = [](const HttpServer::Request&) { return HttpServer::Answer{.keep_open = true}; };
    std::list<HttpServer> servers;
    std::string access;
    for (int i = 0; i < 5; ++i)
        access += (i == 0 ? "authorityInfoAccess=" : ",") + ("OCSP;URI:" + servers.emplace_back(hang).url("/"));
    const HttpServer works([&](const HttpServer::Request&) { return HttpServer::Answer{.body = agency.crl({})}; });
    const Certificate alice = agency.certify_one("Alice", access);
    const Certificate bob = agency.certify_one("Bob", at(works, "/crl"));
    cms::Trust trust = trust_in({agency.root.certificate});
    trust.revocation = std::make_shared<RevocationOfMail>(agency.source, std::chrono::milliseconds(600));
    const auto judge = [&](const Certificate& certificate) {
        return cms::validate(certificate, {}, trust, cms::Use::signing);
    };
    CHECK_THAT(judge(alice).revocation_reason, Catch::Contains("are too slow"));
    CHECK(servers.front().requests().size() == 1);
    CHECK(servers.back().requests().empty());
    CHECK_THAT(judge(bob).revocation_reason, Catch::Contains("are too slow"));
    CHECK(works.requests().empty());
    // Another mail has its own time.
    CHECK(agency.judge(bob) == RevocationState::good);
}

TEST_CASE("answers that come at once take nothing of a mail's time") {
    Patience patience(std::chrono::hours(1));
    CHECK(patience.spend([] { return 7; }) == 7);
    CHECK(patience.left() == std::chrono::hours(1));
}

TEST_CASE("a thread does not wait for a server that another asks something else") {
    Agency agency;
    // Each of the two servers answers once both were asked.
    std::promise<void> asked[2];
    std::shared_future<void> both[2] = {asked[0].get_future().share(), asked[1].get_future().share()};
    const std::string crl = agency.crl({});
    const std::string ca = text(agency.root.certificate.der());
    const auto answer = [&](int own) {
        return [&, own](const HttpServer::Request& request) {
            asked[own].set_value();
            both[1 - own].wait();
            return HttpServer::Answer{.body = request.path == "/ca" ? ca : crl};
        };
    };
    const HttpServer here(answer(0)), there(answer(1));
    SECTION("for CRLs") {
        const Certificate alice = agency.certify_one("Alice", at(here, "/crl"));
        const Certificate bob = agency.certify_one("Bob", at(there, "/crl"));
        auto one = std::async(std::launch::async, [&] { return agency.judge(alice); });
        auto other = std::async(std::launch::async, [&] { return agency.judge(bob); });
        CHECK(one.get() == RevocationState::good);
        CHECK(other.get() == RevocationState::good);
    }
    SECTION("for issuers") {
        const auto access = [](const HttpServer& server) {
            return "authorityInfoAccess=caIssuers;URI:" + server.url("/ca");
        };
        const Certificate alice = agency.certify_one("Alice", access(here));
        const Certificate bob = agency.certify_one("Bob", access(there));
        const auto fetched =
            std::make_shared<FetchedIssuers>(std::make_shared<Fetcher>(std::vector<std::string>{"127.0.0.1"}));
        const auto found = [&](const Certificate& certificate) {
            return IssuerFetcher(fetched).issuers_of(certificate).certificates.size();
        };
        auto one = std::async(std::launch::async, [&] { return found(alice); });
        auto other = std::async(std::launch::async, [&] { return found(bob); });
        CHECK(one.get() == 1);
        CHECK(other.get() == 1);
    }
}

TEST_CASE("what was told of a revocation online is known offline afterwards") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const Certificate alice =
        agency.certify_one("Alice", at(server, "/a.crl") + "\nfreshestCRL=URI:" + server.url("/delta.crl"));
    CrlSpec base{.number = 5, .this_update = -60}, delta{.number = 6, .base_number = 5};
    SECTION("by a delta CRL") {
        delta.entries = {{.certificate = alice, .reason = "keyCompromise"}};
    }
    SECTION("by one whose base is older") {
        base.number = 4;
        delta.entries = {{.certificate = alice, .reason = "keyCompromise"}};
    }
    SECTION("on hold") {
        base.entries = {{.certificate = alice, .reason = "certificateHold"}};
    }
    SECTION("on hold by a delta CRL") {
        delta.entries = {{.certificate = alice, .reason = "certificateHold"}};
    }
    files["/a.crl"] = agency.crl(base);
    files["/delta.crl"] = agency.crl(delta);
    CHECK(agency.judge(alice) == RevocationState::revoked);
    agency.source = agency.started({}, false);
    CHECK(agency.judge(alice) == RevocationState::revoked);
}

TEST_CASE("a revocation that was told once is known whatever its server tells later") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
    const Certificate bob = agency.certify_one("Bob", at(server, "/a.crl"));
    const auto judged_anew = [&](const Certificate& certificate, bool online) {
        agency.source = agency.started({}, online);
        return agency.judge(certificate);
    };
    CrlSpec listing{.entries = {{.certificate = alice}}, .number = 7};
    SECTION("in a CRL that ends") {}
    SECTION("in one that does not say until when it holds") {
        listing.next_update = std::nullopt;
    }
    SECTION("in a delta CRL") {
        listing.base_number = 5;
    }
    files["/a.crl"] = agency.crl(listing);
    CHECK(judged_anew(alice, true) == RevocationState::revoked);
    // An older CRL is played back to who asks of another certificate.
    agency.clock->ahead = std::chrono::hours(25);
    files["/a.crl"] = agency.crl({.number = 6, .this_update = -40, .next_update = 30 * kDay});
    CHECK(judged_anew(bob, true) == RevocationState::good);
    CHECK(judged_anew(alice, true) == RevocationState::revoked);
    CHECK(judged_anew(alice, false) == RevocationState::revoked);
    CHECK(judged_anew(bob, false) == RevocationState::good);
    CHECK(agency.warnings.empty());
}

TEST_CASE("a revocation that the cache told of is known after its CRL is gone from there") {
    Agency agency;
    std::map<std::string, std::string> files;
    std::optional<Certificate> alice;
    const HttpServer server([&](const HttpServer::Request& request) {
        if (request.method == "POST") return agency.revoking(*alice, request);
        return HttpServer::Answer{.body = files.at(request.path)};
    });
    const Certificate bob = agency.certify_one("Bob", at(server, "/a.crl"));
    alice = agency.certify_one("Alice", at(server, "/a.crl"));
    const auto judged_anew = [&](const Certificate& certificate, bool online) {
        agency.source = agency.started({}, online);
        return agency.judge(certificate);
    };
    CrlSpec listing{.entries = {{.certificate = *alice}}, .number = 7};
    SECTION("of a CRL") {}
    SECTION("of a delta CRL") {
        files["/delta.crl"] = agency.crl({.entries = listing.entries, .number = 7, .base_number = 6});
        listing = {.number = 6, .this_update = -60, .extensions = "freshestCRL=URI:" + server.url("/delta.crl")};
    }
    files["/a.crl"] = agency.crl(listing);
    CHECK(judged_anew(bob, true) == RevocationState::good);
    const auto asked = server.requests();
    CHECK(judged_anew(*alice, GENERATE(false, true)) == RevocationState::revoked);
    CHECK(server.requests() == asked);

    agency.clock->ahead = std::chrono::hours(25);
    files["/a.crl"] = agency.crl({.number = 5, .this_update = -90, .next_update = 30 * kDay});
    CHECK(judged_anew(bob, true) == RevocationState::good);
    CHECK(judged_anew(*alice, true) == RevocationState::revoked);
    CHECK(judged_anew(*alice, false) == RevocationState::revoked);
    CHECK(agency.warnings.empty());
}

TEST_CASE("many certificates that one large CRL revokes are remembered, and the CRL is kept") {
    Agency agency;
    std::string crl;
    const HttpServer server([&](const HttpServer::Request&) { return HttpServer::Answer{.body = crl}; });
    const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
    // An extension that nobody has to know makes it large: the cache would not hold one for each certificate.
    constexpr int kMany = 9;
    CrlSpec large{.extensions = "1.2.3.4.5=DER:" + std::string(2 * RevocationCache::kMostBytes / (kMany - 1), '0')};
    std::vector<Certificate> revoked;
    for (int i = 0; i < kMany; ++i) {
        revoked.push_back(agency.certify_one("Bob " + std::to_string(i), at(server, "/a.crl")));
        large.entries.push_back({.certificate = revoked.back()});
    }
    crl = agency.crl(large);
    for (const Certificate& each : revoked)
        CHECK(agency.judge(each) == RevocationState::revoked);
    agency.source = agency.started({}, false);
    CHECK(agency.judge(alice) == RevocationState::good);
    agency.clock->ahead = std::chrono::hours(25);
    agency.source = agency.started({}, false);
    CHECK(agency.judge(alice) == RevocationState::unknown);
    for (const Certificate& each : revoked)
        CHECK(agency.judge(each) == RevocationState::revoked);
}

TEST_CASE("a revocation is known of a certificate whose signature somebody has written in another way") {
    Agency agency;
    std::string crl;
    const HttpServer server([&](const HttpServer::Request&) { return HttpServer::Answer{.body = crl}; });
    const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
    const Certificate other = with_other_signature(alice);
    REQUIRE(other.fingerprint_sha256() != alice.fingerprint_sha256());
    crl = agency.crl({.entries = {{.certificate = alice}}, .number = 7});
    CHECK(agency.judge(alice) == RevocationState::revoked);
    agency.clock->ahead = std::chrono::hours(25);
    crl = agency.crl({.number = 6, .this_update = -40, .next_update = 30 * kDay});
    agency.source = agency.started({});
    CHECK(agency.judge(other) == RevocationState::revoked);
}

TEST_CASE("that others know a key is remembered for its other certificates, in which nothing tells of it") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const SoftwareKey alice = certify(long_ago({.more_extensions = at(server, "/a.crl")}), &agency.root);
    const Certificate renewed =
        certify_key(alice.key, long_ago({.more_extensions = at(server, "/b.crl")}), &agency.root);
    const auto judged_anew = [&](const Certificate& certificate, bool online) {
        agency.source = agency.started({}, online);
        return agency.judge(certificate);
    };
    const auto told_of_alice = [&](const std::string& reason) {
        files["/a.crl"] = agency.crl({.entries = {{.certificate = alice.certificate, .reason = reason}}, .number = 7});
        files["/b.crl"] = agency.crl({.number = 6, .this_update = -40});
        return judged_anew(alice.certificate, true) == RevocationState::revoked;
    };
    SECTION("for a key compromise") {
        CHECK(told_of_alice("keyCompromise"));
        CHECK(judged_anew(renewed, true) == RevocationState::revoked);
        CHECK(judged_anew(renewed, false) == RevocationState::revoked);
        CHECK(judged_anew(agency.certify_one("Bob", at(server, "/b.crl")), true) == RevocationState::good);
    }
    SECTION("for no other reason") {
        const char* reason = GENERATE("superseded", "", "CACompromise");
        CHECK(told_of_alice(reason));
        CHECK(judged_anew(renewed, true) == RevocationState::good);
    }
}

TEST_CASE("a hold that was told once gives way to newer evidence") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
    files["/a.crl"] =
        agency.crl({.entries = {{.certificate = alice, .reason = "certificateHold"}}, .number = 7, .this_update = -60});
    CHECK(agency.judge(alice) == RevocationState::revoked);
    files["/a.crl"] = agency.crl({.number = 8});
    for (const bool online : {true, false}) {
        agency.source = agency.started({}, online);
        CHECK(agency.judge(alice) == RevocationState::good);
    }
}

TEST_CASE("what is damaged in the cache is told of, and fetched anew where servers are asked") {
    Agency agency;
    std::map<std::string, std::string> files;
    const HttpServer server(
        [&](const HttpServer::Request& request) { return HttpServer::Answer{.body = files.at(request.path)}; });
    const Certificate alice = agency.certify_one("Alice", at(server, "/a.crl"));
    const bool lists = GENERATE(false, true);
    files["/a.crl"] = lists ? agency.crl({.entries = {{.certificate = alice}}}) : agency.crl({});
    const RevocationState state = lists ? RevocationState::revoked : RevocationState::good;
    CHECK(agency.judge(alice) == state);
    Database::open(agency.directory / "revocation.db", "revocation cache", "", 3)
        ->run("UPDATE evidence SET der = x'3000'");
    CHECK(agency.warnings.empty());
    const bool online = GENERATE(false, true);
    agency.source = agency.started({}, online);
    for (int i = 0; i < 2; ++i)
        CHECK(agency.judge(alice) == (online || lists ? state : RevocationState::unknown));
    REQUIRE(agency.warnings.size() == 1);
    CHECK_THAT(agency.warnings.front(), Catch::Contains("what the revocation cache has of 'http://") &&
                                            Catch::EndsWith("/a.crl' is broken, and does not count"));
}
