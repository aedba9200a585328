#include "cms/candidate_paths.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "cms/evidence_work.h"
#include "cms/trust_settings.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kMaxSteps = 10'000;  // of the search, over all paths of one certificate
constexpr std::size_t kMaxTries = 16;  // of issuers that are not known by their key identifiers; each is a verification

const X509_NAME* subject_of(const Certificate& certificate) {
    return X509_get_subject_name(certificate.get());
}

std::uint32_t issuer_hash(const Certificate& certificate) {
    return name_hash(X509_get_issuer_name(certificate.get()));
}
std::uint32_t subject_hash(const Certificate& certificate) {
    return name_hash(subject_of(certificate));
}

int check_issued(const Certificate& issuer, const Certificate& certificate) {
    const int answer = X509_check_issued(issuer.get(), certificate.get());
    ERR_clear_error();
    return answer;
}

// Fit is how well a certificate fits another's issuer, best first.
enum class Fit { named, namesake, other_identifier, none };

// fit_of goes by names and key identifiers: what the issuer may do, and whether its key and its signature are of use,
// the path's validation can tell. An authority whose certificate was renewed has another serial number than the
// certificates name that it issued before, and one that others certify too may have another key identifier there, which
// puts it later alone (RFC 4158 section 3.5.12).
Fit fit_of(const Certificate& issuer, const Certificate& certificate) {
    if (X509_NAME_cmp(subject_of(issuer), X509_get_issuer_name(certificate.get())) != 0) return Fit::none;
    switch (check_issued(issuer, certificate)) {
        case X509_V_OK:
        case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
        case X509_V_ERR_NO_ISSUER_PUBLIC_KEY:
        case X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM:
        case X509_V_ERR_UNSPECIFIED:  // extensions not readable
            return Fit::named;
        case X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH:
            return Fit::namesake;
        case X509_V_ERR_AKID_SKID_MISMATCH:
            return Fit::other_identifier;
        default:
            return Fit::none;
    }
}

// is_self_signed goes by names and key identifiers too.
bool is_self_signed(const Certificate& certificate) {
    const bool by_itself = X509_self_signed(certificate.get(), 0) == 1;
    ERR_clear_error();
    return by_itself;
}

}  // namespace

std::optional<bool> has_signed(const Certificate& issuer, const Certificate& issued) {
    EVP_PKEY* key = X509_get0_pubkey(issuer.get());
    std::optional<bool> signed_it;
    if (key != nullptr && !takes_long(key)) signed_it = X509_verify(issued.get(), key) == 1;
    ERR_clear_error();
    return signed_it;
}

Candidates find_candidates(const Certificate& certificate, std::span<const Certificate> surplus,
                           const std::vector<std::shared_ptr<CertificateSource>>& anchors,
                           const std::vector<std::shared_ptr<CertificateSource>>& intermediates) {
    Candidates found;
    std::multimap<std::uint32_t, const Certificate*> by_subject;
    for (const Certificate& each : surplus)
        by_subject.emplace(subject_hash(each), &each);
    std::set<Bytes> asked;
    std::size_t surplus_taken = 0;
    std::vector<Certificate> queue{certificate};
    for (std::size_t i = 0; i < queue.size(); ++i) {
        const Certificate issued = queue[i];
        const Bytes issuer = issued.issuer_der();
        if (!asked.insert(issuer).second) continue;
        for (const auto& source : anchors)
            for (Certificate& each : source->by_subject(issuer)) {
                found.anchors.push_back(each);
                queue.push_back(std::move(each));
            }
        std::vector<Certificate> others;
        for (const auto& source : intermediates)
            for (Certificate& each : source->by_subject(issuer))
                others.push_back(std::move(each));
        const auto [first, last] = by_subject.equal_range(issuer_hash(issued));
        for (auto each = first; each != last && surplus_taken < kMaxCandidates; ++each)
            if (X509_NAME_cmp(subject_of(*each->second), X509_get_issuer_name(issued.get())) == 0) {
                others.push_back(*each->second);
                ++surplus_taken;
            }
        for (Certificate& each : others) {
            found.untrusted.push_back(each);
            queue.push_back(std::move(each));
        }
    }
    // An end certificate may itself be an anchor, or have the key of one that is rejected; sources are asked for it by
    // its own name.
    for (const auto& source : anchors)
        for (Certificate& each : source->by_subject(certificate.subject_der()))
            if (each == certificate || same_name_and_key(each, certificate)) found.anchors.push_back(std::move(each));
    for (const auto& source : intermediates)
        for (Certificate& each : source->by_subject(certificate.subject_der()))
            if (trust_settings(each).any() && same_name_and_key(each, certificate))
                found.untrusted.push_back(std::move(each));
    found.anchors = combine_settings(found.anchors);
    return found;
}

CandidatePaths::CandidatePaths(const Certificate& end, const Candidates& candidates, const InheritedKeys& inherited,
                               Time at) {
    const auto is_end = [&](const Certificate& each) { return each == end; };
    const auto as_anchor = std::find_if(candidates.anchors.begin(), candidates.anchors.end(), is_end);
    const bool anchor = as_anchor != candidates.anchors.end();
    // The anchor's copy has its trust settings.
    nodes_.push_back({anchor && !lacks_parameters(end) ? *as_anchor : inherited.usable(end), anchor});
    for (const Certificate& each : candidates.anchors)
        if (!is_end(each) && !lacks_parameters(inherited.usable(each))) add(inherited.usable(each), true);
    for (const Certificate& each : candidates.untrusted)
        if (!is_end(each)) add(inherited.usable(each), false);
    link(at);
    mark_ways_up();
    if (nodes_.front().leads_up) steps_.push_back({0});
}

void CandidatePaths::add(const Certificate& certificate, bool anchor) {
    const bool there =
        std::any_of(nodes_.begin(), nodes_.end(), [&](const Node& node) { return node.certificate == certificate; });
    if (!there) nodes_.push_back({certificate, anchor});
}

void CandidatePaths::link(Time at) {
    std::multimap<std::uint32_t, std::size_t> by_subject;
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        by_subject.emplace(subject_hash(nodes_[i].certificate), i);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        const Certificate& issued = nodes_[i].certificate;
        if (is_self_signed(issued)) continue;  // nobody else has issued it, whoever bears the name
        std::multimap<std::tuple<bool, bool, Fit>, std::size_t> ranked;
        const auto [first, last] = by_subject.equal_range(issuer_hash(issued));
        std::size_t compared = 0;
        for (auto each = first; each != last && compared < kMaxIssuers; ++each, ++compared) {
            if (each->second == i) continue;
            const Node& issuer = nodes_[each->second];
            Fit fit = fit_of(issuer.certificate, issued);
            if (fit == Fit::other_identifier && !try_issuer(issuer.certificate, issued)) fit = Fit::none;
            if (fit != Fit::none)
                ranked.emplace(std::tuple(!issuer.anchor, !issuer.certificate.valid_at(at), fit), each->second);
        }
        comparisons_ += compared;
        for (const auto& [rank, issuer] : ranked)
            nodes_[i].issuers.push_back(issuer);
    }
}

bool CandidatePaths::try_issuer(const Certificate& issuer, const Certificate& issued) {
    if (tried_ == kMaxTries) return false;
    const auto signed_it = has_signed(issuer, issued);
    if (signed_it) ++tried_;
    return signed_it.value_or(false);
}

void CandidatePaths::mark_ways_up() {
    bool changed = true;
    while (std::exchange(changed, false))
        for (Node& node : nodes_) {
            if (node.leads_up) continue;
            node.leads_up = node.anchor || std::any_of(node.issuers.begin(), node.issuers.end(),
                                                       [&](std::size_t issuer) { return nodes_[issuer].leads_up; });
            changed = changed || node.leads_up;
        }
}

bool CandidatePaths::repeats(std::size_t index, const std::vector<Step>& steps) const {
    return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
        return step.node == index || same_name_and_key(nodes_[step.node].certificate, nodes_[index].certificate);
    });
}

void CandidatePaths::exclude_key(std::size_t index) {
    const Bytes key = nodes_[index].certificate.spki_der();
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        if (nodes_[i].certificate.spki_der() == key) exclude(i);
}

// drop_excluded takes back what was walked from the first certificate or link that is excluded now.
void CandidatePaths::drop_excluded() {
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        const bool link_gone = i > 0 && excluded_links_.count({steps_[i - 1].node, steps_[i].node}) != 0;
        if (!link_gone && excluded_.count(steps_[i].node) == 0) continue;
        steps_.resize(i);
        return;
    }
}

std::optional<CandidatePaths::Path> CandidatePaths::next() {
    drop_excluded();
    while (!steps_.empty() && ++walked_ <= kMaxSteps) {
        Step& top = steps_.back();
        const Node& node = nodes_[top.node];
        if (node.anchor && top.next_issuer == 0) {
            top.next_issuer = node.issuers.size() + 1;  // nothing beyond an anchor makes a path better
            Path path;
            for (const Step& step : steps_)
                path.push_back(step.node);
            return path;
        }
        if (top.next_issuer >= node.issuers.size() || steps_.size() > kMaxPathLength) {
            steps_.pop_back();
            continue;
        }
        const std::size_t issuer = node.issuers[top.next_issuer++];
        if (nodes_[issuer].leads_up && excluded_.count(issuer) == 0 && excluded_links_.count({top.node, issuer}) == 0 &&
            !repeats(issuer, steps_))
            steps_.push_back({issuer});
    }
    return std::nullopt;
}

std::vector<std::size_t> CandidatePaths::issuers(std::size_t index) const {
    std::vector<std::size_t> issuers = nodes_[index].issuers;
    std::erase_if(issuers, [&](std::size_t issuer) { return excluded_links_.count({index, issuer}) != 0; });
    return issuers;
}

bool CandidatePaths::has_namesake(std::size_t issued) const {
    const Certificate& certificate = nodes_[issued].certificate;
    const X509_NAME* issuer = X509_get_issuer_name(certificate.get());
    return std::any_of(nodes_.begin(), nodes_.end(), [&](const Node& node) {
        if (is_self_signed(certificate))
            return X509_NAME_cmp(subject_of(node.certificate), issuer) == 0 &&
                   !same_name_and_key(node.certificate, certificate);
        return check_issued(node.certificate, certificate) == X509_V_ERR_AKID_SKID_MISMATCH;
    });
}

}  // namespace p11mime::cms
