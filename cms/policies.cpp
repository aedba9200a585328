#include "cms/policies.h"

#include <openssl/err.h>
#include <openssl/objects.h>

#include <algorithm>
#include <iterator>

#include "cms/algorithms.h"
#include "cms/handle.h"

namespace p11mime::cms {

namespace {

// Of two policies with one level, the first is the one that a class is named after.
constexpr KnownPolicy kPolicies[] = {
    // CA/Browser Forum, Baseline Requirements for S/MIME certificates.
    {"2.23.140.1.5.1.1", "CA/Browser Forum S/MIME, mailbox-validated, legacy", Validation::mailbox, Generation::legacy,
     1, false},
    {"2.23.140.1.5.1.2", "CA/Browser Forum S/MIME, mailbox-validated, multipurpose", Validation::mailbox,
     Generation::multipurpose, 1, false},
    {"2.23.140.1.5.1.3", "CA/Browser Forum S/MIME, mailbox-validated, strict", Validation::mailbox, Generation::strict,
     1, false},
    {"2.23.140.1.5.2.1", "CA/Browser Forum S/MIME, organization-validated, legacy", Validation::organization,
     Generation::legacy, 3, false},
    {"2.23.140.1.5.2.2", "CA/Browser Forum S/MIME, organization-validated, multipurpose", Validation::organization,
     Generation::multipurpose, 3, false},
    {"2.23.140.1.5.2.3", "CA/Browser Forum S/MIME, organization-validated, strict", Validation::organization,
     Generation::strict, 3, false},
    {"2.23.140.1.5.3.1", "CA/Browser Forum S/MIME, sponsor-validated, legacy", Validation::sponsor, Generation::legacy,
     3, false},
    {"2.23.140.1.5.3.2", "CA/Browser Forum S/MIME, sponsor-validated, multipurpose", Validation::sponsor,
     Generation::multipurpose, 3, false},
    {"2.23.140.1.5.3.3", "CA/Browser Forum S/MIME, sponsor-validated, strict", Validation::sponsor, Generation::strict,
     3, false},
    {"2.23.140.1.5.4.1", "CA/Browser Forum S/MIME, individual-validated, legacy", Validation::individual,
     Generation::legacy, 2, false},
    {"2.23.140.1.5.4.2", "CA/Browser Forum S/MIME, individual-validated, multipurpose", Validation::individual,
     Generation::multipurpose, 2, false},
    {"2.23.140.1.5.4.3", "CA/Browser Forum S/MIME, individual-validated, strict", Validation::individual,
     Generation::strict, 2, false},
    // ETSI EN 319 411-2 and EN 319 411-1.
    {"0.4.0.194112.1.2",
     "EU qualified, natural person, on a secure device (QCP-n-qscd)",
     Validation::individual,
     {},
     3,
     true,
     true},
    {"0.4.0.194112.1.3",
     "EU qualified, legal person, on a secure device (QCP-l-qscd)",
     Validation::organization,
     {},
     3,
     true,
     true},
    {"0.4.0.194112.1.0", "EU qualified, natural person (QCP-n)", Validation::individual, {}, 3, false, true},
    {"0.4.0.194112.1.1", "EU qualified, legal person (QCP-l)", Validation::organization, {}, 3, false, true},
    {"0.4.0.2042.1.2", "ETSI normalized, on a secure device (NCP+)", Validation::unknown, {}, 3, true},
    {"0.4.0.2042.1.1", "ETSI normalized (NCP)", Validation::unknown, {}, 3, false},
    {"0.4.0.2042.1.3", "ETSI lightweight (LCP)", Validation::unknown, {}, 2, false},
    // X.509 Certificate Policy for the U.S. Federal PKI Common Policy Framework, and that of the Federal Bridge. Those
    // for
    // devices, cards and the signing of content say nothing of a person.
    {"2.16.840.1.101.3.2.1.3.16", "US Federal PKI, id-fpki-common-high", Validation::individual, {}, 3, true},
    {"2.16.840.1.101.3.2.1.3.7", "US Federal PKI, id-fpki-common-hardware", Validation::individual, {}, 3, true},
    {"2.16.840.1.101.3.2.1.3.13", "US Federal PKI, id-fpki-common-authentication", Validation::individual, {}, 3, true},
    {"2.16.840.1.101.3.2.1.3.41",
     "US Federal PKI, id-fpki-common-derived-pivAuth-hardware",
     Validation::individual,
     {},
     3,
     true},
    {"2.16.840.1.101.3.2.1.3.45",
     "US Federal PKI, id-fpki-common-pivi-authentication",
     Validation::individual,
     {},
     3,
     true},
    {"2.16.840.1.101.3.2.1.3.6", "US Federal PKI, id-fpki-common-policy", Validation::individual, {}, 3, false},
    {"2.16.840.1.101.3.2.1.3.40",
     "US Federal PKI, id-fpki-common-derived-pivAuth",
     Validation::individual,
     {},
     3,
     false},
    {"2.16.840.1.101.3.2.1.3.17", "US Federal PKI, id-fpki-common-cardAuth", Validation::unknown, {}, {}, true},
    {"2.16.840.1.101.3.2.1.3.46", "US Federal PKI, id-fpki-common-pivi-cardAuth", Validation::unknown, {}, {}, true},
    {"2.16.840.1.101.3.2.1.3.36", "US Federal PKI, id-fpki-common-devicesHardware", Validation::unknown, {}, {}, true},
    {"2.16.840.1.101.3.2.1.3.8", "US Federal PKI, id-fpki-common-devices", Validation::unknown, {}, {}, false},
    {"2.16.840.1.101.3.2.1.3.39",
     "US Federal PKI, id-fpki-common-piv-contentSigning",
     Validation::unknown,
     {},
     {},
     true},
    {"2.16.840.1.101.3.2.1.3.47",
     "US Federal PKI, id-fpki-common-pivi-contentSigning",
     Validation::unknown,
     {},
     {},
     true},
    {"2.16.840.1.101.3.2.1.3.4", "US Federal PKI, id-fpki-certpcy-highAssurance", Validation::individual, {}, 3, true},
    {"2.16.840.1.101.3.2.1.3.12",
     "US Federal PKI, id-fpki-certpcy-mediumHardware",
     Validation::individual,
     {},
     3,
     true},
    {"2.16.840.1.101.3.2.1.3.15", "US Federal PKI, id-fpki-certpcy-mediumHW-CBP", Validation::individual, {}, 3, true},
    {"2.16.840.1.101.3.2.1.3.18", "US Federal PKI, id-fpki-certpcy-pivi-hardware", Validation::individual, {}, 3, true},
    {"2.16.840.1.101.3.2.1.3.3",
     "US Federal PKI, id-fpki-certpcy-mediumAssurance",
     Validation::individual,
     {},
     3,
     false},
    {"2.16.840.1.101.3.2.1.3.14", "US Federal PKI, id-fpki-certpcy-medium-CBP", Validation::individual, {}, 3, false},
    {"2.16.840.1.101.3.2.1.3.2",
     "US Federal PKI, id-fpki-certpcy-basicAssurance",
     Validation::individual,
     {},
     2,
     false},
    // United States DoD X.509 Certificate Policy; NPE are devices.
    {"2.16.840.1.101.2.1.11.42", "US DoD, id-US-dod-mediumHardware-112", Validation::individual, {}, 3, true},
    {"2.16.840.1.101.2.1.11.43", "US DoD, id-US-dod-mediumHardware-128", Validation::individual, {}, 3, true},
    {"2.16.840.1.101.2.1.11.44", "US DoD, id-US-dod-mediumHardware-192", Validation::individual, {}, 3, true},
    {"2.16.840.1.101.2.1.11.9", "US DoD, id-US-dod-mediumHardware", Validation::individual, {}, 3, true},
    {"2.16.840.1.101.2.1.11.19", "US DoD, id-US-dod-mediumHardware-2048", Validation::individual, {}, 3, true},
    {"2.16.840.1.101.2.1.11.10", "US DoD, id-US-dod-PIV-Auth", Validation::individual, {}, 3, true},
    {"2.16.840.1.101.2.1.11.20", "US DoD, id-US-dod-PIV-Auth-2048", Validation::individual, {}, 3, true},
    {"2.16.840.1.101.2.1.11.39", "US DoD, id-US-dod-medium-112", Validation::individual, {}, 3, false},
    {"2.16.840.1.101.2.1.11.40", "US DoD, id-US-dod-medium-128", Validation::individual, {}, 3, false},
    {"2.16.840.1.101.2.1.11.41", "US DoD, id-US-dod-medium-192", Validation::individual, {}, 3, false},
    {"2.16.840.1.101.2.1.11.5", "US DoD, id-US-dod-medium", Validation::individual, {}, 3, false},
    {"2.16.840.1.101.2.1.11.18", "US DoD, id-US-dod-medium-2048", Validation::individual, {}, 3, false},
    {"2.16.840.1.101.2.1.11.17", "US DoD, id-US-dod-mediumNPE", Validation::unknown, {}, {}, false},
    {"2.16.840.1.101.2.1.11.36", "US DoD, id-US-dod-mediumNPE-112", Validation::unknown, {}, {}, false},
    {"2.16.840.1.101.2.1.11.37", "US DoD, id-US-dod-mediumNPE-128", Validation::unknown, {}, {}, false},
    {"2.16.840.1.101.2.1.11.38", "US DoD, id-US-dod-mediumNPE-192", Validation::unknown, {}, {}, false},
};

}  // namespace

const KnownPolicy* find_policy(std::string_view oid) {
    const auto* found = std::find_if(std::begin(kPolicies), std::end(kPolicies),
                                     [&](const KnownPolicy& each) { return each.oid == oid; });
    return found == std::end(kPolicies) ? nullptr : found;
}

bool is_dotted_oid(std::string_view text) {
    constexpr std::size_t kMaxText = 200;
    if (text.size() > kMaxText || text.find_first_not_of("0123456789.") != std::string_view::npos) return false;
    const ObjectHandle object(OBJ_txt2obj(std::string(text).c_str(), 1));
    ERR_clear_error();
    return object != nullptr && oid_text(object.get()) == text;
}

}  // namespace p11mime::cms
