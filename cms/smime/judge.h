#pragma once

#include <string>
#include <vector>

#include "cms/signed_data.h"
#include "cms/signer_info.h"
#include "cms/smime/sender.h"
#include "cms/smime/workload.h"
#include "cms/trust.h"

namespace p11mime::cms::smime {

/// judge_signers gives a verdict for each SignerInfo, within the limits of `workload`. Without trust nothing is
/// verified and all says not_checked (inspect).
struct JudgedSigners {
    std::vector<SignerVerdict> verdicts;
    std::set<Hash> missing_digests;  ///< judge again with these computed too
    std::vector<Warning>
        warnings;  ///< of countersignatures and time-stamps, and of policies and purposes that do not fit
    std::string all_unsupported;  ///< "unsupported algorithm NAME" where no signer could be checked for that reason
};
JudgedSigners judge_signers(const SignedDataReader& reader, const SignedContent& content, const Trust* trust,
                            const Sender& sender, Workload& workload);

/// revocation_of is what a report says of a path.
Revocation revocation_of(RevocationState state);

/// Doubts is what was noticed of a mail beside its signatures: one is enough for it not to be valid.
struct Doubts {
    std::vector<Doubt> coverage;  ///< what readers may see that is not what was signed
    std::vector<Doubt> sender;    ///< whom readers may take for the sender; the sender check is about them too
};

/// conclude sets a report's result, reason and hint from its layers (docs/json.md: valid only if every signer is valid
/// and trusted, one who signed the text and not its encrypted form alone matches the sender, the signature covers the
/// whole message, and there is no doubt).
void conclude(Report& report, const Sender& sender, const Doubts& doubts, bool allow_weak);

}  // namespace p11mime::cms::smime
