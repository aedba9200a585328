#include "cms/certificate_class.h"

#include <openssl/err.h>

#include <algorithm>

#include "cms/algorithms.h"
#include "cms/asn1.h"
#include "cms/handle.h"
#include "cms/policies.h"

namespace p11mime::cms {

namespace {

// The statements of ETSI EN 319 412-5.
constexpr std::string_view kQcCompliance = "0.4.0.1862.1.1";
constexpr std::string_view kQcSscd = "0.4.0.1862.1.4";
constexpr std::string_view kQcType = "0.4.0.1862.1.6";
constexpr std::string_view kForSignatures = "0.4.0.1862.1.6.1";
constexpr std::string_view kForSeals = "0.4.0.1862.1.6.2";

void free_values(ASN1_SEQUENCE_ANY* values) {
    sk_ASN1_TYPE_pop_free(values, ASN1_TYPE_free);
}
using Values = Handle<ASN1_SEQUENCE_ANY, free_values>;

// values_of parses a SEQUENCE; null where it is none.
Values values_of(const ASN1_STRING* der) {
    const ByteView bytes = asn1::octets(der);
    const Byte* at = bytes.data();
    Values values(d2i_ASN1_SEQUENCE_ANY(nullptr, &at, static_cast<long>(bytes.size())));
    ERR_clear_error();
    return values && at == bytes.data() + bytes.size() ? std::move(values) : nullptr;
}

std::string oid_at(const Values& values, int index) {
    if (!values || index >= sk_ASN1_TYPE_num(values.get())) return {};
    const ASN1_TYPE* value = sk_ASN1_TYPE_value(values.get(), index);
    return value->type == V_ASN1_OBJECT ? oid_text(value->value.object) : std::string();
}

Values sequence_at(const Values& values, int index) {
    if (!values || index >= sk_ASN1_TYPE_num(values.get())) return nullptr;
    const ASN1_TYPE* value = sk_ASN1_TYPE_value(values.get(), index);
    return value->type == V_ASN1_SEQUENCE ? values_of(value->value.sequence) : nullptr;
}

struct Statements {
    bool compliance = false;
    bool secure_device = false;
    bool other_purpose = false;  // for websites alone
};

// statements_of reads QCStatements (RFC 3739 section 3.2.6).
Statements statements_of(const Certificate& certificate) {
    Statements statements;
    const int at = X509_get_ext_by_NID(certificate.get(), NID_qcStatements, -1);
    if (at < 0) return statements;
    const Values list = values_of(X509_EXTENSION_get_data(X509_get_ext(certificate.get(), at)));
    for (int i = 0; list && i < sk_ASN1_TYPE_num(list.get()); ++i) {
        const Values statement = sequence_at(list, i);
        const std::string id = oid_at(statement, 0);
        if (id == kQcCompliance) statements.compliance = true;
        if (id == kQcSscd) statements.secure_device = true;
        if (id != kQcType) continue;
        const Values types = sequence_at(statement, 1);
        statements.other_purpose = true;
        for (int type = 0; types && type < sk_ASN1_TYPE_num(types.get()); ++type)
            if (const std::string purpose = oid_at(types, type); purpose == kForSignatures || purpose == kForSeals)
                statements.other_purpose = false;
    }
    return statements;
}

bool has_name(const Certificate& certificate, int nid) {
    return X509_NAME_get_index_by_NID(X509_get_subject_name(certificate.get()), nid, -1) >= 0;
}

std::string name_part(const Certificate& certificate, int nid) {
    const X509_NAME* name = X509_get_subject_name(certificate.get());
    const int at = X509_NAME_get_index_by_NID(name, nid, -1);
    if (at < 0) return {};
    return std::string(text_of(asn1::octets(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)))));
}

// names_person tells a subject with the name of a person: in parts, or as a common name that is neither an address nor
// the organization's.
bool names_person(const Certificate& certificate) {
    if (has_name(certificate, NID_givenName) || has_name(certificate, NID_surname) ||
        has_name(certificate, NID_pseudonym))
        return true;
    const std::string common = certificate.common_name();
    return !common.empty() && common.find('@') == std::string::npos &&
           common != name_part(certificate, NID_organizationName);
}

Validation claimed_validation(const Certificate& certificate) {
    const bool person = names_person(certificate);
    if (has_name(certificate, NID_organizationName)) return person ? Validation::sponsor : Validation::organization;
    if (person) return Validation::individual;
    return certificate.emails().empty() ? Validation::unknown : Validation::mailbox;
}

std::optional<int> level_of(Validation validation) {
    switch (validation) {
        case Validation::mailbox:
            return 1;
        case Validation::individual:
            return 2;
        case Validation::sponsor:
        case Validation::organization:
            return 3;
        case Validation::unknown:
            break;
    }
    return std::nullopt;
}

// least orders validations by how much they tell, those first that tell least. A mailbox says that nobody made sure of
// the subject's name; a sponsor is a person and an organization.
int least(Validation validation) {
    switch (validation) {
        case Validation::mailbox:
            return 0;
        case Validation::individual:
            return 1;
        case Validation::organization:
            return 2;
        case Validation::sponsor:
            return 3;
        case Validation::unknown:
            break;
    }
    return 4;
}

// take_policies fills in what the policies tell that a path is valid for.
void take_policies(CertificateClass& kind, const std::vector<const KnownPolicy*>& policies) {
    kind.basis = Basis::policy;
    kind.validation = Validation::unknown;
    for (const KnownPolicy* policy : policies)
        if (least(policy->validation) < least(kind.validation)) kind.validation = policy->validation;
    const KnownPolicy* telling = nullptr;
    for (const KnownPolicy* policy : policies) {
        if (policy->validation != kind.validation) continue;
        if (telling == nullptr || telling->level < policy->level) telling = policy;
        if (!kind.generation) kind.generation = policy->generation;
    }
    kind.level = telling->level;
    kind.policy_name = std::string(telling->name);
    for (const KnownPolicy* policy : policies) {
        if (policy->secure_device) kind.on_secure_device = Basis::policy;
        if (policy->qualified && kind.qualified) kind.qualified = Basis::policy;
    }
}

}  // namespace

std::string_view name(Validation value) {
    switch (value) {
        case Validation::mailbox:
            return "mailbox";
        case Validation::individual:
            return "individual";
        case Validation::sponsor:
            return "sponsor";
        case Validation::organization:
            return "organization";
        case Validation::unknown:
            break;
    }
    return "unknown";
}

std::string_view name(Generation value) {
    switch (value) {
        case Generation::legacy:
            return "legacy";
        case Generation::multipurpose:
            return "multipurpose";
        case Generation::strict:
            break;
    }
    return "strict";
}

std::string_view name(Basis value) {
    return value == Basis::policy ? "policy" : "claimed";
}

CertificateClass classify(const Certificate& certificate, std::span<const std::string> policies) {
    std::vector<const KnownPolicy*> known;
    for (const std::string& oid : policies)
        if (const KnownPolicy* policy = find_policy(oid)) known.push_back(policy);
    std::sort(known.begin(), known.end());  // as the table has them

    CertificateClass kind;
    const Statements statements = statements_of(certificate);
    if (statements.compliance && !statements.other_purpose) kind.qualified = Basis::claimed;
    if (statements.secure_device) kind.on_secure_device = Basis::claimed;
    if (known.empty()) {
        kind.validation = claimed_validation(certificate);
        kind.level = level_of(kind.validation);
    } else {
        take_policies(kind, known);
    }
    return kind;
}

}  // namespace p11mime::cms
