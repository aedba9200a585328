#pragma once

#include <cstddef>
#include <vector>

#include "cms/crl.h"
#include "cms/ocsp.h"

namespace p11mime::cms {

/// EvidenceSigner is who has signed it, or why nobody is known who has and may. With both, the signer might when it
/// signed: heard is alone what it says to be revoked for good, which stays so after its certificate has ended, and
/// where nobody tells whether that was revoked. So it is where the issuer itself has signed weakly, or without being
/// certified to sign CRLs.
struct EvidenceSigner {
    std::optional<Certificate> certificate;
    std::string reason;
};

/// kMaxCarriedTries is how many signatures are verified, for the evidence about one path, with certificates that came
/// along, and with others of the paths that these may have.
inline constexpr std::size_t kMaxCarriedTries = 100;

/// takes_long says whether a key is slower to verify with than any that signs evidence or certificates.
bool takes_long(const EVP_PKEY* key);

/// EvidenceWork is what it takes to find out who has signed the evidence about one path. What is known is not asked
/// again. A message's sender chooses the certificates that come along: however many, and with whatever keys, they cost
/// little.
class EvidenceWork {
  public:
    /// `verifications` counts those of signatures.
    explicit EvidenceWork(std::size_t& verifications) : verifications_(verifications) {}

    /// may_try says whether a certificate that came along may be tried as the signer, and counts it. Keys that nobody
    /// signs evidence with and that take long to verify with are not.
    bool may_try(const Certificate& carried);
    /// add counts verifications of signatures; add_carried those along the paths of a certificate that came along.
    void add(std::size_t verifications) { verifications_ += verifications; }
    void add_carried(std::size_t verifications) { carried_ += verifications; }
    std::size_t verifications() const { return verifications_; }

    /// About is what evidence tells of.
    struct About {
        Certificate certificate;
        Certificate issuer;
        bool of_signer;  ///< of other evidence
        bool operator==(const About&) const = default;
    };

    /// once is the signer of a CRL or response, which `find` finds the first time.
    template <class Evidence, class Find>
    EvidenceSigner once(const Evidence& evidence, const About& about, const Find& find) {
        auto& known = known_of(evidence);
        for (const auto& each : known)
            if (same(each.evidence, evidence) && each.about == about) return each.signer;
        EvidenceSigner signer = find();
        known.push_back({evidence, about, signer});
        return signer;
    }

  private:
    template <class Evidence>
    struct Known {
        Evidence evidence;  // kept, so that no other comes to lie where it does
        About about;
        EvidenceSigner signer;
    };

    // Copies share what they point to.
    static bool same(const Crl& a, const Crl& b) { return a.issuer_name() == b.issuer_name(); }
    static bool same(const OcspResponse& a, const OcspResponse& b) { return &a.der() == &b.der(); }
    std::vector<Known<Crl>>& known_of(const Crl&) { return crls_; }
    std::vector<Known<OcspResponse>>& known_of(const OcspResponse&) { return responses_; }

    std::vector<Known<Crl>> crls_;
    std::vector<Known<OcspResponse>> responses_;
    std::size_t& verifications_;
    std::size_t carried_ = 0;
};

}  // namespace p11mime::cms
