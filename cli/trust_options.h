#pragma once

#include <memory>

#include "cli/address_book.h"
#include "cli/certificate_files.h"
#include "cli/options.h"
#include "cli/revocation_source.h"
#include "cms/trust.h"

namespace p11mime::cli {

/// trust_of builds what certificates are judged by from the trust options; anchors and intermediates are read at first
/// use, and then there may be warnings. Run has where missing issuers are fetched from, and what tells whether
/// certificates are revoked.
cms::Trust trust_of(const Options& options, const std::shared_ptr<AddressBook>& book,
                    const std::shared_ptr<const cms::Clock>& clock, const Warn& warn);

/// revocation_files_of is what tells whether certificates are revoked; null where that is not looked at. Throws
/// Error(io) where a file that --crl names does not exist.
std::shared_ptr<RevocationFiles> revocation_files_of(const Options& options,
                                                     const std::shared_ptr<const cms::Clock>& clock, const Warn& warn);

/// intermediates_of are the sources of intermediates: --intermediates, then the address book.
std::vector<std::shared_ptr<cms::CertificateSource>> intermediates_of(const Options& options,
                                                                      const std::shared_ptr<AddressBook>& book,
                                                                      const Warn& warn);

}  // namespace p11mime::cli
