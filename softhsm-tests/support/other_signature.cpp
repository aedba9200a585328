#include "softhsm-tests/support/other_signature.h"

#include <openssl/ec.h>
#include <openssl/x509.h>

#include <stdexcept>

#include "cms/der.h"
#include "cms/encode.h"

namespace p11mime::test {

cms::Certificate with_other_signature(const cms::Certificate& certificate) {
    using Signature = Handle<ECDSA_SIG, ECDSA_SIG_free>;
    using Number = Handle<BIGNUM, BN_free>;
    const ASN1_BIT_STRING* bits = nullptr;
    const X509_ALGOR* algorithm = nullptr;
    X509_get0_signature(&bits, &algorithm, certificate.get());
    const Byte* at = ASN1_STRING_get0_data(bits);
    const Signature signature(d2i_ECDSA_SIG(nullptr, &at, ASN1_STRING_length(bits)));
    if (!signature) throw std::runtime_error("not signed by ECDSA");
    const Handle<EC_GROUP, EC_GROUP_free> curve(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
    Number r(BN_dup(ECDSA_SIG_get0_r(signature.get()))), s(BN_new());
    if (BN_sub(s.get(), EC_GROUP_get0_order(curve.get()), ECDSA_SIG_get0_s(signature.get())) != 1)
        throw std::runtime_error("not signed with P-256");
    ECDSA_SIG_set0(signature.get(), r.release(), s.release());

    const Handle<X509, X509_free> copy(X509_dup(certificate.get()));
    constexpr Byte kBitString = 0x03;
    const Bytes no_unused_bits{0};
    return cms::Certificate::from_der(
        cms::der_value(cms::tag::kSequence,
                       {cms::encode(copy.get(), i2d_re_X509_tbs), cms::encode(algorithm, i2d_X509_ALGOR),
                        cms::der_value(kBitString, {no_unused_bits, cms::encode(signature.get(), i2d_ECDSA_SIG)})}));
}

}  // namespace p11mime::test
