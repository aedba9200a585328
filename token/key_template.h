#pragma once

#include <optional>

#include "cms/handle.h"
#include "token/core.h"

namespace p11mime::token {

/// KeyParts is what the attributes of a key are made of, out of a key pair in memory.
class KeyParts {
  public:
    /// Throws Error(malformed) where it is of a kind that is not for mail.
    KeyParts(TokenCore& core, const EVP_PKEY* key);

    /// is_usable says whether the token can do anything with such a key.
    bool is_usable() const;

    /// What both halves have: class, type, label and id, and that they are on the token.
    Template private_template(const std::string& label, const Bytes& id) const;
    Template public_template(const std::string& label, const Bytes& id) const;
    /// add_private_values completes a private template for C_CreateObject.
    void add_private_values(Template& object) const;
    /// pkcs8 is the private key as C_UnwrapKey takes it, in DER.
    SecretBytes pkcs8() const;

  private:
    bool is_rsa() const { return kind_ == KeyType::rsa; }
    bool signs() const { return kind_ != KeyType::montgomery; }
    bool agrees() const { return kind_ == KeyType::ec || kind_ == KeyType::montgomery; }
    CK_KEY_TYPE cryptoki_type() const;
    Template common_template(CK_OBJECT_CLASS half, const std::string& label, const Bytes& id) const;
    void add_group(Template& object) const;  // what both halves of a pair have in them: RSA's modulus, or the curve
    Bytes parameters() const;
    Bytes point() const;

    TokenCore& core_;
    const EVP_PKEY* key_;
    KeyType kind_;
};

}  // namespace p11mime::token
