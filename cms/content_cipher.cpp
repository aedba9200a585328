#include "cms/content_cipher.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include <algorithm>

#include "cms/asn1.h"
#include "cms/der.h"
#include "cms/encode.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kMaxBlock = 16;     // of AES
constexpr std::size_t kStep = 64 * 1024;  // bytes given to the cipher at once
constexpr std::size_t kMaxNonceBytes = 64;
constexpr std::size_t kDefaultTagBytes = 12;  // of GCM (RFC 5084 section 3.2)
constexpr std::size_t kTagBytes = 16;         // the whole tag

using CipherHandle = Handle<EVP_CIPHER, EVP_CIPHER_free>;

std::optional<LegacyProvider> provider_of(const Algorithm& cipher) {
    if (!cipher.legacy) return std::nullopt;
    return std::optional<LegacyProvider>(std::in_place, cipher.name);
}

CipherContext cipher_context(const ContentEncryptionAlgorithm& algorithm, const SecretBytes& key, bool encrypt,
                             OSSL_LIB_CTX* library) {
    const CipherHandle cipher(EVP_CIPHER_fetch(library, std::string(algorithm.cipher->evp).c_str(), nullptr));
    CipherContext context(EVP_CIPHER_CTX_new());
    const bool aead = algorithm.cipher->authenticated;
    require(
        cipher && context &&
            EVP_CipherInit_ex2(context.get(), cipher.get(), nullptr, nullptr, encrypt ? 1 : 0, nullptr) == 1 &&
            (!aead || EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(algorithm.iv.size()),
                                          nullptr) == 1) &&
            EVP_CipherInit_ex2(context.get(), nullptr, key.data(), algorithm.iv.data(), encrypt ? 1 : 0, nullptr) == 1,
        "cannot set up the content cipher");
    return context;
}

Error malformed_parameters(const Algorithm& cipher) {
    return {ErrorKind::malformed, "malformed CMS: bad parameters of " + std::string(cipher.name)};
}

void read_gcm(ContentEncryptionAlgorithm& algorithm, ByteView der) {
    const auto parameters =
        asn1::decode<asn1::GcmParametersHandle>(der, asn1::d2i_GcmParameters, "malformed GCM parameters");
    algorithm.iv = to_bytes(asn1::octets(parameters->nonce));
    const long tag = parameters->icv_length == nullptr ? static_cast<long>(kDefaultTagBytes)
                                                       : ASN1_INTEGER_get(parameters->icv_length);
    if (algorithm.iv.empty() || algorithm.iv.size() > kMaxNonceBytes || tag < 12 || tag > 16)
        throw malformed_parameters(*algorithm.cipher);
    algorithm.tag_size = static_cast<std::size_t>(tag);
}

void read_rc2(ContentEncryptionAlgorithm& algorithm, ByteView der) {
    const auto parameters =
        asn1::decode<asn1::Rc2ParametersHandle>(der, asn1::d2i_Rc2Parameters, "malformed RC2 parameters");
    const long version = ASN1_INTEGER_get(parameters->version);
    algorithm.cipher = rc2_cipher(version);
    if (algorithm.cipher == nullptr) throw unsupported(fmt::format("RC2 with key version {}", version));
    algorithm.iv = to_bytes(asn1::octets(parameters->iv));
}

}  // namespace

ContentEncryptionAlgorithm read_content_encryption(const X509_ALGOR* identifier) {
    ContentEncryptionAlgorithm algorithm;
    algorithm.cipher = find_algorithm(AlgorithmKind::content_cipher, identifier);
    if (algorithm.cipher == nullptr) throw unsupported(identifier);
    const bool octets = algorithm.cipher->cipher_parameters == CipherParameters::octets;
    const ASN1_TYPE* parameter = identifier->parameter;
    if (parameter == nullptr || parameter->type != (octets ? V_ASN1_OCTET_STRING : V_ASN1_SEQUENCE))
        throw malformed_parameters(*algorithm.cipher);
    const ByteView value = asn1::octets(parameter->value.asn1_string);
    if (algorithm.cipher->authenticated) algorithm.tag_size = kTagBytes;
    switch (algorithm.cipher->cipher_parameters) {
        case CipherParameters::octets:
            algorithm.iv = to_bytes(value);
            break;
        case CipherParameters::gcm:
            read_gcm(algorithm, value);
            return algorithm;
        case CipherParameters::rc2:
            read_rc2(algorithm, value);
            break;
    }
    if (algorithm.iv.size() != algorithm.cipher->iv_size) throw malformed_parameters(*algorithm.cipher);
    return algorithm;
}

ContentEncryptionAlgorithm new_content_encryption(const Algorithm& cipher) {
    ContentEncryptionAlgorithm algorithm{
        .cipher = &cipher, .iv = Bytes(cipher.iv_size), .tag_size = cipher.authenticated ? kTagBytes : 0};
    require(RAND_bytes(algorithm.iv.data(), static_cast<int>(algorithm.iv.size())) == 1, "no random numbers",
            ErrorKind::io);
    return algorithm;
}

Bytes content_encryption_der(const ContentEncryptionAlgorithm& algorithm) {
    const Bytes iv = der_value(tag::kOctetString, algorithm.iv);
    if (algorithm.cipher->cipher_parameters == CipherParameters::octets)
        return der_algorithm(algorithm.cipher->oid, iv);
    return der_algorithm(algorithm.cipher->oid,
                         der_value(tag::kSequence, {iv, der_integer(static_cast<unsigned>(algorithm.tag_size))}));
}

SecretBytes random_key(std::size_t size) {
    SecretBytes key(size);
    require(RAND_priv_bytes(key.data(), static_cast<int>(size)) == 1, "no random numbers", ErrorKind::io);
    return key;
}

ContentDecryption::ContentDecryption(Source& ciphertext, const ContentEncryptionAlgorithm& algorithm,
                                     const SecretBytes& key, ByteView associated)
    : ciphertext_(ciphertext),
      authenticated_(algorithm.cipher->authenticated),
      tag_size_(algorithm.tag_size),
      legacy_(provider_of(*algorithm.cipher)),
      context_(cipher_context(algorithm, key, false, legacy_ ? legacy_->context() : nullptr)),
      plaintext_(kStep + kMaxBlock) {
    int size = 0;
    if (!associated.empty())
        require(EVP_DecryptUpdate(context_.get(), nullptr, &size, associated.data(),
                                  static_cast<int>(associated.size())) == 1,
                "cannot decrypt");
}

ByteView ContentDecryption::pull() {
    int size = 0;
    while (size == 0) {
        if (piece_.empty()) piece_ = ciphertext_.pull();
        if (piece_.empty()) break;
        const ByteView step = piece_.first(std::min(piece_.size(), kStep));
        piece_ = piece_.subspan(step.size());
        require(EVP_DecryptUpdate(context_.get(), plaintext_.data(), &size, step.data(),
                                  static_cast<int>(step.size())) == 1,
                "cannot decrypt");
    }
    if (size == 0 && !ended_) {
        ended_ = true;
        if (!authenticated_) {
            padding_ok_ = EVP_DecryptFinal_ex(context_.get(), plaintext_.data(), &size) == 1;
            if (!padding_ok_) size = 0;
            ERR_clear_error();
        }
    }
    return ByteView(plaintext_).first(static_cast<std::size_t>(size));
}

bool ContentDecryption::finish(ByteView tag) {
    if (!authenticated_) return padding_ok_;
    if (tag.size() != tag_size_) return false;
    Bytes expected = to_bytes(tag);
    Byte nothing[kMaxBlock];
    int size = 0;
    const bool ok = EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(expected.size()),
                                        expected.data()) == 1 &&
                    EVP_DecryptFinal_ex(context_.get(), nothing, &size) == 1;
    ERR_clear_error();
    return ok;
}

ContentEncryption::ContentEncryption(Sink& to, const ContentEncryptionAlgorithm& algorithm, const SecretBytes& key)
    : to_(to),
      authenticated_(algorithm.cipher->authenticated),
      tag_size_(algorithm.tag_size),
      context_(cipher_context(algorithm, key, true, nullptr)),
      ciphertext_(kStep + kMaxBlock) {}

void ContentEncryption::push(ByteView plaintext) {
    while (!plaintext.empty()) {
        const ByteView step = plaintext.first(std::min(plaintext.size(), kStep));
        plaintext = plaintext.subspan(step.size());
        int size = 0;
        require(EVP_EncryptUpdate(context_.get(), ciphertext_.data(), &size, step.data(),
                                  static_cast<int>(step.size())) == 1,
                "cannot encrypt");
        if (size > 0) to_.push(ByteView(ciphertext_).first(static_cast<std::size_t>(size)));
    }
}

Bytes ContentEncryption::finish() {
    int size = 0;
    require(EVP_EncryptFinal_ex(context_.get(), ciphertext_.data(), &size) == 1, "cannot encrypt");
    const ByteView last = ByteView(ciphertext_).first(static_cast<std::size_t>(size));
    if (size > 0) to_.push(last);
    trace_ = to_bytes(last);
    if (!authenticated_) return {};
    Bytes tag(tag_size_);
    require(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag.size()), tag.data()) == 1,
            "cannot encrypt");
    trace_ = tag;
    return tag;
}

std::uint64_t ContentEncryption::ciphertext_size(const ContentEncryptionAlgorithm& algorithm,
                                                 std::uint64_t plaintext_size) {
    const std::size_t block = algorithm.iv.size();  // of CBC
    return algorithm.cipher->authenticated ? plaintext_size : (plaintext_size / block + 1) * block;
}

}  // namespace p11mime::cms
