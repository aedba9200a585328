#include "cms/verify_path.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "cms/algorithms.h"
#include "cms/candidate_paths.h"
#include "cms/distrust.h"
#include "cms/name_constraints.h"
#include "cms/openssl_error.h"

namespace p11mime::cms {

namespace {

using StoreHandle = Handle<X509_STORE, X509_STORE_free>;
using StoreContext = Handle<X509_STORE_CTX, X509_STORE_CTX_free>;
void free_stack(STACK_OF(X509) * stack) {
    sk_X509_free(stack);
}
using BorrowedStack = Handle<STACK_OF(X509), free_stack>;

// follows_path lets OpenSSL build the path that it is to validate and no other.
int follows_path(X509_STORE_CTX* context, X509* certificate, X509* issuer) {
    const auto& path = *static_cast<const std::vector<Certificate>*>(X509_STORE_CTX_get_app_data(context));
    for (std::size_t i = 0; i + 1 < path.size(); ++i)
        if (path[i].get() == certificate && path[i + 1].get() == issuer) return 1;
    return 0;
}

// leave_names_to_us passes over name constraints of certificates that name_fault judges alone.
int leave_names_to_us(int good, X509_STORE_CTX* context) {
    if (good == 1) return 1;
    switch (X509_STORE_CTX_get_error(context)) {
        case X509_V_ERR_PERMITTED_VIOLATION:
        case X509_V_ERR_EXCLUDED_VIOLATION:
        case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
        case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX: {
            const auto& path = *static_cast<const std::vector<Certificate>*>(X509_STORE_CTX_get_app_data(context));
            const auto depth = static_cast<std::size_t>(X509_STORE_CTX_get_error_depth(context));
            return depth < path.size() && has_internationalized_mailbox(path[depth]) ? 1 : 0;
        }
        default:
            return 0;
    }
}

StoreHandle store_of(const Certificate& anchor) {
    StoreHandle store(X509_STORE_new());
    if (!store) throw std::bad_alloc();
    X509_STORE_add_cert(store.get(), anchor.get());
    X509_STORE_set_check_issued(store.get(), follows_path);
    X509_STORE_set_verify_cb(store.get(), leave_names_to_us);
    return store;
}

BorrowedStack between(const std::vector<Certificate>& path) {
    BorrowedStack stack(sk_X509_new_null());
    for (std::size_t i = 1; i + 1 < path.size(); ++i)
        sk_X509_push(stack.get(), path[i].get());
    return stack;
}

void set_policies(X509_VERIFY_PARAM* parameters, const PolicyDemands& policy) {
    unsigned long flags = X509_V_FLAG_POLICY_CHECK;
    if (policy.explicit_policy) flags |= X509_V_FLAG_EXPLICIT_POLICY;
    if (policy.inhibit_mapping) flags |= X509_V_FLAG_INHIBIT_MAP;
    if (policy.inhibit_any_policy) flags |= X509_V_FLAG_INHIBIT_ANY;
    X509_VERIFY_PARAM_set_flags(parameters, flags);
    const auto accept = [&](ObjectHandle object) {
        require(object && X509_VERIFY_PARAM_add0_policy(parameters, object.get()) == 1, "not a policy's OID");
        (void)object.release();  // the parameters have it
    };
    for (const std::string& accepted : policy.accepted)
        accept(ObjectHandle(OBJ_txt2obj(accepted.c_str(), 1)));
    if (policy.accepted.empty()) accept(ObjectHandle(OBJ_nid2obj(NID_any_policy)));
}

STACK_OF(X509_POLICY_NODE) * accepted_policies(X509_STORE_CTX* context) {
    const X509_POLICY_TREE* tree = X509_STORE_CTX_get0_policy_tree(context);
    return tree == nullptr ? nullptr : X509_policy_tree_get0_user_policies(tree);
}

std::vector<std::string> names_of(const STACK_OF(X509_POLICY_NODE) * nodes) {
    std::vector<std::string> policies;
    for (int i = 0; i < sk_X509_POLICY_NODE_num(nodes); ++i) {
        const ASN1_OBJECT* policy = X509_policy_node_get0_policy(sk_X509_POLICY_NODE_value(nodes, i));
        if (OBJ_obj2nid(policy) == NID_any_policy) continue;
        std::string text = oid_text(policy);
        if (std::find(policies.begin(), policies.end(), text) == policies.end()) policies.push_back(std::move(text));
    }
    return policies;
}

// ended_fault is of the certificate that has ended, of several the one farthest from the anchor: it is what the others
// certify, and no newer certificate of them would help.
Fault ended_fault(const std::vector<Certificate>& path, const JudgedTime& time) {
    const auto ended =
        std::find_if(path.begin(), path.end(), [&](const Certificate& each) { return each.not_after() <= time.at; });
    const auto at = static_cast<std::size_t>(ended - path.begin());
    const std::string who = display_name(*ended);
    if (held_when_claimed(path, time))
        return {fmt::format("the certificate of {} has ended since; it was valid at the date the mail claims; --at "
                            "asks for that date",
                            who),
                fmt::format("--at {}, if you know by other means that it was sent then", format_time(*time.claimed)),
                Fault::Scope::certificate, at};
    return {fmt::format("the certificate of {} has ended on {}", who, format_time(ended->not_after())),
            "a newer certificate is needed", Fault::Scope::certificate, at};
}

Fault policy_fault(const Certificate& end, const PolicyDemands& policy) {
    const std::string who = display_name(end);
    if (policy.accepted.empty())
        return {fmt::format("no certificate policy is valid for {} along its path, where one is demanded", who),
                policy.explicit_policy ? "leave --explicit-policy out, or ask for a certificate under a policy"
                                       : "a certificate authority above demands one: ask for another certificate"};
    return {fmt::format("{} has no certificate policy that is accepted and valid along its path", who),
            fmt::format("{}, or ask for a certificate under a policy that --policy names",
                        policy.explicit_policy ? "leave --explicit-policy out" : "leave --policy out")};
}

std::string signature_name(const Certificate& certificate) {
    const ASN1_OBJECT* algorithm = nullptr;
    X509_ALGOR_get0(&algorithm, nullptr, nullptr, X509_get0_tbs_sigalg(certificate.get()));
    const int nid = OBJ_obj2nid(algorithm);
    return nid == NID_undef ? oid_text(algorithm) : OBJ_nid2ln(nid);
}

// fault_of says why OpenSSL refused a path, in plain words.
Fault fault_of(int error, std::size_t at, const std::vector<Certificate>& path, const PolicyDemands& policy,
               Purpose purpose, const JudgedTime& time) {
    const Certificate& certificate = path[at];
    const std::string who = display_name(certificate);
    using Scope = Fault::Scope;
    const auto fault = [&](Scope scope, std::string reason, std::string hint = {}) {
        return Fault{std::move(reason), std::move(hint), scope, at};
    };
    switch (error) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return ended_fault(path, time);
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return fault(
                Scope::certificate,
                fmt::format("the certificate of {} is not valid before {}", who, format_time(certificate.not_before())),
                time.asked_for ? "--at asks for an earlier time: ask for a later one, or leave it out"
                               : "see whether the clock is right");
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
            if (X509_get_signature_info(certificate.get(), nullptr, nullptr, nullptr, nullptr) != 1)
                return fault(Scope::certificate,
                             fmt::format("the certificate of {} is signed in a way that is not supported ({})", who,
                                         signature_name(certificate)));
            return fault(Scope::link, fmt::format("the signature on the certificate of {} is wrong", who),
                         "it may be forged: ask in another way whose it is, by telephone for example");
        case X509_V_ERR_INVALID_CA:
        case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
            return fault(Scope::certificate, fmt::format("{} may not issue certificates", who));
        case X509_V_ERR_CERT_REJECTED:
            return settings_fault(certificate, purpose, at);
        case X509_V_ERR_PATH_LENGTH_EXCEEDED:
            return fault(Scope::path, fmt::format("{} may not issue certificates this far down the path", who));
        case X509_V_ERR_PERMITTED_VIOLATION:
        case X509_V_ERR_EXCLUDED_VIOLATION:
            if (auto named = name_fault(path)) return *named;
            return fault(Scope::path,
                         fmt::format("{} carries a name that a certificate authority above it may not certify", who));
        case X509_V_ERR_NO_EXPLICIT_POLICY: {
            const Fault its = policy_fault(path.front(), policy);
            return fault(Scope::path, its.reason, its.hint);
        }
        case X509_V_ERR_INVALID_POLICY_EXTENSION:
            return fault(Scope::certificate,
                         fmt::format("the certificate of {} has policies that cannot be read", who));
        case X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED:
            return fault(
                Scope::certificate,
                fmt::format("the certificate of {} is a proxy certificate, which no authority vouches for", who));
        case X509_V_ERR_OUT_OF_MEM:
            return fault(Scope::path, fmt::format("the policies along the path of {} are too many", who));
        default:
            return fault(Scope::path, fmt::format("the certificate of {} is not valid (OpenSSL: {})", who,
                                                  X509_verify_cert_error_string(error)));
    }
}

}  // namespace

bool held_when_claimed(const std::vector<Certificate>& path, const JudgedTime& time) {
    return time.claimed && *time.claimed <= time.at &&
           std::ranges::all_of(path, [&](const Certificate& each) { return each.valid_at(*time.claimed); });
}

VerifiedPath verify_path(std::vector<Certificate> path, const PolicyDemands* policy, Purpose purpose,
                         const JudgedTime& time) {
    const StoreHandle store = store_of(path.back());
    const BorrowedStack untrusted = between(path);
    const StoreContext context(X509_STORE_CTX_new());
    require(context && X509_STORE_CTX_init(context.get(), store.get(), path.front().get(), untrusted.get()) == 1,
            "cannot validate a certificate path");
    X509_STORE_CTX_set_app_data(context.get(), &path);
    X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_time(parameters, time.at.time_since_epoch().count());
    X509_VERIFY_PARAM_set_depth(parameters, static_cast<int>(kMaxPathLength));
    X509_VERIFY_PARAM_set_auth_level(parameters, 0);  // strength is judged by the algorithm table
    X509_VERIFY_PARAM_set_flags(parameters,
                                X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_IGNORE_CRITICAL);
    // Of the certificates in PEM's "TRUSTED CERTIFICATE".
    X509_VERIFY_PARAM_set_trust(parameters, purpose == Purpose::timestamps ? X509_TRUST_TSA : X509_TRUST_EMAIL);
    // OpenSSL takes a common name like "alice.smith" for a host's; RFC 5280 section 4.2.1.10 constrains none.
    X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (policy != nullptr) set_policies(parameters, *policy);

    VerifiedPath verified;
    const bool good = X509_verify_cert(context.get()) == 1;
    ERR_clear_error();
    const int built = sk_X509_num(X509_STORE_CTX_get0_chain(context.get()));
    if (!good) {
        const auto depth = static_cast<std::size_t>(std::max(0, X509_STORE_CTX_get_error_depth(context.get())));
        verified.fault = fault_of(X509_STORE_CTX_get_error(context.get()), std::min(depth, path.size() - 1), path,
                                  policy != nullptr ? *policy : PolicyDemands{}, purpose, time);
    } else if (built != static_cast<int>(path.size())) {
        verified.fault = Fault{fmt::format("{} has another path than the one looked for", display_name(path.front()))};
    } else {
        const STACK_OF(X509_POLICY_NODE)* nodes = accepted_policies(context.get());
        verified.policies = names_of(nodes);
        // An anchor by itself follows its user's policy.
        verified.off_policy =
            policy != nullptr && !policy->accepted.empty() && path.size() > 1 && sk_X509_POLICY_NODE_num(nodes) <= 0;
    }
    return verified;
}

}  // namespace p11mime::cms
