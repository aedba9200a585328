#include "cms/signer_info.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>

#include "cms/asn1.h"
#include "cms/digests.h"
#include "cms/identifiers.h"
#include "cms/key_fault.h"
#include "cms/rsa_pss.h"
#include "cms/signing_certificate.h"

namespace p11mime::cms {

namespace {

// AlgorithmChoice is what the algorithm fields of a SignerInfo come to.
struct AlgorithmChoice {
    std::optional<SignScheme> scheme;
    const Algorithm* digest = nullptr;     ///< of the content
    const Algorithm* signature = nullptr;  ///< the row of the scheme
    std::string refusal;
    bool unsupported = false;
};

bool has_parameters(const X509_ALGOR* algorithm) {
    return algorithm->parameter != nullptr;
}

// read_scheme puts a signature algorithm and its digest together; nothing where they do not go together.
std::optional<SignScheme> read_scheme(const asn1::SignerInfo& signer, const AlgorithmChoice& choice) {
    const Hash hash = choice.signature->hash.value_or(*choice.digest->hash);
    const bool extendable = digest_algorithm(hash).output != 0;
    switch (choice.signature->family) {
        case SignatureFamily::rsa_pkcs1:
            return extendable ? std::nullopt : std::optional<SignScheme>(RsaPkcs1{hash});
        case SignatureFamily::rsa_pss:
            return read_pss(signer.signature_algorithm);
        case SignatureFamily::ecdsa:
        case SignatureFamily::dsa:
            return extendable ? std::nullopt : std::optional<SignScheme>(Ecdsa{hash});  // EVP verifies both alike
        case SignatureFamily::pure:
            if (has_parameters(signer.signature_algorithm)) return std::nullopt;  // RFC 8410 section 3
            return Pure{choice.signature, hash};
        case SignatureFamily::none:
            break;
    }
    return std::nullopt;
}

bool signs_whole(const SignScheme& scheme) {
    return std::holds_alternative<Pure>(scheme);
}

AlgorithmChoice choose_algorithms(const asn1::SignerInfo& signer) {
    AlgorithmChoice choice;
    choice.digest = find_algorithm(AlgorithmKind::digest, signer.digest_algorithm);
    choice.signature = find_algorithm(AlgorithmKind::signature, signer.signature_algorithm);
    for (const auto& [row, identifier] :
         {std::pair(choice.digest, signer.digest_algorithm), std::pair(choice.signature, signer.signature_algorithm)}) {
        if (row == nullptr) {
            choice.unsupported = true;
            choice.refusal = unsupported(identifier).what();
            return choice;
        }
        if (row->standing == Standing::refused) {
            choice.refusal = fmt::format("{} is refused: it is broken", row->name);
            return choice;
        }
    }
    choice.scheme = read_scheme(signer, choice);
    if (!choice.scheme) {
        choice.unsupported = true;
        choice.refusal = fmt::format("unsupported parameters of {}", choice.signature->name);
    } else if (signs_whole(*choice.scheme) && choice.digest->hash != scheme_hash(*choice.scheme)) {
        const std::string_view only = digest_algorithm(scheme_hash(*choice.scheme)).name;
        choice.scheme.reset();
        choice.unsupported = true;
        choice.refusal = unsupported(fmt::format("{} with {}: it goes with {} alone", choice.signature->name,
                                                 choice.digest->name, only))
                             .what();
    }
    ERR_clear_error();
    return choice;
}

bool key_fits(const EVP_PKEY* key, const Algorithm& signature) {
    switch (signature.family) {
        case SignatureFamily::rsa_pkcs1:
            return EVP_PKEY_is_a(key, "RSA") == 1;
        case SignatureFamily::rsa_pss:
            return EVP_PKEY_is_a(key, "RSA") == 1 || EVP_PKEY_is_a(key, "RSA-PSS") == 1;
        case SignatureFamily::ecdsa:
            return EVP_PKEY_is_a(key, "EC") == 1;
        case SignatureFamily::dsa:
            return EVP_PKEY_is_a(key, "DSA") == 1;
        case SignatureFamily::pure:
            return pure_signature_algorithm(key) == &signature;
        case SignatureFamily::none:
            break;
    }
    return false;
}

// names_certificate checks the ESS signing certificate attribute against the certificate (RFC 5035 section 5.4); an
// absent one says nothing.
bool names_certificate(const ASN1_TYPE* attribute, Hash default_hash, const Certificate& certificate) {
    if (attribute == nullptr) return true;
    const auto named = named_certificates(attribute, default_hash);
    return !named.empty() && named.front().is_of(certificate);
}

std::optional<Time> signing_time(Attributes& attributes) {
    const ASN1_TYPE* time = attributes.find(oid::kSigningTime);
    const bool is_time = time != nullptr && (time->type == V_ASN1_UTCTIME || time->type == V_ASN1_GENERALIZEDTIME);
    return is_time ? to_time(time->value.asn1_string) : std::nullopt;
}

void read_claims(Attributes& attributes, SignerInfoVerdict& verdict) {
    verdict.signing_time = signing_time(attributes);
    verdict.capabilities = der_of(attributes.find(oid::kSmimeCapabilities), V_ASN1_SEQUENCE);
    if (const ASN1_TYPE* preference = attributes.find(oid::kEncryptionKeyPreference)) {
        const Bytes der = encode(preference, i2d_ASN1_TYPE);
        const Byte* at = der.data();
        const asn1::EncryptionKeyPreferenceHandle choice(
            asn1::d2i_EncryptionKeyPreference(nullptr, &at, static_cast<long>(der.size())));
        if (choice) verdict.encryption_key = asn1::identifier(*choice);
    }
    ERR_clear_error();
}

// attribute_fault says what is wrong with the signed attributes, or nothing.
std::string attribute_fault(Attributes& attributes, const SignedContent& content, const Algorithm& digest_algorithm,
                            const Bytes& content_digest, const Certificate& certificate) {
    const ASN1_TYPE* type = attributes.find(oid::kContentType);
    const ASN1_TYPE* digest = attributes.find(oid::kMessageDigest);
    const ASN1_TYPE* v1 = attributes.find(oid::kSigningCertificate);
    const ASN1_TYPE* v2 = attributes.find(oid::kSigningCertificateV2);
    if (attributes.ambiguous()) return "a signed attribute is there more than once";
    if (digest == nullptr || digest->type != V_ASN1_OCTET_STRING) return "the message digest attribute is missing";
    if (!std::ranges::equal(asn1::octets(digest->value.octet_string), content_digest))
        return fmt::format("the content was changed: its {} digest is another", digest_algorithm.name);
    if (content.is_signature() && type != nullptr) return "a countersignature has no content type attribute";
    if (!content.is_signature() &&
        (type == nullptr || type->type != V_ASN1_OBJECT || oid_text(type->value.object) != content.type))
        return "the signed content type is another than the content's";
    if (!names_certificate(v1, Hash::sha1, certificate) || !names_certificate(v2, Hash::sha256, certificate))
        return "the signing certificate attribute names another certificate";
    return {};
}

bool is_weak(const AlgorithmChoice& choice) {
    return choice.digest->standing == Standing::weak || choice.signature->standing == Standing::weak ||
           digest_algorithm(scheme_hash(*choice.scheme)).standing == Standing::weak;
}

// content_fault says why a signature over the content itself, without signed attributes, cannot hold, or nothing.
std::string content_fault(const SignedContent& content, const SignScheme& scheme, Hash digest) {
    if (!content.is_signature() && content.type != oid::kData) return "content of this type needs signed attributes";
    if (looks_like_attributes(content.first_bytes)) return "the content is the signed attributes of another message";
    if (const Hash hash = scheme_hash(scheme); hash != digest)
        return fmt::format("the signature is over a {} digest, and the content's is {}", digest_algorithm(hash).name,
                           digest_algorithm(digest).name);
    return {};
}

// claims_of is what a SignerInfo says of itself, whether it holds or not.
SignerInfoVerdict claims_of(const asn1::SignerInfo& signer, Attributes& attributes) {
    SignerInfoVerdict verdict;
    verdict.digest = algorithm_text(signer.digest_algorithm);
    verdict.signature = algorithm_text(signer.signature_algorithm);
    read_claims(attributes, verdict);
    verdict.ess = read_ess(attributes);
    verdict.signed_attributes = attributes.names();
    verdict.unsigned_attributes = Attributes(signer.unsigned_attributes).names();
    return verdict;
}

// signature_fault says why a signature does not hold over the content or its signed attributes, or nothing.
std::string signature_fault(const asn1::SignerInfo& signer, const AlgorithmChoice& choice, Attributes& attributes,
                            const SignedContent& content, const Bytes& content_digest, const Certificate& certificate,
                            const EVP_PKEY* key) {
    if (!key_fits(key, *choice.signature))
        return fmt::format("the signer's key is no key for {}", algorithm_text(signer.signature_algorithm));
    const ByteView signature = asn1::octets(signer.signature);
    if (attributes.present()) {
        std::string fault = attribute_fault(attributes, content, *choice.digest, content_digest, certificate);
        if (!fault.empty()) return fault;
        return verify_message(key, *choice.scheme, asn1::verification_form(signer), signature)
                   ? ""
                   : "the signature does not fit the signer's certificate";
    }
    std::string fault = content_fault(content, *choice.scheme, *choice.digest->hash);
    if (!fault.empty()) return fault;
    const bool fits = signs_whole(*choice.scheme) ? verify_message(key, *choice.scheme, content.first_bytes, signature)
                                                  : verify_digest(key, *choice.scheme, content_digest, signature);
    return fits ? "" : "the content was changed, or the signature is another's";
}

}  // namespace

std::optional<Time> claimed_signing_time(const asn1::SignerInfo& signer) {
    Attributes attributes(signer.signed_attributes);
    const auto time = signing_time(attributes);
    ERR_clear_error();
    return time;
}

SignerInfoVerdict judge_signer_info(const asn1::SignerInfo& signer, const SignedContent& content,
                                    const Certificate* certificate, const EVP_PKEY* key) {
    Attributes attributes(signer.signed_attributes);
    SignerInfoVerdict verdict = claims_of(signer, attributes);
    const AlgorithmChoice choice = choose_algorithms(signer);
    if (!choice.scheme) {
        verdict.reason = choice.refusal;
        verdict.unsupported = choice.unsupported;
        return verdict;
    }
    verdict.weak = is_weak(choice);
    if (certificate == nullptr) {
        verdict.reason = fmt::format("the signer's certificate is missing ({})", asn1::identifier(*signer.sid).text());
        return verdict;
    }
    if (key == nullptr) key = X509_get0_pubkey(certificate->get());
    ERR_clear_error();
    if (key == nullptr || EVP_PKEY_missing_parameters(key) == 1) {
        verdict.reason = "the public key of the signer's certificate cannot be used";
        return verdict;
    }
    verdict.weak = verdict.weak || weak_key(key);
    if (const std::string_view fault = key_fault(key); !fault.empty()) {
        verdict.unsupported = true;
        verdict.reason = unsupported(fmt::format("{}: the key {}", key_description(key), fault)).what();
        return verdict;
    }

    const auto content_digest = content.digests.value(*choice.digest->hash);
    if (!content_digest) {
        verdict.missing_digest = choice.digest->hash;
        verdict.reason = "the digest was not computed";
        return verdict;
    }
    if (!attributes.present() && signs_whole(*choice.scheme) && !content.whole()) {
        verdict.reason = fmt::format("{} without signed attributes signs the content itself, which is too long",
                                     choice.signature->name);
        return verdict;
    }
    verdict.reason = signature_fault(signer, choice, attributes, content, *content_digest, *certificate, key);
    verdict.integrity = verdict.reason.empty() ? Integrity::valid : Integrity::invalid;
    return verdict;
}

}  // namespace p11mime::cms
