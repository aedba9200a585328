#include "token/sign.h"

#include <fmt/format.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <functional>

#include "cms/algorithms.h"
#include "cms/digests.h"
#include "cms/encode.h"
#include "cms/overload.h"
#include "cms/sign_scheme.h"
#include "token/ckr.h"
#include "token/mechanisms.h"
#include "token/public_key.h"
#include "token/rsa_padding.h"
#include "token/token.h"

namespace p11mime::token {

namespace {

using DigestInfo = Handle<X509_SIG, X509_SIG_free>;
using EcdsaSignature = Handle<ECDSA_SIG, ECDSA_SIG_free>;

/// digest_info is what PKCS#1 v1.5 signs (RFC 8017 section 9.2).
Bytes digest_info(cms::Hash hash, ByteView message) {
    const Bytes value = cms::digest_of(hash, message);
    const DigestInfo info(X509_SIG_new());
    cms::require(info != nullptr, "cannot encode a digest", ErrorKind::token);
    X509_ALGOR* algorithm = nullptr;
    ASN1_OCTET_STRING* octets = nullptr;
    X509_SIG_getm(info.get(), &algorithm, &octets);
    X509_ALGOR_set0(algorithm, OBJ_nid2obj(EVP_MD_get_type(cms::evp_digest(hash))), V_ASN1_NULL, nullptr);
    cms::require(ASN1_OCTET_STRING_set(octets, value.data(), static_cast<int>(value.size())) == 1,
                 "cannot encode a digest", ErrorKind::token);
    return cms::encode(info.get(), i2d_X509_SIG);
}

std::size_t order_size(const EVP_PKEY* key) {
    return (static_cast<std::size_t>(EVP_PKEY_get_bits(key)) + 7) / 8;
}

/// ecdsa_digest is no longer than the curve's order: the bits beyond are not used (FIPS 186-5 section 6.4), and some
/// modules refuse them.
Bytes ecdsa_digest(const EVP_PKEY* key, cms::Hash hash, ByteView message) {
    Bytes value = cms::digest_of(hash, message);
    value.resize(std::min(value.size(), order_size(key)));
    return value;
}

/// ecdsa_der turns r||s, as Cryptoki has it, into an ECDSA-Sig-Value.
Bytes ecdsa_der(ByteView raw) {
    const int half = static_cast<int>(raw.size() / 2);
    BignumHandle r(BN_bin2bn(raw.data(), half, nullptr));
    BignumHandle s(BN_bin2bn(raw.data() + half, half, nullptr));
    const EcdsaSignature signature(ECDSA_SIG_new());
    cms::require(r && s && signature && ECDSA_SIG_set0(signature.get(), r.get(), s.get()) == 1,
                 "cannot encode a signature", ErrorKind::token);
    static_cast<void>(r.release());
    static_cast<void>(s.release());
    return cms::encode(signature.get(), i2d_ECDSA_SIG);
}

/// key_type is the type of key that a scheme needs.
KeyType key_type(const cms::SignScheme& scheme) {
    return std::visit(
        cms::Overload{[](const cms::RsaPkcs1&) { return KeyType::rsa; },
                      [](const cms::RsaPss&) { return KeyType::rsa; }, [](const cms::Ecdsa&) { return KeyType::ec; },
                      [](const cms::Pure& pure) {
                          const PureMechanism* row = pure_mechanism(pure.algorithm->name);
                          return row != nullptr ? row->key : KeyType::other;
                      }},
        scheme);
}

}  // namespace

/// Attempt is one mechanism and what it is given.
struct TokenSigner::Attempt {
    Mechanism mechanism;
    std::function<Bytes(ByteView message)> input;
};

TokenSigner::TokenSigner(std::shared_ptr<TokenCore> core, PrivateKey key, Bytes public_key,
                         std::optional<cms::Certificate> certificate)
    : session_(std::move(core), std::move(key)),
      spki_(std::move(public_key)),
      public_key_(certificate ? certificate->public_key() : parse_spki(spki_)),
      certificate_(std::move(certificate)) {
    if (!public_key_)
        throw Error(ErrorKind::token, fmt::format("{}: its public key cannot be read", session_.name()),
                    "import the key's certificate: p11mime key import-cert");
}

const cms::Certificate& TokenSigner::certificate() const {
    return certificate_.value();
}

std::vector<TokenSigner::Attempt> TokenSigner::attempts(const cms::SignScheme& scheme) const {
    const EVP_PKEY* key = public_key_.get();
    const auto modulus = static_cast<std::size_t>(EVP_PKEY_get_size(key));
    const auto whole = [](ByteView message) { return to_bytes(message); };
    return std::visit(
        cms::Overload{
            [&](const cms::RsaPkcs1& rsa) {
                const auto info = [hash = rsa.hash](ByteView message) { return digest_info(hash, message); };
                std::vector<Attempt> list{{Mechanism(CKM_RSA_PKCS), info}};
                if (const auto* row = mechanisms_of(rsa.hash)) list.push_back({Mechanism(row->rsa_pkcs), whole});
                list.push_back({Mechanism(CKM_RSA_X_509),
                                [=](ByteView message) { return pad_pkcs1_signature(info(message), modulus); }});
                return list;
            },
            [&](const cms::RsaPss& pss) {
                const auto digest = [hash = pss.hash](ByteView message) { return cms::digest_of(hash, message); };
                std::vector<Attempt> list;
                const HashMechanisms* hash = mechanisms_of(pss.hash);
                const HashMechanisms* mgf = mechanisms_of(pss.mgf);
                if (hash != nullptr && mgf != nullptr) {
                    const CK_RSA_PKCS_PSS_PARAMS parameters{hash->digest, mgf->mgf1, pss.salt};
                    list.push_back({Mechanism(CKM_RSA_PKCS_PSS, parameters), digest});
                    list.push_back({Mechanism(hash->rsa_pss, parameters), whole});
                }
                list.push_back({Mechanism(CKM_RSA_X_509),
                                [=](ByteView message) { return pad_pss_signature(key, pss, digest(message)); }});
                return list;
            },
            [&](const cms::Ecdsa& ecdsa) {
                std::vector<Attempt> list{{Mechanism(CKM_ECDSA), [key, hash = ecdsa.hash](ByteView message) {
                                               return ecdsa_digest(key, hash, message);
                                           }}};
                if (const auto* row = mechanisms_of(ecdsa.hash)) list.push_back({Mechanism(row->ecdsa), whole});
                return list;
            },
            [&](const cms::Pure& pure) {
                const PureMechanism* row = pure_mechanism(pure.algorithm->name);
                if (row == nullptr) return std::vector<Attempt>{};
                std::vector<Attempt> list{{Mechanism(row->mechanism), whole}};  // some modules know no parameters
                if (row->parameters) list.insert(list.begin(), {Mechanism(row->mechanism, EddsaParameters{}), whole});
                return list;
            }},
        scheme);
}

std::string TokenSigner::obstacle(const cms::SignScheme& scheme) const {
    const PrivateKey& key = session_.key();
    const auto cannot = [&](std::string_view why) {
        return fmt::format("{} cannot sign with {}: {}", session_.name(), cms::scheme_text(scheme), why);
    };
    if (!key.sign.value_or(true)) return cannot("it may not sign");
    const auto* pure = std::get_if<cms::Pure>(&scheme);
    if (key.type != key_type(scheme) ||
        (pure != nullptr && cms::pure_signature_algorithm(public_key_.get()) != pure->algorithm))
        return cannot("it is of another type");
    std::vector<std::string> missing;
    for (const Attempt& attempt : attempts(scheme)) {
        if (session_.core().offers(attempt.mechanism.type())) return {};
        std::string name = mechanism_name(attempt.mechanism.type());
        if (missing.empty() || missing.back() != name) missing.push_back(std::move(name));
    }
    return cannot(fmt::format("the token offers no {}", fmt::join(missing, " or ")));
}

Bytes TokenSigner::sign(const cms::SignScheme& scheme, ByteView message, const cms::Intent& intent,
                        std::stop_token stop) {
    return finish(scheme, message, raw_signature(scheme, message, intent, stop));
}

/// raw_signature is what the token gives.
Bytes TokenSigner::raw_signature(const cms::SignScheme& scheme, ByteView message, const cms::Intent& intent,
                                 const std::stop_token& stop) {
    const Operation operation(session_);
    CK_RV last = CKR_OK;
    std::string refused;
    for (const Attempt& attempt : attempts(scheme)) {
        if (!session_.core().offers(attempt.mechanism.type())) continue;
        throw_if_stopped(stop);
        Answer<Bytes> answer = try_one(attempt, message, intent);
        throw_if_stopped(stop);
        if (answer.code == CKR_OK) return std::move(answer.value);
        if (!is_unsupported(answer.code)) throw CkrError(answer.code, session_.name(), "sign");
        last = answer.code;
        refused = mechanism_name(attempt.mechanism.type());
    }
    if (refused.empty()) throw Error(ErrorKind::token, obstacle(scheme), std::string(ckr_hint(CKR_MECHANISM_INVALID)));
    throw CkrError(last, session_.name(), fmt::format("sign with {} by {}", cms::scheme_text(scheme), refused));
}

Answer<Bytes> TokenSigner::try_one(const Attempt& attempt, ByteView message, const cms::Intent& intent) {
    const Bytes input = attempt.input(message);
    const Session& session = session_.open(intent.what);
    const CK_RV begun = session.sign_init(attempt.mechanism, session_.key().handle);
    if (begun != CKR_OK) return {begun, {}};
    session_.begin(intent.what);
    Answer<Bytes> answer = session.sign(input);
    if (answer.code == CKR_OK) return answer;
    session_.core().note_trouble();
    session_.discard();  // whether the operation has ended differs between modules
    return answer;
}

/// finish gives the signature the form that CMS wants, and refuses one that the public key does not verify: a renewal
/// may leave the key of another pair beside a certificate, and a module may be broken.
Bytes TokenSigner::finish(const cms::SignScheme& scheme, ByteView message, Bytes signature) const {
    const auto refused = [&](const std::string& what) {
        return WrongSignature(
            fmt::format("{} gave a signature {}", session_.name(), what),
            fmt::format("the private key does not belong to its {}", certificate_ ? "certificate" : "public key"));
    };
    const bool ecdsa = std::holds_alternative<cms::Ecdsa>(scheme);
    const std::size_t expected =
        ecdsa ? 2 * order_size(public_key_.get()) : static_cast<std::size_t>(EVP_PKEY_get_size(public_key_.get()));
    if (signature.size() != expected)
        throw refused(fmt::format("of {} bytes where {} were expected", signature.size(), expected));
    if (ecdsa) signature = ecdsa_der(signature);
    if (!cms::verify_message(public_key_.get(), scheme, message, signature)) throw refused("that does not verify");
    return signature;
}

std::unique_ptr<cms::Signer> TokenSigner::clone() const {
    return std::make_unique<TokenSigner>(session_.shared_core(), session_.key(), spki_, certificate_);
}

}  // namespace p11mime::token
