#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "cli/fetch.h"
#include "cli/revocation_cache.h"
#include "cms/sources.h"

namespace p11mime::cli {

/// RevocationFiles gathers evidence from files with CRLs, from the cache, and, where there is a fetcher, from the
/// servers that certificates name: first OCSP, then CRLs. Each server is asked once in a run. Safe for several threads,
/// which wait for one another's fetches.
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
    const std::vector<cms::Crl>& from_files();
    std::vector<cms::Crl> known_at(const std::string& url);
    void ask_responders(const cms::Certificate& certificate, const cms::Certificate& issuer,
                        cms::RevocationEvidence& evidence);
    void ask_points(const std::vector<cms::Alternatives>& points, cms::RevocationEvidence& evidence);
    std::vector<cms::Crl> fetch_crls(const std::string& url);

    std::vector<std::string> files_;
    RevocationCache cache_;
    std::shared_ptr<Fetcher> fetcher_;
    std::shared_ptr<const cms::Clock> clock_;

    std::mutex mutex_;  // of the rest
    bool files_read_ = false;
    std::vector<cms::Crl> file_crls_;
    std::map<std::string, std::vector<cms::Crl>> crls_;   // by URL
    std::map<std::string, cms::OcspResponse> responses_;  // by the certificate's fingerprint, of the cache
    std::set<std::string> asked_;                         // URLs, those of OCSP with the certificate's fingerprint
    std::map<std::string, std::string> failures_;         // by URL
    std::map<std::string, Bytes> fetched_;                // by the key that the cache is to have them by
};

/// IssuerFetcher fetches the certificates of issuers from where certificates say that they are. Safe for several
/// threads.
class IssuerFetcher final : public cms::IssuerSource {
  public:
    explicit IssuerFetcher(std::shared_ptr<Fetcher> fetcher) : fetcher_(std::move(fetcher)) {}
    Found issuers_of(const cms::Certificate& certificate) override;

  private:
    const Found& at(const std::string& url);

    std::shared_ptr<Fetcher> fetcher_;
    std::mutex mutex_;
    std::map<std::string, Found> found_;  // by URL
};

}  // namespace p11mime::cli
