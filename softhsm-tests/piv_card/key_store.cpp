#include "softhsm-tests/piv_card/key_store.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <filesystem>
#include <stdexcept>

#include "cms/encode.h"
#include "mime/hex.h"

namespace p11mime::piv_card {

namespace {

BioHandle open_file(const std::string& file) {
    return BioHandle(BIO_new_file(file.c_str(), "r"));
}

CardKey read_key(const std::string& file) {
    KeyHandle key(PEM_read_bio_PrivateKey(open_file(file).get(), nullptr, nullptr, nullptr));
    if (!key) throw std::runtime_error(file + " holds no private key in PEM");
    CardKey card_key(std::move(key));
    if (card_key.algorithm() == 0) throw std::runtime_error(file + " holds a key that no PIV card has");
    return card_key;
}

Bytes read_certificate(const std::string& file) {
    const X509Handle certificate(PEM_read_bio_X509(open_file(file).get(), nullptr, nullptr, nullptr));
    if (!certificate) throw std::runtime_error(file + " holds no certificate in PEM");
    return cms::encode(certificate.get(), i2d_X509);
}

std::string curve_of(const EVP_PKEY* key) {
    char name[32] = {};
    std::size_t size = 0;
    EVP_PKEY_get_group_name(key, name, sizeof name, &size);
    return name;
}

KeyHandle peer_key(EVP_PKEY* own, ByteView point) {
    KeyHandle peer(EVP_PKEY_new());
    const bool whole = EVP_PKEY_copy_parameters(peer.get(), own) == 1 &&
                       EVP_PKEY_set1_encoded_public_key(peer.get(), point.data(), point.size()) == 1;
    return whole ? std::move(peer) : nullptr;
}

}  // namespace

std::vector<KeyReference> key_references() {
    std::vector<KeyReference> references = {0x9a, kSignatureKey, 0x9d, kCardAuthenticationKey};
    for (unsigned reference = kFirstRetired; reference <= kLastRetired; ++reference)
        references.push_back(static_cast<KeyReference>(reference));
    return references;
}

Byte CardKey::algorithm() const {
    if (is_rsa()) {
        switch (EVP_PKEY_get_bits(key_.get())) {
            case 1024:
                return 0x06;
            case 2048:
                return 0x07;
            case 3072:
                return 0x05;
            default:
                return 0;
        }
    }
    if (EVP_PKEY_get_base_id(key_.get()) != EVP_PKEY_EC) return 0;
    const std::string curve = curve_of(key_.get());
    return curve == "prime256v1" ? 0x11 : curve == "secp384r1" ? 0x14 : 0;
}

std::optional<Bytes> CardKey::signature_of(ByteView input) const {
    if (is_rsa() ? input.size() != size() : input.empty() || input.size() > size()) return std::nullopt;
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    Bytes output(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
    std::size_t length = output.size();
    const bool done = is_rsa()
                          ? EVP_PKEY_decrypt_init(context.get()) == 1 &&
                                EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1 &&
                                EVP_PKEY_decrypt(context.get(), output.data(), &length, input.data(), input.size()) == 1
                          : EVP_PKEY_sign_init(context.get()) == 1 &&
                                EVP_PKEY_sign(context.get(), output.data(), &length, input.data(), input.size()) == 1;
    if (!done) return std::nullopt;
    output.resize(length);
    return output;
}

std::optional<Bytes> CardKey::agreed(ByteView point) const {
    if (is_rsa()) return std::nullopt;
    const KeyHandle peer = peer_key(key_.get(), point);
    if (!peer) return std::nullopt;
    const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
    Bytes secret(size());
    std::size_t length = secret.size();
    const bool done = EVP_PKEY_derive_init(context.get()) == 1 &&
                      EVP_PKEY_derive_set_peer(context.get(), peer.get()) == 1 &&
                      EVP_PKEY_derive(context.get(), secret.data(), &length) == 1;
    if (!done) return std::nullopt;
    return secret;
}

KeyStore KeyStore::load(const std::string& directory) {
    KeyStore store;
    for (const KeyReference reference : key_references()) {
        const std::string file = directory + "/" + hex({&reference, 1});
        if (std::filesystem::exists(file + ".key")) store.keys.emplace(reference, read_key(file + ".key"));
        if (std::filesystem::exists(file + ".pem"))
            store.certificates.emplace(reference, read_certificate(file + ".pem"));
    }
    return store;
}

}  // namespace p11mime::piv_card
