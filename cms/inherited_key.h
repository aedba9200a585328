#pragma once

#include <optional>
#include <vector>

#include "cms/certificate.h"

namespace p11mime::cms {

/// lacks_parameters tells a certificate with a DSA key whose parameters are those of its issuer's key (RFC 3279 section
/// 2.3.2).
bool lacks_parameters(const Certificate& certificate);

/// with_parameters is such a certificate with the parameters of `issuer` filled in, so that OpenSSL can work with it;
/// nothing where the issuer has not signed it.
std::optional<Certificate> with_parameters(const Certificate& certificate, const Certificate& issuer);

/// inherits_from says whether `issuer` has signed `certificate` and `completed`, made by with_parameters, has the
/// parameters of its key.
bool inherits_from(const Certificate& certificate, const Certificate& completed, const Certificate& issuer);

/// InheritedKeys are the certificates below the anchors of a path, or what may become one, whose keys take their
/// parameters from their issuers', maybe from issuer to issuer. An anchor stands for itself and inherits from nobody.
class InheritedKeys {
  public:
    InheritedKeys(const Certificate& end, const std::vector<Certificate>& untrusted,
                  const std::vector<Certificate>& anchors);

    /// usable is a certificate in the form that OpenSSL can work with, original the one that it was made from.
    const Certificate& usable(const Certificate& certificate) const;
    const Certificate& original(const Certificate& certificate) const;

    /// stranger is the first certificate of a path that has not the parameters of its issuer there; null: none. Whoever
    /// likes can make another DSA key, with parameters of its own, that a signature fits.
    const Certificate* stranger(const std::vector<Certificate>& chain) const;
    /// incomplete is the certificate furthest up whose parameters were not found; null: none.
    const Certificate* incomplete() const { return incomplete_.empty() ? nullptr : &incomplete_.back(); }
    /// tries is how many signatures were verified to find the parameters.
    std::size_t tries() const { return tries_; }

  private:
    struct Completed {
        Certificate original;
        Certificate usable;
    };

    void complete_from(std::vector<Certificate> issuers);

    std::vector<Completed> completed_;
    std::vector<Certificate> incomplete_;
    std::size_t tries_ = 0;
};

}  // namespace p11mime::cms
