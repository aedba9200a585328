#pragma once

#include <p11-kit/pkcs11.h>

namespace p11mime::token {

// What p11-kit 0.24's pkcs11.h lacks of PKCS#11 3.0, and NSS's own trust objects.
inline constexpr CK_KEY_TYPE kKeyEcMontgomery = 0x41;
inline constexpr CK_MECHANISM_TYPE kEcMontgomeryKeyPairGen = 0x1056;
inline constexpr CK_MECHANISM_TYPE kAesKeyWrapKwp = 0x210b;  // CKM_AES_KEY_WRAP_KWP
/// EddsaParameters is CK_EDDSA_PARAMS (section 2.3.14), by default for a signature over the message, without context.
struct EddsaParameters {
    CK_BBOOL prehash = CK_FALSE;
    CK_ULONG context_size = 0;
    const unsigned char* context = nullptr;
};
inline constexpr CK_OBJECT_CLASS kClassNssTrust = 0xce534353;
inline constexpr CK_ATTRIBUTE_TYPE kNssCertSha1Hash = 0xce5363b4;
inline constexpr CK_ATTRIBUTE_TYPE kNssTrustEmailProtection = 0xce53635b;
/// Of a certificate: the UTCTime (YYMMDDHHMMSSZ) after which what it issues is trusted for no mail; or CK_FALSE.
inline constexpr CK_ATTRIBUTE_TYPE kNssEmailDistrustAfter = 0xce534374;
inline constexpr CK_ULONG kNssTrustedDelegator = 0xce534352;
inline constexpr CK_ULONG kNssNotTrusted = 0xce53435a;

}  // namespace p11mime::token
