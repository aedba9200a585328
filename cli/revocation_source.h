#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "cli/fetch.h"
#include "cli/fetched_once.h"
#include "cli/revocation_cache.h"
#include "cms/sources.h"

namespace p11mime::cli {

inline constexpr std::chrono::milliseconds kIssuersPatience{30'000};  ///< for the issuers of one mail

/// RevocationFiles gathers evidence from files with CRLs, from the cache, and, where there is a fetcher, from the
/// servers that certificates name: first OCSP, then CRLs. Each server is asked for a thing once in a run. Safe for
/// several threads, which wait for one another only where they ask for the same.
class RevocationFiles final : public cms::RevocationSource {
  public:
    /// `files` are files in PEM or DER, or directories with such; what is no CRL in a directory is passed over. Throws
    /// Error(io) where one does not exist. They are read at first use. Without a fetcher nothing is fetched.
    RevocationFiles(std::vector<std::string> files, RevocationCache cache, std::shared_ptr<Fetcher> fetcher,
                    std::shared_ptr<const cms::Clock> clock);

    cms::RevocationEvidence at_hand(const cms::Certificate& certificate, const cms::Certificate& issuer) override;
    cms::RevocationEvidence fetch(const cms::Certificate& certificate, const cms::Certificate& issuer,
                                  From from) override;
    cms::RevocationEvidence fetch_delta(const cms::Certificate& certificate, const cms::Crl& crl) override;
    void keep(ByteView der, cms::Time until) override;

  private:
    struct FetchedCrls {
        std::vector<cms::Crl> crls;
        std::string missing = {};  // why there are none
    };
    struct FetchedResponse {
        std::optional<cms::RevocationEvidence::Ocsp> response;
        std::string missing = {};  // likewise
    };

    const std::vector<cms::Crl>& from_files();
    std::vector<cms::Crl> known_at(const std::string& url);
    void ask_responders(const cms::Certificate& certificate, const cms::Certificate& issuer,
                        cms::RevocationEvidence& evidence);
    FetchedResponse fetch_response(const std::string& url, const cms::Certificate& certificate,
                                   const cms::Certificate& issuer);
    void ask_points(const std::vector<cms::Alternatives>& points, cms::RevocationEvidence& evidence);
    FetchedCrls fetch_crls(const std::string& url);
    std::vector<cms::Crl> crls_at(const std::string& url);

    std::vector<std::string> files_;
    std::shared_ptr<Fetcher> fetcher_;
    std::shared_ptr<const cms::Clock> clock_;
    FetchedOnce<FetchedCrls> crl_answers_;            // by URL
    FetchedOnce<FetchedResponse> responder_answers_;  // by URL and the certificate's fingerprint

    std::mutex mutex_;  // of the rest; nothing is fetched under it
    RevocationCache cache_;
    bool files_read_ = false;
    std::vector<cms::Crl> file_crls_;
    std::map<std::string, std::vector<cms::Crl>> crls_;   // by URL
    std::map<std::string, cms::OcspResponse> responses_;  // by the certificate's fingerprint, of the cache
    std::map<std::string, Bytes> fetched_;                // by the key that the cache is to have them by
};

/// FetchedIssuers is what the fetches of a run have found at URLs. Safe for several threads, which wait for one another
/// only where they ask for the same.
class FetchedIssuers {
  public:
    explicit FetchedIssuers(std::shared_ptr<Fetcher> fetcher) : fetcher_(std::move(fetcher)) {}

    /// at gives what is at a URL, fetched or known; a fetch takes what it took off `left`, and no more than that.
    cms::IssuerSource::Found at(const std::string& url, std::chrono::milliseconds& left);

  private:
    std::vector<cms::Certificate> fetch(const std::string& url, std::chrono::milliseconds at_most);

    std::shared_ptr<Fetcher> fetcher_;
    FetchedOnce<cms::IssuerSource::Found> found_;  // by URL
};

/// IssuerFetcher fetches the certificates of issuers for one mail from where certificates say that they are. Whoever
/// made the certificates may name servers that never answer, so there is a time for all of its fetches.
class IssuerFetcher final : public cms::IssuerSource {
  public:
    explicit IssuerFetcher(std::shared_ptr<FetchedIssuers> fetched,
                           std::chrono::milliseconds patience = kIssuersPatience)
        : fetched_(std::move(fetched)), left_(patience) {}
    Found issuers_of(const cms::Certificate& certificate) override;

  private:
    std::shared_ptr<FetchedIssuers> fetched_;
    std::chrono::milliseconds left_;
};

}  // namespace p11mime::cli
