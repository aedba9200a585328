#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cms/distribution_points.h"

namespace p11mime::cms {

/// Cause is what the reason that a revocation gives says of the key, what says more against it last.
enum class Cause {
    orderly = -1,           ///< it is no longer used, and what it signed before stays good (RFC 3161 section 4)
    unspecified,            ///< likewise of who stamps times (there too); of all others, as where none is given
    other,                  ///< or none is given
    authority_compromised,  ///< of an authority's certificate: it is known to others (cACompromise)
    key_compromised,        ///< it is known to others (keyCompromise)
};

/// CrlEntry is what a CRL tells of one certificate.
struct CrlEntry {
    Time since{};        ///< the earlier of revocation and invalidity date
    std::string reason;  ///< in plain words; empty where none is given
    Cause cause = Cause::other;
    bool on_hold = false;  ///< it may come back (certificateHold)
    bool removed = false;  ///< of a delta CRL: no longer on hold, or ended (removeFromCRL)
};

/// Crl is an X.509 CRL (RFC 5280 section 5) as a value; copies share it. Its signature is not checked here.
class Crl {
  public:
    /// from_der parses one CRL. Throws Error(malformed).
    static Crl from_der(ByteView der);
    /// from_file_bytes reads every CRL in PEM, or one after another in DER, white space after the last. Throws
    /// Error(malformed) where there is none, or one is broken.
    static std::vector<Crl> from_file_bytes(ByteView bytes);

    Bytes der() const;
    const X509_NAME* issuer_name() const;
    Bytes issuer_der() const;    ///< DER of the Name
    std::string issuer() const;  ///< RFC 2253 form in UTF-8
    Time this_update() const;
    std::optional<Time> next_update() const;

    /// defect is why the CRL cannot be used for any certificate; empty where it can. Critical extensions that are not
    /// known, of its entries too, are one (section 5.2 and 5.3).
    const std::string& defect() const;
    /// lists_clearly says whether it can be told all the same which certificates it lists.
    bool lists_clearly() const;

    bool is_delta() const;
    /// completes says whether this delta CRL tells what has changed since `base` (section 5.2.4).
    bool completes(const Crl& base) const;
    /// supersedes says whether this delta CRL is one to a newer complete CRL than `base`.
    bool supersedes(const Crl& base) const;
    /// precedes says whether `base` tells all that this delta CRL does, by their numbers.
    bool precedes(const Crl& base) const;
    /// scope tells the CRLs of one issuer apart: the DER of the issuing distribution point, empty where it has none.
    Bytes scope() const;
    /// freshest_urls are where it says that its delta CRLs are.
    std::vector<Alternatives> freshest_urls() const;

    /// covers is for which reasons it tells of a certificate, none where it does not.
    Reasons covers(const Certificate& certificate) const;
    /// names_point_of says whether it has a distribution point's name that the certificate has too.
    bool names_point_of(const Certificate& certificate) const;
    /// of_one_key says whether it lists what one key of its issuer has signed (kKeyVersion).
    bool of_one_key() const;
    /// is_of_issuer says whether it lists certificates of the certificate's issuer, whichever those are: it is by that
    /// name, and not for attribute certificates, which are numbered apart.
    bool is_of_issuer(const Certificate& certificate) const;
    /// entry is the certificate's, nothing where it is not listed. Of several, what says most against it counts.
    std::optional<CrlEntry> entry(const Certificate& certificate) const;
    /// keeps_ended says whether it still lists what was revoked and ended at `time` (expiredCertsOnCRL, X.509 section
    /// 9.5.2.8); without saying so, it need not.
    bool keeps_ended(Time time) const;

    bool signed_by(const Certificate& signer) const;
    /// signature_algorithm is the identifier of its signature's.
    const X509_ALGOR* signature_algorithm() const;

  private:
    struct State;
    bool is_delta_of_kind(const Crl& base) const;
    bool is_delta_of_scope(const Crl& base) const;

    static Crl take(ByteView& der);  // the first in it, which it is moved past
    explicit Crl(std::shared_ptr<const State> state) : state_(std::move(state)) {}

    std::shared_ptr<const State> state_;
};

/// revocation_reason names a CRLReason (RFC 5280 section 5.3.1) in plain words; empty where it says nothing.
std::string revocation_reason(long code);
Cause revocation_cause(long code);

}  // namespace p11mime::cms
