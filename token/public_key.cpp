#include "token/public_key.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <array>

#include "cms/encode.h"

namespace p11mime::token {

namespace {

using OctetString = Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using PublicKeyInfo = Handle<X509_PUBKEY, X509_PUBKEY_free>;
using ParameterBuilder = Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Parameters = Handle<OSSL_PARAM, OSSL_PARAM_free>;
using PrintableString = Handle<ASN1_PRINTABLESTRING, ASN1_PRINTABLESTRING_free>;

struct CurveString {
    std::string_view name;
    int nid;
};

// PKCS#11 3.0 section 2.3.5 lets CKA_EC_PARAMS name these as a PrintableString.
constexpr std::array kCurveStrings = {CurveString{"edwards25519", NID_ED25519}, CurveString{"edwards448", NID_ED448},
                                      CurveString{"curve25519", NID_X25519}, CurveString{"curve448", NID_X448}};

/// curve_nid reads CKA_EC_PARAMS: the OID of a named curve or its PrintableString.
int curve_nid(ByteView ec_params) {
    const Byte* at = ec_params.data();
    const ObjectHandle oid(d2i_ASN1_OBJECT(nullptr, &at, static_cast<long>(ec_params.size())));
    if (oid) return OBJ_obj2nid(oid.get());
    at = ec_params.data();
    const PrintableString text(d2i_ASN1_PRINTABLESTRING(nullptr, &at, static_cast<long>(ec_params.size())));
    ERR_clear_error();
    if (!text) return NID_undef;
    const std::string_view name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text.get())),
                                static_cast<std::size_t>(ASN1_STRING_length(text.get())));
    for (const CurveString& curve : kCurveStrings)
        if (curve.name == name) return curve.nid;
    return NID_undef;
}

using Curve = Handle<EC_GROUP, EC_GROUP_free>;

Curve curve_of(const EVP_PKEY* key) {
    std::array<char, 64> name{};
    if (EVP_PKEY_get_group_name(key, name.data(), name.size(), nullptr) != 1) return nullptr;
    return Curve(EC_GROUP_new_by_curve_name(OBJ_txt2nid(name.data())));
}

bool has_own_algorithm(int nid) {
    return nid == NID_ED25519 || nid == NID_ED448 || nid == NID_X25519 || nid == NID_X448;
}

/// unwrapped_point takes CKA_EC_POINT out of its OCTET STRING; some modules give it raw.
Bytes unwrapped_point(ByteView point) {
    const Byte* at = point.data();
    const OctetString octets(d2i_ASN1_OCTET_STRING(nullptr, &at, static_cast<long>(point.size())));
    ERR_clear_error();
    if (!octets || at != point.data() + point.size()) return to_bytes(point);
    return to_bytes({ASN1_STRING_get0_data(octets.get()), static_cast<std::size_t>(ASN1_STRING_length(octets.get()))});
}

Bytes spki_of_point(ByteView ec_params, ByteView point) {
    const int nid = curve_nid(ec_params);
    if (nid == NID_undef) return {};
    const PublicKeyInfo info(X509_PUBKEY_new());
    auto* copy = static_cast<Byte*>(OPENSSL_memdup(point.data(), point.size()));
    const bool own = has_own_algorithm(nid);
    const int set = copy == nullptr || !info
                        ? 0
                        : X509_PUBKEY_set0_param(info.get(), OBJ_nid2obj(own ? nid : NID_X9_62_id_ecPublicKey),
                                                 own ? V_ASN1_UNDEF : V_ASN1_OBJECT, own ? nullptr : OBJ_nid2obj(nid),
                                                 copy, static_cast<int>(point.size()));
    if (set != 1) {
        OPENSSL_free(copy);
        return {};
    }
    return cms::encode(info.get(), i2d_X509_PUBKEY);
}

Bytes spki_of_rsa(ByteView modulus, ByteView exponent) {
    const BignumHandle n(BN_bin2bn(modulus.data(), static_cast<int>(modulus.size()), nullptr));
    const BignumHandle e(BN_bin2bn(exponent.data(), static_cast<int>(exponent.size()), nullptr));
    const ParameterBuilder builder(OSSL_PARAM_BLD_new());
    if (!n || !e || !builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
        return {};
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* raw = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
        return {};
    const KeyHandle key(raw);
    return cms::encode(key.get(), i2d_PUBKEY);
}

}  // namespace

Bytes spki_from_attributes(const Attributes& attributes) {
    const Bytes* info = attributes.find(CKA_PUBLIC_KEY_INFO);
    if (info != nullptr && !info->empty() && parse_spki(*info)) return *info;
    const Bytes* modulus = attributes.find(CKA_MODULUS);
    const Bytes* exponent = attributes.find(CKA_PUBLIC_EXPONENT);
    Bytes spki;
    if (modulus != nullptr && exponent != nullptr) spki = spki_of_rsa(*modulus, *exponent);
    const Bytes* params = attributes.find(CKA_EC_PARAMS);
    const Bytes* point = attributes.find(CKA_EC_POINT);
    if (params != nullptr && point != nullptr && !point->empty()) {
        spki = spki_of_point(*params, unwrapped_point(*point));
        if (!parse_spki(spki)) spki = spki_of_point(*params, *point);  // a raw point that happens to begin like DER
    }
    return parse_spki(spki) ? spki : Bytes{};
}

KeyHandle parse_spki(ByteView der) {
    const Byte* at = der.data();
    KeyHandle key(der.empty() ? nullptr : d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
    ERR_clear_error();
    return key;
}

std::string curve_name(ByteView ec_params) {
    const int nid = curve_nid(ec_params);
    if (nid == NID_undef) return {};
    const char* nist = EC_curve_nid2nist(nid);
    if (nist != nullptr) return nist;
    switch (nid) {
        case NID_ED25519:
            return "Ed25519";
        case NID_ED448:
            return "Ed448";
        default:
            return OBJ_nid2sn(nid);
    }
}

Bytes wrap_octet_string(ByteView content) {
    const OctetString octets(ASN1_OCTET_STRING_new());
    cms::require(octets && ASN1_OCTET_STRING_set(octets.get(), content.data(), static_cast<int>(content.size())) == 1,
                 "cannot encode a point");
    return cms::encode(octets.get(), i2d_ASN1_OCTET_STRING);
}

std::size_t field_size(const EVP_PKEY* key) {
    const Curve curve = curve_of(key);
    return curve ? (static_cast<std::size_t>(EC_GROUP_get_degree(curve.get())) + 7) / 8 : 0;
}

bool has_cofactor_one(const EVP_PKEY* key) {
    const Curve curve = curve_of(key);
    return curve && EC_GROUP_get0_cofactor(curve.get()) != nullptr && BN_is_one(EC_GROUP_get0_cofactor(curve.get()));
}

Bytes uncompressed_point(const EVP_PKEY* key) {
    const std::size_t size = field_size(key);
    BIGNUM* x = nullptr;
    BIGNUM* y = nullptr;
    const bool read = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
                      EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1;
    const BignumHandle owned_x(x);
    const BignumHandle owned_y(y);
    Bytes point(1 + 2 * size, POINT_CONVERSION_UNCOMPRESSED);
    cms::require(read && BN_bn2binpad(x, point.data() + 1, static_cast<int>(size)) >= 0 &&
                     BN_bn2binpad(y, point.data() + 1 + size, static_cast<int>(size)) >= 0,
                 "cannot read an EC point");
    return point;
}

bool same_public_key(const EVP_PKEY* a, const EVP_PKEY* b) {
    const bool same = EVP_PKEY_eq(a, b) == 1;
    ERR_clear_error();
    return same;
}

}  // namespace p11mime::token
