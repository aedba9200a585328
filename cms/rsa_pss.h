#pragma once

#include <optional>

#include "cms/algorithms.h"
#include "cms/signer.h"

namespace p11mime::cms {

/// read_pss reads the parameters of an RSASSA-PSS AlgorithmIdentifier (RFC 4055 section 3.1); nothing where they are
/// malformed or not supported: hashes that are not in the table or no plain ones, masks other than MGF1, trailers other
/// than 1. Absent parameters are the defaults: SHA-1, MGF1 with SHA-1, 20 bytes of salt.
std::optional<RsaPss> read_pss(const X509_ALGOR* algorithm);

/// pss_identifier is the AlgorithmIdentifier (DER) of a PSS signature.
Bytes pss_identifier(const RsaPss& scheme);

/// natural_pss is PSS as it is written: the mask generated with the same hash, a salt of its length.
RsaPss natural_pss(Hash hash);

/// pss_restriction is what an id-RSASSA-PSS key may be used with by its SubjectPublicKeyInfo (RFC 4055 section 1.2),
/// the salt being the least one; nothing for other keys and those without restriction. Error(malformed) where the
/// parameters are not supported.
std::optional<RsaPss> pss_restriction(const Bytes& spki_der);

}  // namespace p11mime::cms
