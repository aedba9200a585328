#include "cms/ways_up.h"

#include <algorithm>

#include "cms/distribution_points.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kMaxVerified = 100;   // signatures, for one certificate's ways
constexpr std::ptrdiff_t kMaxOfOneKey = 4;  // asked about before all others

// Queue is certificates to ask about.
struct Queue {
    std::vector<Certificate> first;
    std::vector<Certificate> last;  // of which enough of the same name and key are among the first

    void add(const Certificate& certificate) {
        const auto same =
            std::ranges::count_if(first, [&](const Certificate& each) { return same_name_and_key(each, certificate); });
        (same < kMaxOfOneKey ? first : last).push_back(certificate);
    }
};

}  // namespace

bool IssuerSignatures::verify(const Certificate& issuer, const Certificate& issued) {
    const auto link = std::pair(issuer.fingerprint_sha256(), issued.fingerprint_sha256());
    if (const auto known = verified_.find(link); known != verified_.end()) return known->second;
    if (verified_.size() == kMaxVerified) return false;
    return verified_.emplace(link, has_signed(issuer, issued).value_or(false)).first->second;
}

WaysUp::WaysUp(const CandidatePaths& paths, Time at, IssuerSignatures* signatures) : paths_(paths) {
    reached_.push_back({.node = 0, .below = 0, .length = 1, .valid = paths[0].valid_at(at)});
    for (std::size_t i = 0; i < reached_.size(); ++i)
        if (!paths_.is_anchor(reached_[i].node) && reached_[i].length <= kMaxPathLength) go_up_from(i, at, signatures);
}

void WaysUp::go_up_from(std::size_t from, Time at, IssuerSignatures* signatures) {
    const Reached issued = reached_[from];
    for (const std::size_t issuer : paths_.issuers(issued.node)) {
        if (signatures != nullptr && !signatures->verify(paths_[issuer], paths_[issued.node])) continue;
        reached_[from].lacks_issuer = false;
        if (std::ranges::find(reached_, issuer, &Reached::node) != reached_.end()) continue;
        reached_.push_back({.node = issuer,
                            .below = from,
                            .length = issued.length + 1,
                            .valid = issued.valid && paths_[issuer].valid_at(at)});
    }
}

std::tuple<bool, bool, bool, bool, std::size_t> WaysUp::worth_telling(const Reached& last) const {
    const Certificate& certificate = paths_[last.node];
    const bool ends = last.lacks_issuer && !paths_.leads_up(last.node);
    return {ends, last.valid, !certificate.self_issued(), !issuer_urls(certificate).empty(), last.length};
}

CandidatePaths::Path WaysUp::most_telling() const {
    const auto last = std::ranges::max_element(reached_, {}, [&](const Reached& each) { return worth_telling(each); });
    CandidatePaths::Path path;
    auto at = static_cast<std::size_t>(last - reached_.begin());
    for (; at != 0; at = reached_[at].below)
        path.push_back(reached_[at].node);
    path.push_back(reached_.front().node);
    std::ranges::reverse(path);
    return path;
}

std::vector<Certificate> WaysUp::askable() const {
    const auto may_be_asked = [&](const Reached& each) {
        return each.length <= kMaxPathLength && !paths_.is_anchor(each.node) && !paths_[each.node].self_issued();
    };
    Queue queue;
    for (const Reached& each : reached_)
        if (each.lacks_issuer && may_be_asked(each)) queue.add(paths_[each.node]);
    for (auto each = reached_.rbegin(); each != reached_.rend(); ++each)
        if (!each->lacks_issuer && may_be_asked(*each)) queue.first.push_back(paths_[each->node]);
    queue.first.insert(queue.first.end(), queue.last.begin(), queue.last.end());
    return std::move(queue.first);
}

}  // namespace p11mime::cms
