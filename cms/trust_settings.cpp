#include "cms/trust_settings.h"

#include <openssl/x509.h>

#include <algorithm>

#include "cms/algorithms.h"
#include "cms/encode.h"
#include "cms/openssl_error.h"

namespace p11mime::cms {

namespace {

using Uses = STACK_OF(ASN1_OBJECT);

// Both are null where there is no such list; one of uses to trust may be empty, and then it is trusted for none.
const Uses* trusted_uses(const Certificate& certificate) {
    return X509_get0_trust_objects(certificate.get());
}
const Uses* rejected_uses(const Certificate& certificate) {
    return X509_get0_reject_objects(certificate.get());
}

std::vector<std::string> names_of(const Uses* uses) {
    std::vector<std::string> names;
    for (int i = 0; i < sk_ASN1_OBJECT_num(uses); ++i) {
        const ASN1_OBJECT* use = sk_ASN1_OBJECT_value(uses, i);
        const int nid = OBJ_obj2nid(use);
        names.push_back(nid == NID_undef ? oid_text(use) : OBJ_nid2sn(nid));
    }
    return names;
}

// add_uses adds what is not among those of `certificate` yet, which `there` tells.
void add_uses(const Certificate& certificate, const Uses* uses, const Uses* (*there)(const Certificate&),
              int (*add)(X509*, const ASN1_OBJECT*)) {
    for (int i = 0; i < sk_ASN1_OBJECT_num(uses); ++i) {
        const ASN1_OBJECT* use = sk_ASN1_OBJECT_value(uses, i);
        const Uses* own = there(certificate);
        bool has = false;
        for (int j = 0; j < sk_ASN1_OBJECT_num(own); ++j)
            has = has || OBJ_cmp(sk_ASN1_OBJECT_value(own, j), use) == 0;
        if (!has) require(add(certificate.get(), use) == 1, "cannot add a use to a certificate's trust settings");
    }
}

Certificate combined(const Certificate& one, const Certificate& other) {
    Certificate both = Certificate::from_der(one.der());
    for (const Certificate* each : {&one, &other})
        add_uses(both, rejected_uses(*each), rejected_uses, X509_add1_reject_object);
    if (trusted_uses(one) == nullptr || trusted_uses(other) == nullptr) return both;
    require(X509_add1_trust_object(both.get(), nullptr) == 1, "cannot limit a certificate's uses");
    for (const Certificate* each : {&one, &other})
        add_uses(both, trusted_uses(*each), trusted_uses, X509_add1_trust_object);
    return both;
}

}  // namespace

TrustSettings trust_settings(const Certificate& certificate) {
    return {.limited = trusted_uses(certificate) != nullptr,
            .trusted = names_of(trusted_uses(certificate)),
            .rejected = names_of(rejected_uses(certificate))};
}

std::vector<Certificate> combine_settings(const std::vector<Certificate>& certificates) {
    std::vector<Certificate> once;
    for (const Certificate& each : certificates) {
        const auto there = std::find(once.begin(), once.end(), each);
        if (there == once.end())
            once.push_back(each);
        else if (trust_settings(*there).any() || trust_settings(each).any())
            *there = combined(*there, each);
    }
    return once;
}

Bytes der_with_settings(const Certificate& certificate) {
    return trust_settings(certificate).any() ? encode(certificate.get(), i2d_X509_AUX) : certificate.der();
}

Certificate from_der_with_settings(ByteView der) {
    const Byte* at = der.data();
    X509Handle x509(d2i_X509_AUX(nullptr, &at, static_cast<long>(der.size())));
    require(x509 && at == der.data() + der.size(), "not an X.509 certificate");
    return Certificate(std::move(x509));
}

}  // namespace p11mime::cms
