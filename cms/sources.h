#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cms/certificate.h"
#include "cms/crl.h"
#include "cms/decrypter.h"
#include "cms/ocsp.h"

namespace p11mime::cms {

/// CertificateSource looks certificates up: anchors, intermediates, correspondents. Implemented in cli/ (files, the
/// address book) and token/ (libnssckbi).
class CertificateSource {
  public:
    virtual ~CertificateSource() = default;
    virtual std::vector<Certificate> by_subject(ByteView name_der) = 0;
    /// by_identifier gives all: a key may have several certificates, and others may claim its identifier.
    virtual std::vector<Certificate> by_identifier(const RecipientIdentifier& identifier) = 0;
};

/// Missing is why something could not be had.
struct Missing {
    std::string why;          ///< in plain words; "" where nothing is missing
    std::string remedy = {};  ///< likewise, what could be done; "" where it may be had another time at best
};

/// most_telling is which of several, of which there is one at least, to tell of: one that can be mended, else the last.
inline const Missing& most_telling(const std::vector<Missing>& missing) {
    const auto mended =
        std::find_if(missing.rbegin(), missing.rend(), [](const Missing& each) { return !each.remedy.empty(); });
    return mended == missing.rend() ? missing.back() : *mended;
}

/// IssuerSource fetches certificates that name where their issuer's is (authority information access).
class IssuerSource {
  public:
    virtual ~IssuerSource() = default;
    struct Found {
        std::vector<Certificate> certificates;
        Missing missing = {};  ///< why there are none
    };
    virtual Found issuers_of(const Certificate& certificate) = 0;
};

/// Revoked is what evidence tells of a certificate that it says is revoked.
struct Revoked {
    Time since{};
    std::string reason;  ///< in plain words; may be empty
    Cause cause = Cause::other;
    bool on_hold = false;    ///< it may come back
    std::string other = {};  ///< in plain words, the certificate of the same key that was told of; empty: its own

    friend bool operator==(const Revoked&, const Revoked&) = default;
};

/// Telling is what evidence told that was signed by who may, in short: a CRL may be of many megabytes.
struct Telling {
    Revoked revoked;
    Time of{};                 ///< the evidence's; what says the same at a later time stands for it
    std::optional<Time> ends;  ///< the evidence's
};

/// RevocationEvidence is what tells whether certificates are revoked. But for what is remembered, nothing in it is
/// believed before it was judged.
struct RevocationEvidence {
    struct Ocsp {
        OcspResponse response;
        Bytes request = {};  ///< DER of the OCSPRequest that it answers; empty where it came by itself
    };
    std::vector<Crl> crls;
    std::vector<Crl> at_points = {};    ///< likewise, from where the certificate says that its CRLs are
    std::vector<Crl> at_freshest = {};  ///< likewise, from where it or a CRL says that what has changed since is
    std::vector<Ocsp> ocsp;
    std::vector<Telling> remembered = {};  ///< of the certificate
    std::optional<Time> released = {};     ///< likewise: of when what told is that it is no longer on hold
    std::vector<Missing> missing;
    bool starved = false;  ///< there was no time left to ask, for what was asked about others

    void add(const RevocationEvidence& more) {
        crls.insert(crls.end(), more.crls.begin(), more.crls.end());
        at_points.insert(at_points.end(), more.at_points.begin(), more.at_points.end());
        at_freshest.insert(at_freshest.end(), more.at_freshest.begin(), more.at_freshest.end());
        ocsp.insert(ocsp.end(), more.ocsp.begin(), more.ocsp.end());
        remembered.insert(remembered.end(), more.remembered.begin(), more.remembered.end());
        released = std::max(released, more.released);
        missing.insert(missing.end(), more.missing.begin(), more.missing.end());
        starved = starved || more.starved;
    }
};

/// RevocationSource gathers evidence; cms/revocation.h judges it. Without one, revocation is not checked.
class RevocationSource {
  public:
    virtual ~RevocationSource() = default;

    /// at_hand is what there is without asking anybody.
    virtual RevocationEvidence at_hand(const Certificate& certificate, const Certificate& issuer) = 0;

    /// Tells says whether an answer tells all of the certificate; it may have ended, say, be of somebody who may not
    /// tell, or for some reasons alone.
    using Tells = std::function<bool(const RevocationEvidence& answer)>;

    /// begin tells that what is asked from now on is about a signer, who is to be found out about.
    virtual void begin() {}

    /// asks says whether fetch and fetch_delta ask anybody.
    virtual bool asks() const { return true; }

    /// fetch asks others: responders by OCSP, distribution points for CRLs. Of those that are to have the same, one
    /// after another is asked until an answer tells. It and fetch_delta are called for certificates alone whose
    /// signatures lead to an anchor.
    enum class From { responders, distribution_points };
    virtual RevocationEvidence fetch(const Certificate& certificate, const Certificate& issuer, From from,
                                     const Tells& tells) = 0;
    /// fetch_delta asks likewise for what has changed since the CRL `base`, or where there is none.
    virtual RevocationEvidence fetch_delta(const Certificate& certificate, const std::optional<Crl>& base,
                                           const Tells& tells) = 0;

    /// keep is told of evidence (DER) that was signed by who may, and until when it tells anything.
    virtual void keep(ByteView der, Time until) = 0;

    /// remember is told what servers say of a certificate that is revoked, now or by what is at hand, and how long that
    /// is needed at least, so that no other evidence makes it forgotten. `limited` is as for tells_of_holder.
    virtual void remember(const Certificate& revoked, bool limited, const Telling& telling, Time until) = 0;

    /// forget_holds is told of when it is known that a certificate is no longer on hold, and how long that is needed at
    /// least: what tells of holds from before that tells nothing any more.
    virtual void forget_holds(const Certificate&, Time /*before*/, Time /*until*/) {}
};

/// Clock tells the time, so that tests and --at can set it.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Time now() const = 0;
};

/// SystemClock is the machine's clock.
class SystemClock final : public Clock {
  public:
    Time now() const override {
        return std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
    }
};

}  // namespace p11mime::cms
