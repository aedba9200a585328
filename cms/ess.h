#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cms/attributes.h"
#include "cms/certificate.h"

namespace p11mime::cms {

/// The signed attributes of Enhanced Security Services (RFC 2634) as far as they tell something. What cannot be parsed
/// is left out and named in Ess::malformed. Text is as the signer wrote it.

/// ReceiptRequest asks the recipients for signed receipts (section 2.7).
struct ReceiptRequest {
    Bytes content_identifier;
    enum class From { all, first_tier, listed } from = From::all;
    std::vector<std::string> from_list;  ///< addresses or names, where from is `listed`
    std::vector<std::string> to;         ///< where receipts go
};

/// SecurityLabel is ESSSecurityLabel (section 3.2).
struct SecurityLabel {
    std::string policy;                  ///< dotted OID
    std::optional<long> classification;  ///< 0 unmarked, 1 unclassified, 2 restricted, 3 confidential, 4 secret, 5 top
                                         ///< secret; others by the policy
    std::optional<std::string> privacy_mark;
    std::vector<std::string> categories;  ///< dotted OIDs of their types
};

/// ContentHints tells of the innermost content (section 2.9).
struct ContentHints {
    std::optional<std::string> description;
    std::string type;  ///< dotted OID
};

/// ContentReference names the signed message that this one answers (section 2.11).
struct ContentReference {
    std::string type;  ///< dotted OID
    Bytes content_identifier;
};

/// MailListExpansion is one mail list that the message went through (section 4.4).
struct MailListExpansion {
    std::string list;  ///< issuer and serial number, or key identifier
    std::optional<Time> time;
    enum class Receipts { as_requested, none, instead, in_addition } receipts = Receipts::as_requested;
};
inline constexpr std::size_t kMaxEssEntries = 50;  ///< of any list below and above; the rest is left out

struct Ess {
    std::optional<ReceiptRequest> receipt_request;
    std::optional<SecurityLabel> security_label;
    std::vector<SecurityLabel> equivalent_labels;
    std::optional<ContentHints> content_hints;
    std::optional<Bytes> content_identifier;
    std::optional<ContentReference> content_reference;
    std::vector<MailListExpansion> mail_list_expansions;  ///< first list first
    std::vector<std::string> malformed;                   ///< "receipt request", …
};

/// read_ess reads them from signed attributes; each has one value (section 1.3.4).
Ess read_ess(const Attributes& attributes);

/// classification_text is the name of a basic classification (section 3.2), or its number.
std::string classification_text(long classification);

}  // namespace p11mime::cms
