#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/revocation_source.h"
#include "cms/trust.h"
#include "softhsm-tests/support/cms_bench.h"
#include "softhsm-tests/support/evidence.h"
#include "softhsm-tests/support/http_server.h"

namespace p11mime::test {

using namespace cli;
using cms::Certificate;
using cms::RevocationState;

inline CertificateSpec long_ago(CertificateSpec spec) {
    spec.begins_in_days = -100;
    return spec;
}

inline std::string text(const Bytes& bytes) {
    return {bytes.begin(), bytes.end()};
}

inline std::string at(const HttpServer& server, const std::string& path) {
    return "crlDistributionPoints=URI:" + server.url(path);
}

/// MovableClock goes wrong by as much as it is told to.
struct MovableClock final : cms::Clock {
    std::chrono::hours ahead{0};
    cms::Time now() const override { return cms::SystemClock().now() + ahead; }
};

/// Agency is a root, whom it certifies, and what tells of them on the servers that it runs on loopback.
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
        return verdict(certificate, minutes_from_now).revocation;
    }
    cms::PathVerdict verdict(const Certificate& certificate, int minutes_from_now = 0) const {
        cms::Trust trust = trust_in({root.certificate});
        trust.revocation = std::make_shared<RevocationOfMail>(source);
        trust.clock = clock;
        if (minutes_from_now != 0) trust.at = trust.clock->now() + std::chrono::minutes(minutes_from_now);
        return cms::validate(certificate, {}, trust, cms::Use::signing);
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

}  // namespace p11mime::test
