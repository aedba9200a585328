// Writes an Edwards or Montgomery private key to a SoftHSM token, which pkcs11-tool of Debian 12 does not, and for key
// agreement neither does softhsm2-util: put_edwards_key MODULE TOKEN PIN FILE LABEL ID, FILE with PKCS#8 in PEM.

#include <openssl/pem.h>

#include <iostream>
#include <stdexcept>

#include "cms/encode.h"
#include "cms/handle.h"
#include "mime/hex.h"
#include "token/session.h"

using namespace p11mime;

namespace {

KeyHandle read_key(const std::string& file) {
    const BioHandle bio(BIO_new_file(file.c_str(), "r"));
    KeyHandle key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr) : nullptr);
    if (!key) throw std::runtime_error(file + " holds no private key in PEM");
    return key;
}

SecretBytes private_octets(const EVP_PKEY* key) {
    std::size_t size = 0;
    EVP_PKEY_get_raw_private_key(key, nullptr, &size);
    SecretBytes octets(size);
    cms::require(EVP_PKEY_get_raw_private_key(key, octets.data(), &size) == 1, "no private octets");
    return octets;
}

token::TokenInfo token_labelled(token::Module& module, const std::string& label) {
    for (const token::Slot& slot : module.slots())
        if (slot.token && slot.token->label == label) return *slot.token;
    throw std::runtime_error("no token " + label);
}

token::Template template_of(const EVP_PKEY* key, const std::string& label, const std::string& id_hex) {
    const int type = EVP_PKEY_get_base_id(key);
    const bool signs = type == EVP_PKEY_ED25519 || type == EVP_PKEY_ED448;
    token::Template object = token::objects_of_class(CKO_PRIVATE_KEY);
    object
        .add(CKA_KEY_TYPE, CK_ULONG{CKK_EC_EDWARDS})  // as SoftHSM has it for Montgomery keys too
        .add_bool(CKA_TOKEN, true)
        .add_bool(CKA_PRIVATE, true)
        .add_bool(CKA_SENSITIVE, true)
        .add_bool(CKA_EXTRACTABLE, false)
        .add_bool(CKA_SIGN, signs)
        .add_bool(CKA_DERIVE, !signs)
        .add(CKA_LABEL, label)
        .add(CKA_ID, parse_hex(id_hex).value())
        .add(CKA_EC_PARAMS, cms::encode(OBJ_nid2obj(type), i2d_ASN1_OBJECT))
        .add(CKA_VALUE, private_octets(key).view());
    return object;
}

}  // namespace

int main(int count, char** words) try {
    const std::vector<std::string> arguments(words + 1, words + count);
    const auto module = token::Module::load(arguments.at(0));
    const token::Session session(module, token_labelled(*module, arguments.at(1)), token::Session::Access::read_write);
    const SecretBytes pin(bytes_of(arguments.at(2)));
    if (session.login(CKU_USER, &pin) != CKR_OK) throw std::runtime_error("login failed");
    session.create(template_of(read_key(arguments.at(3)).get(), arguments.at(4), arguments.at(5)));
} catch (const std::exception& error) {
    std::cerr << "put_edwards_key: " << error.what() << '\n';
    return 1;
}
