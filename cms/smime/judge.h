#pragma once

#include <string>
#include <vector>

#include "cms/signed_data.h"
#include "cms/signer_info.h"
#include "cms/smime/read.h"
#include "cms/smime/workload.h"

namespace p11mime::cms::smime {

/// Sender is whom a mail says that it is from.
struct Sender {
    std::vector<std::string> mailboxes;
    SenderCheck check = SenderCheck::off;
    std::optional<Time> date;  ///< that the mail claims
};

/// judge_signers gives a verdict for each SignerInfo, within the limits of `workload`. Without trust nothing is
/// verified and all says not_checked (inspect).
struct JudgedSigners {
    std::vector<SignerVerdict> verdicts;
    std::set<Hash> missing_digests;  ///< judge again with these computed too
    std::vector<Warning> warnings;   ///< of countersignatures that do not hold, or are too many
    std::string all_unsupported;     ///< "unsupported algorithm NAME" where no signer could be checked for that reason
};
JudgedSigners judge_signers(const SignedDataReader& reader, const SignedContent& content, const Trust* trust,
                            const Sender& sender, Workload& workload);

/// conclude sets a report's result, reason and hint from its layers (docs/json.md: valid only if every signer is valid
/// and trusted, one matches the sender and the signature covers the whole message).
void conclude(Report& report, const Sender& sender, bool allow_weak);

}  // namespace p11mime::cms::smime
