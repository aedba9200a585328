#include "cms/trust_settings.h"

#include <fmt/format.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

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

void free_date(void*, void* date, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<Time*>(date);
}

int copy_date(CRYPTO_EX_DATA*, const CRYPTO_EX_DATA*, void** date, int, long, void*) {
    if (*date != nullptr) *date = new Time(*static_cast<Time*>(*date));
    return 1;
}

// date_index is where OpenSSL keeps a date of ours with a certificate, as it does the uses.
int date_index() {
    static const int index = X509_get_ex_new_index(0, nullptr, nullptr, copy_date, free_date);
    require(index >= 0, "cannot keep a date with a certificate");
    return index;
}

std::optional<Time> distrust_date(const Certificate& certificate) {
    const auto* date = static_cast<Time*>(X509_get_ex_data(certificate.get(), date_index()));
    return date == nullptr ? std::nullopt : std::optional(*date);
}

void set_distrust_date(const Certificate& certificate, Time date) {
    auto owned = std::make_unique<Time>(date);
    require(X509_set_ex_data(certificate.get(), date_index(), owned.get()) == 1, "cannot keep a certificate's date");
    static_cast<void>(owned.release());
}

Certificate combined(const Certificate& one, const Certificate& other) {
    Certificate both = Certificate::from_der(one.der());
    for (const Certificate* each : {&one, &other})
        add_uses(both, rejected_uses(*each), rejected_uses, X509_add1_reject_object);
    if (!trusts_all_mail(one) && !trusts_all_mail(other))
        if (const auto date = std::max(distrust_date(one), distrust_date(other))) set_distrust_date(both, *date);
    if (trusted_uses(one) == nullptr || trusted_uses(other) == nullptr) return both;
    require(X509_add1_trust_object(both.get(), nullptr) == 1, "cannot limit a certificate's uses");
    for (const Certificate* each : {&one, &other})
        add_uses(both, trusted_uses(*each), trusted_uses, X509_add1_trust_object);
    return both;
}

}  // namespace

bool trusts_all_mail(const Certificate& certificate) {
    if (distrust_date(certificate)) return false;
    const Uses* uses = trusted_uses(certificate);
    for (int i = 0; i < sk_ASN1_OBJECT_num(uses); ++i)
        if (const int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(uses, i));
            nid == NID_email_protect || nid == NID_anyExtendedKeyUsage)
            return true;
    return uses == nullptr;
}

TrustSettings trust_settings(const Certificate& certificate) {
    return {.limited = trusted_uses(certificate) != nullptr,
            .trusted = names_of(trusted_uses(certificate)),
            .rejected = names_of(rejected_uses(certificate)),
            .distrust_after = distrust_date(certificate)};
}

Certificate distrusted_after(const Certificate& anchor, Time date) {
    Certificate dated = from_der_with_settings(der_with_settings(anchor));
    set_distrust_date(dated, date);
    return dated;
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
