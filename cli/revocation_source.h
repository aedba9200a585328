#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "cli/certificate_files.h"
#include "cli/fetch.h"
#include "cli/once_each.h"
#include "cli/patience.h"
#include "cli/revocation_cache.h"
#include "cms/sources.h"

namespace p11mime::cli {

inline constexpr std::chrono::milliseconds kIssuersPatience{30'000};     ///< for the issuers of one mail
inline constexpr std::chrono::milliseconds kRevocationPatience{30'000};  ///< for what tells of its certificates

/// Inquiry is how servers are asked for one mail: until an answer tells, and for as long as there is patience.
struct Inquiry {
    const cms::RevocationSource::Tells& tells;
    Patience& patience;
};

/// RevocationFiles gathers evidence from files with CRLs, from the cache, and, where there is a fetcher, from the
/// servers that certificates name: first OCSP, then CRLs. Each server is asked the same once in a run, and what it told
/// is given to all who ask; an address that has kept a mail waiting in vain is not asked again. Safe for several
/// threads, which wait for one another where they ask the same.
class RevocationFiles {
  public:
    /// `files` are files in PEM or DER, or directories with such; what is no CRL in a directory is passed over, with a
    /// warning where it is a broken one. Throws Error(io) where one does not exist. They are read at first use. Without
    /// a fetcher nothing is fetched.
    RevocationFiles(std::vector<std::string> files, RevocationCache cache, std::shared_ptr<Fetcher> fetcher,
                    std::shared_ptr<const cms::Clock> clock, Warn warn);

    using From = cms::RevocationSource::From;

    /// asks says whether there is a fetcher; at_hand, fetch, fetch_delta, keep, remember and forget_holds are as
    /// cms::RevocationSource has them.
    bool asks() const { return fetcher_ != nullptr; }
    cms::RevocationEvidence at_hand(const cms::Certificate& certificate);
    cms::RevocationEvidence fetch(const cms::Certificate& certificate, const cms::Certificate& issuer, From from,
                                  const Inquiry& inquiry);
    cms::RevocationEvidence fetch_delta(const cms::Certificate& certificate, const std::optional<cms::Crl>& base,
                                        const Inquiry& inquiry);
    void keep(ByteView der, cms::Time until);
    void remember(const cms::Certificate& revoked, bool limited, const cms::Telling& telling, cms::Time until);
    void forget_holds(const cms::Certificate& certificate, cms::Time before, cms::Time until);

  private:
    // Fetched is what a server gave, or why it gave nothing.
    template <class T>
    struct Fetched {
        std::vector<T> found = {};
        cms::Missing failure = {};
    };
    using Responses = std::vector<cms::RevocationEvidence::Ocsp>;

    const std::vector<cms::Crl>& from_files();
    void read_crls(const std::string& file, bool named);
    std::optional<Bytes> in_cache(const std::string& key);
    void warn_of_broken(const std::string& key);
    template <class Parse>
    auto parsed_in_cache(const std::string& key, const Parse& parse) -> decltype(parse(Bytes{}));
    void add_known_crls(const std::vector<cms::Alternatives>& points, std::vector<cms::Crl>& crls);
    void add_known_responses(const cms::Certificate& certificate, cms::RevocationEvidence& evidence);
    void add_remembered(const cms::Certificate& certificate, cms::RevocationEvidence& evidence);
    void ask_responders(const cms::Certificate& certificate, const cms::Certificate& issuer, const Inquiry& inquiry,
                        cms::RevocationEvidence& evidence);
    using Crls = std::vector<cms::Crl> cms::RevocationEvidence::*;
    void ask_points(const std::vector<cms::Alternatives>& points, const Inquiry& inquiry, Crls crls,
                    cms::RevocationEvidence& evidence);
    // ask has a question to the server of a URL, which `key` stands for, asked by `fetch` once.
    template <class T, class Fetch>
    Fetched<T> ask(OnceEach<Fetched<T>>& answers, const std::string& key, const std::string& url, Patience& patience,
                   const Fetch& fetch);
    bool is_silent(const std::string& url);
    void note_silent(const std::string& url);
    Fetched<cms::RevocationEvidence::Ocsp> fetch_response(const std::string& url, const cms::Certificate& certificate,
                                                          const cms::Certificate& issuer,
                                                          std::chrono::milliseconds at_most);
    Fetched<cms::Crl> fetch_crls(const std::string& url, std::chrono::milliseconds at_most);
    void note_fetched(const std::string& key, std::vector<Bytes> ders);

    std::vector<std::string> files_;
    std::shared_ptr<Fetcher> fetcher_;
    std::shared_ptr<const cms::Clock> clock_;
    Warn warn_;

    OnceEach<std::vector<cms::Crl>> cached_crls_;                         // by URL
    OnceEach<Responses> cached_responses_;                                // by the certificate's fingerprint
    OnceEach<Fetched<cms::Crl>> fetched_crls_;                            // by URL
    OnceEach<Fetched<cms::RevocationEvidence::Ocsp>> fetched_responses_;  // by URL and the certificate's fingerprint

    std::mutex mutex_;  // of the rest, and never held while a server is asked
    RevocationCache cache_;
    bool files_read_ = false;
    std::vector<cms::Crl> file_crls_;
    // Keepable is what came together, and until when the cache has it.
    struct Keepable {
        std::vector<Bytes> ders;
        cms::Time until = cms::Time::min();
    };
    std::map<std::string, Keepable> fetched_;  // by the key that the cache is to have them by
    std::set<std::string> silent_;             // URLs that were waited for in vain
};

/// RevocationOfMail is the run's source for one mail, with a time for all that is asked about its certificates, of
/// which each has a part.
class RevocationOfMail final : public cms::RevocationSource {
  public:
    explicit RevocationOfMail(std::shared_ptr<RevocationFiles> files,
                              std::chrono::milliseconds patience = kRevocationPatience)
        : files_(std::move(files)), patience_(patience) {}

    cms::RevocationEvidence at_hand(const cms::Certificate& certificate, const cms::Certificate&) override {
        return files_->at_hand(certificate);
    }
    void begin() override { of_signer_ = true; }
    bool asks() const override { return files_->asks(); }
    cms::RevocationEvidence fetch(const cms::Certificate& certificate, const cms::Certificate& issuer, From from,
                                  const Tells& tells) override {
        return asked_about(certificate, [&] { return files_->fetch(certificate, issuer, from, {tells, patience_}); });
    }
    cms::RevocationEvidence fetch_delta(const cms::Certificate& certificate, const std::optional<cms::Crl>& base,
                                        const Tells& tells) override {
        return asked_about(certificate, [&] { return files_->fetch_delta(certificate, base, {tells, patience_}); });
    }
    void keep(ByteView der, cms::Time until) override { files_->keep(der, until); }
    void remember(const cms::Certificate& revoked, bool limited, const cms::Telling& telling,
                  cms::Time until) override {
        files_->remember(revoked, limited, telling, until);
    }
    void forget_holds(const cms::Certificate& certificate, cms::Time before, cms::Time until) override {
        files_->forget_holds(certificate, before, until);
    }

  private:
    template <class Ask>
    cms::RevocationEvidence asked_about(const cms::Certificate& certificate, const Ask& ask) {
        if (!asks()) return ask();
        const std::string name = certificate.fingerprint_sha256();
        auto own = parts_.find(name);
        if (own == parts_.end()) own = parts_.emplace(name, patience_.part()).first;
        patience_.turn(own->second);
        const bool none = own->second.left.count() == 0;
        cms::RevocationEvidence evidence = ask();
        evidence.starved = of_signer_ && none && !evidence.missing.empty();
        return evidence;
    }

    std::shared_ptr<RevocationFiles> files_;
    Patience patience_;
    std::map<std::string, Patience::Part> parts_;  // by the certificate's fingerprint
    bool of_signer_ = false;
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
    std::atomic<std::size_t> asked_ = 0;
    OnceEach<cms::IssuerSource::Found> found_;  // by URL
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
