#pragma once

#include <memory>

#include "cli/address_book.h"
#include "cli/certificate_files.h"
#include "cli/options.h"
#include "cms/trust.h"

namespace p11mime::cli {

/// trust_of builds what certificates are judged by from the trust options; anchors and intermediates are read at first
/// use, and then there may be warnings. Run has where missing issuers are fetched from.
cms::Trust trust_of(const Options& options, const std::shared_ptr<AddressBook>& book,
                    const std::shared_ptr<const cms::Clock>& clock, const Warn& warn);

/// intermediates_of are the sources of intermediates: --intermediates, then the address book.
std::vector<std::shared_ptr<cms::CertificateSource>> intermediates_of(const Options& options,
                                                                      const std::shared_ptr<AddressBook>& book,
                                                                      const Warn& warn);

}  // namespace p11mime::cli
