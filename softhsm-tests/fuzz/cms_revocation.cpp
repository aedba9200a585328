// Any bytes as evidence of revocation: the first byte chooses CRL, OCSP response or certificate, two more the length of
// each part. The certificates are a path, the last its anchor, and all of it goes through the judge.
#include <algorithm>
#include <cstdlib>

#include "cms/memory_certificates.h"
#include "cms/revocation.h"
#include "mime/error.h"

using namespace p11mime;

namespace {

struct Parts {
    std::vector<cms::Certificate> path;
    cms::RevocationEvidence evidence;
};

void add(Parts& parts, unsigned kind, ByteView der) {
    try {
        if (kind == 0) parts.evidence.crls.push_back(cms::Crl::from_der(der));
        if (kind == 1) parts.evidence.ocsp.push_back({cms::OcspResponse::from_der(der)});
        if (kind == 2) parts.path.push_back(cms::Certificate::from_der(der));
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) std::abort();
    }
}

// Source has nothing, so that what came along is judged.
struct Source final : cms::RevocationSource {
    cms::RevocationEvidence at_hand(const cms::Certificate&, const cms::Certificate&) override { return {}; }
    cms::RevocationEvidence fetch(const cms::Certificate&, const cms::Certificate&, From, const Tells&) override {
        return {};
    }
    cms::RevocationEvidence fetch_delta(const cms::Certificate&, const std::optional<cms::Crl>&,
                                        const Tells&) override {
        return {};
    }
    void keep(ByteView, cms::Time) override {}
    void remember(const cms::Certificate&, bool, const cms::Telling&, cms::Time) override {}
};

struct FixedClock final : cms::Clock {
    cms::Time now() const override { return cms::Time(std::chrono::seconds(1'795'900'000)); }  // as the corpus was made
};

void ask(const cms::Certificate& certificate, const Parts& parts) {
    cms::crl_urls(certificate);
    cms::freshest_urls(certificate);
    cms::ocsp_urls(certificate);
    cms::issuer_urls(certificate);
    cms::issues_crls_for(X509_get_subject_name(certificate.get()), certificate);
    for (const cms::Crl& crl : parts.evidence.crls) {
        crl.covers(certificate);
        crl.entry(certificate);
        crl.names_point_of(certificate);
        crl.signed_by(certificate);
        for (const cms::Crl& other : parts.evidence.crls)
            crl.completes(other);
    }
    for (const auto& [response, request] : parts.evidence.ocsp) {
        response.answers(certificate, certificate);
        response.names(certificate);
        response.signed_by(certificate);
        response.certificates();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    Parts parts;
    for (ByteView rest(data, size); rest.size() > 3 && parts.path.size() < 8;) {
        const std::size_t length = std::min<std::size_t>(rest[1] << 8U | rest[2], rest.size() - 3);
        add(parts, rest[0] % 3, rest.subspan(3, length));
        rest = rest.subspan(3 + length);
    }
    for (const cms::Certificate& certificate : parts.path)
        ask(certificate, parts);
    if (parts.path.size() < 2) return 0;
    cms::Trust trust;
    trust.anchors.push_back(std::make_shared<cms::MemoryCertificates>(std::vector{parts.path.back()}));
    trust.clock = std::make_shared<FixedClock>();
    trust.revocation = std::make_shared<Source>();
    cms::PathVerdict verdict;
    verdict.trusted = true;
    verdict.chain = parts.path;
    const auto fault = cms::check_revocation(verdict, parts.path, trust, parts.evidence);
    if (verdict.revocation == cms::RevocationState::not_checked) std::abort();
    if (fault.has_value() != (verdict.revocation == cms::RevocationState::revoked)) std::abort();
    return 0;
}
