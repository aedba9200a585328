#pragma once

#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "cms/inherited_key.h"
#include "cms/sources.h"

namespace p11mime::cms {

inline constexpr std::size_t kMaxCandidates = 200;  ///< surplus certificates looked at for one certificate's paths
inline constexpr std::size_t kMaxPathLength = 20;   ///< certificates below an anchor
inline constexpr std::size_t kMaxIssuers = 32;      ///< of one name, that a certificate is compared with

/// Candidates is what the paths of a certificate may be built from.
struct Candidates {
    std::vector<Certificate> anchors;  ///< each once, with all of its trust settings
    std::vector<Certificate> untrusted;
};

/// find_candidates follows issuer names upwards and asks every source for them, those of intermediates before
/// `surplus`. However many certificates a message carries, what the sources have is found.
Candidates find_candidates(const Certificate& certificate, std::span<const Certificate> surplus,
                           const std::vector<std::shared_ptr<CertificateSource>>& anchors,
                           const std::vector<std::shared_ptr<CertificateSource>>& intermediates);

/// has_signed verifies the signature on a certificate; nothing where that is not worth it (takes_long).
std::optional<bool> has_signed(const Certificate& issuer, const Certificate& issued);

/// CandidatePaths are the paths from a certificate to an anchor that names and key identifiers allow (RFC 4158), one
/// after the other: short ways to an anchor first, issuers that are valid at the time before others, those that are
/// named by serial number before their namesakes, and last those of another key identifier, where they have signed. No
/// path takes a name with the same key twice. Nothing else is verified here.
class CandidatePaths {
  public:
    /// Path is indexes into what CandidatePaths holds, the end certificate's first.
    using Path = std::vector<std::size_t>;

    CandidatePaths(const Certificate& end, const Candidates& candidates, const InheritedKeys& inherited, Time at);

    /// next gives another path, the anchor last, or nothing.
    std::optional<Path> next();
    /// issuers are who may have issued a certificate, best first, without excluded links.
    std::vector<std::size_t> issuers(std::size_t index) const;
    bool is_anchor(std::size_t index) const { return nodes_[index].anchor; }
    /// leads_up says whether there is a path from a certificate to an anchor, as far as names and identifiers tell.
    bool leads_up(std::size_t index) const { return nodes_[index].leads_up; }
    /// has_namesake says whether there is a certificate of the name of an issuer that by its key identifier is not the
    /// issuer, or where it is self-signed, one with another key.
    bool has_namesake(std::size_t issued) const;

    const Certificate& operator[](std::size_t index) const { return nodes_[index].certificate; }

    /// verifications is what it cost, pairs of certificates being looked at for a hundredth of one each.
    std::size_t verifications() const { return tried_ + comparisons_ / 100; }

    /// exclude drops a certificate, exclude_key all with its key, exclude_link one that another has not issued, from
    /// all paths to come.
    void exclude(std::size_t index) { excluded_.insert(index); }
    void exclude_key(std::size_t index);
    void exclude_link(std::size_t index, std::size_t issuer) { excluded_links_.insert({index, issuer}); }

  private:
    struct Node {
        Certificate certificate;  // in the form that OpenSSL can work with
        bool anchor = false;
        bool leads_up = false;  // to an anchor
        std::vector<std::size_t> issuers;
    };
    struct Step {
        std::size_t node;
        std::size_t next_issuer = 0;
    };

    void add(const Certificate& certificate, bool anchor);
    void link(Time at);
    bool try_issuer(const Certificate& issuer, const Certificate& issued);
    void mark_ways_up();
    bool repeats(std::size_t index, const std::vector<Step>& steps) const;
    void drop_excluded();

    std::vector<Node> nodes_;
    std::vector<Step> steps_;
    std::set<std::size_t> excluded_;
    std::set<std::pair<std::size_t, std::size_t>> excluded_links_;
    std::size_t walked_ = 0;
    std::size_t comparisons_ = 0;
    std::size_t tried_ = 0;  // whether they have signed
};

}  // namespace p11mime::cms
