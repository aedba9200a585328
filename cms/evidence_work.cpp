#include "cms/evidence_work.h"

#include <openssl/core_names.h>

#include "cms/handle.h"
#include "cms/key_fault.h"

namespace p11mime::cms {

bool takes_long(const EVP_PKEY* key) {
    constexpr int kMaxRsaBits = 8'192, kMaxExponentBits = 33;
    if (!key_fault(key).empty()) return true;
    if (EVP_PKEY_is_a(key, "RSA") != 1 && EVP_PKEY_is_a(key, "RSA-PSS") != 1) return false;
    BIGNUM* exponent = nullptr;
    const bool read = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1;
    const BignumHandle owned(exponent);
    return !read || EVP_PKEY_get_bits(key) > kMaxRsaBits || BN_num_bits(exponent) > kMaxExponentBits;
}

bool EvidenceWork::may_try(const Certificate& carried) {
    const EVP_PKEY* key = X509_get0_pubkey(carried.get());
    if (carried_ >= kMaxCarriedTries || key == nullptr || takes_long(key)) return false;
    ++carried_;
    return true;
}

}  // namespace p11mime::cms
