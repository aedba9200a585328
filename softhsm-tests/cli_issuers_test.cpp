// Issuers that certificates say where they are, fetched from a server on loopback.

#include <atomic>
#include <catch2/catch.hpp>

#include "cli/revocation_source.h"
#include "softhsm-tests/support/http_server.h"
#include "softhsm-tests/support/software_key.h"

using namespace p11mime;
using namespace p11mime::cli;
using namespace p11mime::test;
using std::chrono::milliseconds;

namespace {

// Web is a server that hangs or has the issuer at every path.
struct Web {
    SoftwareKey root = certify(authority_spec("Root"));
    std::atomic<bool> hangs = false;
    HttpServer server{[this](const HttpServer::Request&) {
        if (hangs) return HttpServer::Answer{.keep_open = true};
        return HttpServer::Answer{.body = std::string(text_of(root.certificate.der()))};
    }};
    std::shared_ptr<FetchedIssuers> fetched =
        std::make_shared<FetchedIssuers>(std::make_shared<Fetcher>(std::vector<std::string>{"127.0.0.1"}));

    /// at is a certificate that names some URLs for its issuer's.
    cms::Certificate at(int urls) const {
        std::string access;
        for (int i = 0; i < urls; ++i)
            access +=
                (i == 0 ? "authorityInfoAccess=" : ",") + ("caIssuers;URI:" + server.url("/" + std::to_string(i)));
        return certify({.more_extensions = access}, &root).certificate;
    }
};

}  // namespace

TEST_CASE("servers that never answer are waited for once for all issuers of a mail") {
    Web web;
    web.hangs = true;
    IssuerFetcher mail(web.fetched, milliseconds(300));
    const auto found = mail.issuers_of(web.at(8));
    CHECK(found.certificates.empty());
    CHECK_THAT(found.missing.why, Catch::Contains("are too slow"));
    const std::size_t asked = web.server.requests().size();
    CHECK(asked <= 2);  // whoever is back a moment early asks once more
    CHECK_THAT(mail.issuers_of(web.at(1)).missing.why, Catch::Contains("cannot fetch") || Catch::Contains("too slow"));
    CHECK(web.server.requests().size() <= 2);

    // A fetch has no longer than the mail has, be the limit of one 30,000 ms.
    const auto alone = IssuerFetcher(web.fetched, milliseconds(300)).issuers_of(web.at(1));
    CHECK_THAT(alone.missing.why, Catch::Contains("timed out after") && !Catch::Contains("after 3000"));

    // That is no reason against them in another mail.
    web.hangs = false;
    IssuerFetcher another(web.fetched);
    CHECK(another.issuers_of(web.at(1)).certificates.at(0) == web.root.certificate);
}

TEST_CASE("an issuer is fetched once in a run") {
    Web web;
    for (int mails = 0; mails < 3; ++mails)
        CHECK(IssuerFetcher(web.fetched).issuers_of(web.at(1)).certificates.size() == 1);
    CHECK(web.server.requests().size() == 1);
}
