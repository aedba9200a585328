#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"
#include "cms/smime/report.h"

namespace p11mime::cli {

/// VerdictWords is a verdict for people who know nothing of certificates. Strings of others are not yet made safe.
struct VerdictWords {
    std::string headline;  ///< what holds: "Signed by Alice Example <alice@example.gov>, unchanged, certificate checked
                           ///< 2026-11-21"
    std::string cause;     ///< the one thing that does not hold, and the certificate concerned; may be empty
    std::string remedy;    ///< what could be done about it; may be empty

    std::string sentence() const;  ///< all three in one line
};

VerdictWords verdict_words(const cms::smime::Report& report);
/// verdict_tone and layer_tone are how good a mail is, and a signed or encrypted layer of it. A mail that is valid only
/// because options accept what is off is not good.
Tone verdict_tone(const cms::smime::Report& report);
Tone layer_tone(const cms::smime::Report& report, const cms::smime::Layer& layer);

/// layer_lines tells the details of every layer, outermost first, each line on its own: part, kind and coverage; cipher
/// or other algorithm; recipients; signers with their facts (signer_facts) and countersigners; what it carries; and
/// what of the mail's header they protect (header_lines). With `judged` unset trust is left out, as for inspect.
std::vector<std::string> layer_lines(const cms::smime::Report& report, bool judged);

}  // namespace p11mime::cli
