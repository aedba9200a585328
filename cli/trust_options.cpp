#include "cli/trust_options.h"

#include <mutex>

#include "cli/settings.h"
#include "token/token.h"

namespace p11mime::cli {

namespace {

// A CRL may be large, but whoever sends nothing for that long does not work.
constexpr FetchLimits kRevocationLimits{.silence = kRevocationPatience / 3};

// The roots that Mozilla trusts for e-mail; the module is loaded when the first anchor is looked up.
class EmailAnchors final : public cms::CertificateSource {
  public:
    std::vector<cms::Certificate> by_subject(ByteView name_der) override {
        auto* anchors = opened();
        return anchors != nullptr ? anchors->by_subject(name_der) : std::vector<cms::Certificate>{};
    }
    std::vector<cms::Certificate> by_identifier(const cms::RecipientIdentifier& identifier) override {
        auto* anchors = opened();
        return anchors != nullptr ? anchors->by_identifier(identifier) : std::vector<cms::Certificate>{};
    }

  private:
    cms::CertificateSource* opened() {
        std::call_once(tried_, [&] { anchors_ = token::open_email_anchors(""); });
        return anchors_.get();
    }

    std::once_flag tried_;
    std::shared_ptr<cms::CertificateSource> anchors_;
};

}  // namespace

std::vector<std::shared_ptr<cms::CertificateSource>> intermediates_of(const Options& options,
                                                                      const std::shared_ptr<AddressBook>& book,
                                                                      const Warn& warn) {
    std::vector<std::shared_ptr<cms::CertificateSource>> sources;
    if (const auto files = options.list("intermediates"); !files.empty())
        sources.push_back(std::make_shared<CertificateFiles>(files, warn));
    sources.push_back(book);
    return sources;
}

cms::Trust trust_of(const Options& options, const std::shared_ptr<AddressBook>& book,
                    const std::shared_ptr<const cms::Clock>& clock, const Warn& warn) {
    cms::Trust trust;
    trust.clock = clock;
    trust.at = time_of(options);
    trust.purpose = purpose_of(options);
    trust.policy = policy_demands_of(options);
    trust.allow_weak = options.flag("allow-weak");
    if (const auto files = options.list("ca"); !files.empty())
        trust.anchors.push_back(std::make_shared<CertificateFiles>(files, warn));
    if (!options.flag("no-default-ca")) {
        trust.anchors.push_back(std::make_shared<BookAnchors>(book));
        trust.anchors.push_back(std::make_shared<EmailAnchors>());
    }
    if (options.flag("system-ca")) trust.anchors.push_back(std::make_shared<SystemAnchors>());
    trust.intermediates = intermediates_of(options, book, warn);
    trust.require_revocation = options.flag("require-revocation");
    return trust;
}

std::shared_ptr<RevocationFiles> revocation_files_of(const Options& options,
                                                     const std::shared_ptr<const cms::Clock>& clock, const Warn& warn) {
    const Revocation revocation = revocation_of(options);
    if (revocation == Revocation::off) return nullptr;
    const auto fetcher = revocation == Revocation::online
                             ? std::make_shared<Fetcher>(options.list("private-hosts"), kRevocationLimits)
                             : nullptr;
    return std::make_shared<RevocationFiles>(
        options.list("crl"), RevocationCache(RevocationCache::default_path(), warn), fetcher, clock, warn);
}

}  // namespace p11mime::cli
