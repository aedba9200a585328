#include "cms/inherited_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <algorithm>

#include "cms/algorithms.h"
#include "cms/asn1.h"
#include "cms/key_fault.h"

namespace p11mime::cms {

namespace {

using Integer = Handle<ASN1_INTEGER, ASN1_INTEGER_free>;
using ParameterBuilder = Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Parameters = Handle<OSSL_PARAM, OSSL_PARAM_free>;

bool has_signed(EVP_PKEY* issuer, const Certificate& certificate) {
    const bool signed_it =
        EVP_PKEY_is_a(issuer, "DSA") == 1 && key_fault(issuer).empty() && X509_verify(certificate.get(), issuer) == 1;
    ERR_clear_error();
    return signed_it;
}

// public_number is the y of a DSA key, which is all that its subjectPublicKey holds.
BignumHandle public_number(const Certificate& certificate) {
    const Byte* bits = nullptr;
    int size = 0;
    X509_PUBKEY_get0_param(nullptr, &bits, &size, nullptr, X509_get_X509_PUBKEY(certificate.get()));
    const Integer number(d2i_ASN1_INTEGER(nullptr, &bits, size));
    return BignumHandle(number ? ASN1_INTEGER_to_BN(number.get(), nullptr) : nullptr);
}

// key_in_group is a DSA key with another's parameters.
KeyHandle key_in_group(const BIGNUM* number, const EVP_PKEY* group) {
    const ParameterBuilder builder(OSSL_PARAM_BLD_new());
    std::vector<BignumHandle> kept;
    bool good = number != nullptr && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, number) == 1;
    for (const char* name : {OSSL_PKEY_PARAM_FFC_P, OSSL_PKEY_PARAM_FFC_Q, OSSL_PKEY_PARAM_FFC_G}) {
        BIGNUM* value = nullptr;
        good = good && EVP_PKEY_get_bn_param(group, name, &value) == 1 &&
               OSSL_PARAM_BLD_push_BN(builder.get(), name, value) == 1;
        kept.emplace_back(value);
    }
    const Parameters parameters(good ? OSSL_PARAM_BLD_to_param(builder.get()) : nullptr);
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "DSA", nullptr));
    EVP_PKEY* key = nullptr;
    if (parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1)
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get());
    return KeyHandle(key);
}

}  // namespace

bool lacks_parameters(const Certificate& certificate) {
    X509_ALGOR* algorithm = nullptr;
    X509_PUBKEY_get0_param(nullptr, nullptr, nullptr, &algorithm, X509_get_X509_PUBKEY(certificate.get()));
    const ASN1_TYPE* parameter = algorithm->parameter;
    return OBJ_obj2nid(algorithm->algorithm) == NID_dsa && (parameter == nullptr || parameter->type == V_ASN1_NULL);
}

std::optional<Certificate> with_parameters(const Certificate& certificate, const Certificate& issuer) {
    EVP_PKEY* signing = X509_get0_pubkey(issuer.get());
    std::optional<Certificate> usable;
    if (signing != nullptr && has_signed(signing, certificate)) {
        const KeyHandle key = key_in_group(public_number(certificate).get(), signing);
        X509Handle copy(X509_dup(certificate.get()));
        if (key && copy && X509_set_pubkey(copy.get(), key.get()) == 1) usable.emplace(std::move(copy));
    }
    ERR_clear_error();
    return usable;
}

bool inherits_from(const Certificate& certificate, const Certificate& completed, const Certificate& issuer) {
    EVP_PKEY* signing = X509_get0_pubkey(issuer.get());
    const EVP_PKEY* own = X509_get0_pubkey(completed.get());
    const bool inherits = signing != nullptr && own != nullptr && has_signed(signing, certificate) &&
                          EVP_PKEY_parameters_eq(own, signing) == 1;
    ERR_clear_error();
    return inherits;
}

InheritedKeys::InheritedKeys(const Certificate& end, const std::vector<Certificate>& untrusted,
                             const std::vector<Certificate>& anchors) {
    const auto add = [&](const Certificate& each) {
        if (lacks_parameters(each)) incomplete_.push_back(each);
    };
    add(end);
    std::for_each(untrusted.begin(), untrusted.end(), add);
    complete_from(anchors);  // first, so that nobody's certificate stands in the way of theirs
    complete_from(untrusted);
}

// complete_from tries each issuer once with each certificate that names it; one that is completed is an issuer too.
void InheritedKeys::complete_from(std::vector<Certificate> issuers) {
    constexpr std::size_t kMaxTries = 200;  // each is a verification
    for (std::size_t i = 0; i < issuers.size() && !incomplete_.empty(); ++i) {
        const Certificate issuer = issuers[i];
        const X509_NAME* name = X509_get_subject_name(issuer.get());
        std::erase_if(incomplete_, [&](const Certificate& each) {
            if (X509_NAME_cmp(X509_get_issuer_name(each.get()), name) != 0 || tries_ == kMaxTries) return false;
            ++tries_;
            auto usable = with_parameters(each, issuer);
            if (!usable) return false;
            issuers.push_back(*usable);
            completed_.push_back({each, std::move(*usable)});
            return true;
        });
    }
}

const Certificate& InheritedKeys::usable(const Certificate& certificate) const {
    const auto same = [&](const Completed& each) { return each.original.get() == certificate.get(); };
    const auto found = std::find_if(completed_.begin(), completed_.end(), same);
    return found == completed_.end() ? certificate : found->usable;
}

const Certificate& InheritedKeys::original(const Certificate& certificate) const {
    const auto same = [&](const Completed& each) { return each.usable.get() == certificate.get(); };
    const auto found = std::find_if(completed_.begin(), completed_.end(), same);
    return found == completed_.end() ? certificate : found->original;
}

const Certificate* InheritedKeys::stranger(const std::vector<Certificate>& chain) const {
    for (std::size_t i = 0; i < chain.size(); ++i) {
        const Certificate& as_it_came = original(chain[i]);
        if (as_it_came.get() == chain[i].get()) continue;
        if (i + 1 == chain.size() || !inherits_from(as_it_came, chain[i], chain[i + 1])) return &as_it_came;
    }
    return nullptr;
}

}  // namespace p11mime::cms
