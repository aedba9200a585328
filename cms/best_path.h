#pragma once

#include <optional>

#include "cms/path_rules.h"
#include "cms/trust.h"

namespace p11mime::cms {

/// of_authority says whether it is a fault of an authority's certificate alone, which may have been renewed since.
bool of_authority(const Fault& fault);

/// BestPath is which of the paths so far tells most of a certificate.
class BestPath {
  public:
    /// offer takes a path that is trusted, and looks for a better one where it follows none of the policies asked for,
    /// or is not meant for e-mail, or it is not known whether its certificates are revoked: the evidence may count on
    /// another path. What is revoked on one is so on all, but for what is not proved on it. Of paths that fail, the
    /// first tells why, unless it fails for an issuer of the name that has not issued anything, or others know a key on
    /// it, as a later one tells; mendable stays.
    void offer(PathVerdict&& verdict, const std::optional<Fault>& fault);

    /// by_namesake says whether no path was found but by who has issued nothing.
    bool by_namesake() const { return by_namesake_; }
    /// settled says whether no other path can tell more.
    bool settled() const { return settled_; }
    std::optional<PathVerdict>& found() { return best_; }
    /// mendable says whether other issuers may make a better path.
    bool mendable() const { return mendable_; }

  private:
    std::optional<PathVerdict> best_;
    bool mendable_ = false;
    bool settled_ = false;
    bool by_namesake_ = false;
    bool compromised_ = false;  // others know a key on the best
};

}  // namespace p11mime::cms
