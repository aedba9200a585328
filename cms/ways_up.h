#pragma once

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "cms/candidate_paths.h"

namespace p11mime::cms {

/// IssuerSignatures are those on certificates, each verified once, up to a limit.
class IssuerSignatures {
  public:
    /// verify says whether the issuer has signed it, as far as is known.
    bool verify(const Certificate& issuer, const Certificate& issued);
    std::size_t verifications() const { return verified_.size(); }

  private:
    std::map<std::pair<std::string, std::string>, bool> verified_;  // by both fingerprints
};

/// WaysUp are the ways from a certificate to where nobody is known who has issued the last, for who asks why there is
/// no path, or whose issuers may make one. They are walked breadth first, each certificate once.
class WaysUp {
  public:
    /// Names and key identifiers lead from a certificate to who has issued it, and where they are to be verified,
    /// signatures.
    WaysUp(const CandidatePaths& paths, Time at, IssuerSignatures* signatures = nullptr);

    /// most_telling is the way to tell of: one that is valid before others; then one that lacks an issuer before one
    /// that ends at a root, as whoever trusts that root leaves out what the issuer holds it to. Of those that lack one
    /// it is one that says where the issuer's certificate is, and the longest.
    CandidatePaths::Path most_telling() const;

    /// askable are the certificates whose issuers may make a path: those that lack one, nearest to the end certificate
    /// first, before those that may have another than is known, farthest first. Of one name and key, few come before
    /// all others: whoever likes can say of an authority's key that somebody else has certified it.
    std::vector<Certificate> askable() const;

  private:
    struct Reached {
        std::size_t node;
        std::size_t below;  // which of them it has issued
        std::size_t length;
        bool valid;  // and all below it
        bool lacks_issuer = true;
    };

    void go_up_from(std::size_t from, Time at, IssuerSignatures* signatures);
    std::tuple<bool, bool, bool, bool, std::size_t> worth_telling(const Reached& last) const;

    const CandidatePaths& paths_;
    std::vector<Reached> reached_;
};

}  // namespace p11mime::cms
