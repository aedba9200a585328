#include "cms/password_recipient.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "cms/algorithms.h"
#include "cms/content_cipher.h"
#include "cms/der.h"
#include "cms/key_wrap.h"

namespace p11mime::cms {

namespace {

using KdfHandle = Handle<EVP_KDF, EVP_KDF_free>;
using KdfContext = Handle<EVP_KDF_CTX, EVP_KDF_CTX_free>;
using Pbkdf2Handle = Handle<PBKDF2PARAM, PBKDF2PARAM_free>;

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kCheckBytes = 3;                 // of the content key, as their complement
constexpr std::size_t kHeaderBytes = 1 + kCheckBytes;  // the content key's size before them

SecretBytes pbkdf2(const PasswordUnwrap& how, const SecretBytes& password) {
    const KdfHandle algorithm(EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_PBKDF2, nullptr));
    const KdfContext context(EVP_KDF_CTX_new(algorithm.get()));
    std::string digest(digest_algorithm(how.prf).evp);
    std::uint32_t iterations = how.iterations;
    int as_it_is = 1;  // without the limits of SP 800-132, which old mail does not keep
    const std::array<OSSL_PARAM, 6> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, const_cast<Byte*>(password.data()), password.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, const_cast<Byte*>(how.salt.data()), how.salt.size()),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_ITER, &iterations),
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &as_it_is),
        OSSL_PARAM_construct_end()};
    SecretBytes key(how.cipher->key_size);
    require(EVP_KDF_derive(context.get(), key.data(), key.size(), parameters.data()) == 1, "key derivation failed");
    return key;
}

// Cbc is whole blocks through a cipher in CBC mode, without padding; one call goes on where the last one ended.
class Cbc {
  public:
    Cbc(const Algorithm& cipher, const SecretBytes& key, ByteView iv, bool encrypt) : context_(EVP_CIPHER_CTX_new()) {
        const Handle<EVP_CIPHER, EVP_CIPHER_free> method(
            EVP_CIPHER_fetch(nullptr, std::string(cipher.evp).c_str(), nullptr));
        require(method && context_ &&
                    EVP_CipherInit_ex2(context_.get(), method.get(), key.data(), iv.data(), encrypt ? 1 : 0, nullptr) ==
                        1 &&
                    EVP_CIPHER_CTX_set_padding(context_.get(), 0) == 1,
                "key wrap failed");
    }

    SecretBytes run(ByteView blocks) {
        SecretBytes result(blocks.size());
        int size = 0;
        require(EVP_CipherUpdate(context_.get(), result.data(), &size, blocks.data(),
                                 static_cast<int>(blocks.size())) == 1 &&
                    static_cast<std::size_t>(size) == blocks.size(),
                "key wrap failed");
        return result;
    }

  private:
    CipherContext context_;
};

// RFC 3211 section 2.3.1: size, check value, key and random bytes, encrypted twice without another IV between.
Bytes pwri_wrap(const Algorithm& cipher, const SecretBytes& key, ByteView iv, const SecretBytes& content_key) {
    const std::size_t block = iv.size();
    const std::size_t size = std::max(2 * block, (kHeaderBytes + content_key.size() + block - 1) / block * block);
    SecretBytes formatted(size);
    require(RAND_priv_bytes(formatted.data(), static_cast<int>(size)) == 1, "no random numbers", ErrorKind::io);
    formatted.data()[0] = static_cast<Byte>(content_key.size());
    for (std::size_t i = 0; i < kCheckBytes; ++i)
        formatted.data()[1 + i] = static_cast<Byte>(~content_key.data()[i]);
    std::copy(content_key.view().begin(), content_key.view().end(), formatted.data() + kHeaderBytes);
    Cbc cbc(cipher, key, iv, true);
    return to_bytes(cbc.run(cbc.run(formatted)));
}

// RFC 3211 section 2.3.2. The outer IV was the last block of the inner ciphertext, which the last two blocks give.
SecretBytes pwri_decrypt(const Algorithm& cipher, const SecretBytes& key, ByteView iv, ByteView wrapped) {
    const std::size_t block = iv.size();
    const ByteView before_last = wrapped.last(2 * block).first(block);
    const SecretBytes outer_iv = Cbc(cipher, key, before_last, false).run(wrapped.last(block));
    return Cbc(cipher, key, iv, false).run(Cbc(cipher, key, outer_iv, false).run(wrapped));
}

// content_key_of looks at all that can be wrong before it says whether anything is.
std::optional<SecretBytes> content_key_of(const SecretBytes& formatted) {
    const ByteView bytes = formatted;
    const std::size_t size = bytes[0];
    unsigned wrong = 0;
    for (std::size_t i = 0; i < kCheckBytes; ++i)
        wrong |= static_cast<unsigned>(bytes[1 + i] ^ bytes[kHeaderBytes + i] ^ 0xffU);
    wrong |= static_cast<unsigned>(size < kCheckBytes) | static_cast<unsigned>(size > bytes.size() - kHeaderBytes);
    if (wrong != 0) return std::nullopt;
    return SecretBytes(bytes.subspan(kHeaderBytes, size));
}

Hash prf_of(const X509_ALGOR* algorithm) {
    if (algorithm == nullptr) return Hash::sha1;  // the default of RFC 8018 appendix A.2
    const Algorithm* row = find_algorithm(AlgorithmKind::mac, algorithm);
    if (row == nullptr || !row->hash) throw unsupported(algorithm);
    return *row->hash;
}

void read_pbkdf2(PasswordUnwrap& recovery, const X509_ALGOR* algorithm) {
    if (algorithm == nullptr) throw unsupported("password recipient without a key derivation");
    if (find_algorithm(AlgorithmKind::key_derivation, algorithm) == nullptr) throw unsupported(algorithm);
    const auto parameters = asn1::decode<Pbkdf2Handle>(asn1::sequence_parameters(algorithm), d2i_PBKDF2PARAM,
                                                       "malformed PBKDF2 parameters in a RecipientInfo");
    if (parameters->salt->type != V_ASN1_OCTET_STRING)
        throw unsupported("PBKDF2 with a salt that is not in the message");
    recovery.salt = to_bytes(asn1::octets(parameters->salt->value.octet_string));
    recovery.prf = prf_of(parameters->prf);
    std::uint64_t iterations = 0;
    const bool counted = ASN1_INTEGER_get_uint64(&iterations, parameters->iter) == 1;
    ERR_clear_error();
    const bool fits = parameters->keylength == nullptr ||
                      ASN1_INTEGER_get(parameters->keylength) == static_cast<long>(recovery.cipher->key_size);
    if (!counted || iterations == 0 || !fits)
        throw Error(ErrorKind::malformed, "malformed PBKDF2 parameters in a RecipientInfo");
    if (iterations > kMaxPasswordIterations)
        throw unsupported(fmt::format("PBKDF2 with more than {} iterations", kMaxPasswordIterations));
    recovery.iterations = static_cast<std::uint32_t>(iterations);
}

}  // namespace

Bytes password_recipient_info(const Password& how, const SecretBytes& content_key) {
    const Algorithm* cipher =
        algorithm_named(AlgorithmKind::content_cipher, fmt::format("aes-{}-cbc", how.key_size * 8));
    const Algorithm* prf = mac_algorithm(how.prf);
    require(how.password && cipher != nullptr && prf != nullptr, "no such password recipient");
    const ContentEncryptionAlgorithm encryption = new_content_encryption(*cipher);
    PasswordUnwrap recovery{
        .salt = Bytes(kSaltBytes), .iterations = how.iterations, .prf = how.prf, .cipher = cipher, .iv = encryption.iv};
    require(RAND_bytes(recovery.salt.data(), static_cast<int>(kSaltBytes)) == 1, "no random numbers", ErrorKind::io);
    const Bytes wrapped = pwri_wrap(*cipher, pbkdf2(recovery, *how.password), recovery.iv, content_key);

    const Bytes derivation =
        der_value(tag::context(0, true),
                  {der_oid(algorithm_named(AlgorithmKind::key_derivation, "pbkdf2")->oid),
                   der_value(tag::kSequence, {der_value(tag::kOctetString, recovery.salt),
                                              der_integer(recovery.iterations), der_algorithm(prf->oid, kNull)})});
    const Bytes encryption_der = der_algorithm(algorithm_named(AlgorithmKind::password_wrap, "pwri-kek")->oid,
                                               content_encryption_der(encryption));
    return der_value(tag::context(3, true),
                     {der_integer(0), derivation, encryption_der, der_value(tag::kOctetString, wrapped)});
}

PasswordUnwrap read_password_recovery(const asn1::PasswordRecipientInfo& info) {
    if (find_algorithm(AlgorithmKind::password_wrap, info.key_encryption_algorithm) == nullptr)
        throw unsupported(info.key_encryption_algorithm);
    const auto inner =
        asn1::algorithm_parameter(info.key_encryption_algorithm, "malformed PWRI-KEK parameters in a RecipientInfo");
    const ContentEncryptionAlgorithm encryption = read_content_encryption(inner.get());
    // RFC 3211 needs CBC; what only the legacy provider has is no way to keep a key.
    if (encryption.cipher->authenticated || encryption.cipher->legacy) throw unsupported(inner.get());
    PasswordUnwrap recovery{.salt = {}, .iterations = 0, .prf = {}, .cipher = encryption.cipher, .iv = encryption.iv};
    read_pbkdf2(recovery, info.key_derivation_algorithm);
    return recovery;
}

std::optional<SecretBytes> recover_with_password(const PasswordUnwrap& recovery, const SecretBytes& password,
                                                 ByteView encrypted_key) {
    const std::size_t block = recovery.iv.size();
    if (encrypted_key.size() < 2 * block || encrypted_key.size() % block != 0 ||
        encrypted_key.size() > kMaxWrappedBytes)
        return std::nullopt;
    return content_key_of(pwri_decrypt(*recovery.cipher, pbkdf2(recovery, password), recovery.iv, encrypted_key));
}

}  // namespace p11mime::cms
