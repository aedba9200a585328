#include "cms/best_path.h"

#include <algorithm>
#include <utility>

namespace p11mime::cms {

namespace {

// may_be_mended says whether another path may do better than one that fails.
bool may_be_mended(const Fault& fault, const PathVerdict& verdict) {
    if (fault.scope == Fault::Scope::certificate) return of_authority(fault);
    return verdict.revocation == RevocationState::not_checked;  // which comes last
}

}  // namespace

bool of_authority(const Fault& fault) {
    return fault.scope == Fault::Scope::certificate && fault.at > 0;
}

void BestPath::offer(PathVerdict&& verdict, const std::optional<Fault>& fault) {
    const bool revoked = verdict.revocation == RevocationState::revoked && fault->scope != Fault::Scope::path;
    const bool of_key = revoked && fault->scope == Fault::Scope::key;
    bool mendable = false;
    if (revoked && fault->at == 0) {
        settled_ = true;
    } else if (revoked && best_ && (best_->trusted || (of_key && !compromised_ && !by_namesake_))) {
        const Certificate& which = verdict.chain[fault->at];
        if (std::ranges::none_of(best_->chain, [&](const Certificate& each) {
                return each == which || (of_key && each.spki_der() == which.spki_der());
            }))
            return;
        mendable = mendable_;
    } else if (!fault) {
        const auto worth = [](const PathVerdict& trusted) {
            return std::pair(trusted.policy_remark.empty() && trusted.purpose_remark.empty(),
                             trusted.revocation != RevocationState::unknown);
        };
        if (best_ && best_->trusted && worth(*best_) >= worth(verdict)) return;
        settled_ = worth(verdict) == std::pair(true, true);
    } else if (best_ && !by_namesake_) {
        return;
    }
    by_namesake_ = fault && fault->scope == Fault::Scope::link;
    compromised_ = of_key;
    mendable_ = mendable || (fault && may_be_mended(*fault, verdict));
    best_.emplace(std::move(verdict));
}

}  // namespace p11mime::cms
