#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cms/secret.h"
#include "token/attributes.h"
#include "token/module.h"

namespace p11mime::token {

/// Mechanism is a mechanism and its parameter. Pointers within the parameter must stay valid while it is used.
class Mechanism {
  public:
    explicit Mechanism(CK_MECHANISM_TYPE type) : type_(type) {}

    template <class Parameter>
    Mechanism(CK_MECHANISM_TYPE type, const Parameter& parameter)
        : type_(type),
          parameter_(reinterpret_cast<const Byte*>(&parameter), reinterpret_cast<const Byte*>(&parameter + 1)) {}

    CK_MECHANISM_TYPE type() const { return type_; }
    CK_MECHANISM raw() const {
        return {type_, parameter_.empty() ? nullptr : const_cast<Byte*>(parameter_.data()), parameter_.size()};
    }

  private:
    CK_MECHANISM_TYPE type_;
    Bytes parameter_;
};

/// Answer is a return value and what came with it where it is CKR_OK.
template <class Value>
struct Answer {
    CK_RV code;
    Value value{};
};

/// Session is one session with a token. It holds the module, so that the module outlives it. For one thread at a time.
/// Members that return CK_RV or Answer leave the judgement to the caller; the others throw CkrError.
class Session {
  public:
    enum class Access { read_only, read_write };

    Session(std::shared_ptr<Module> module, const TokenInfo& token, Access access);  ///< C_OpenSession
    ~Session();                                                                      ///< C_CloseSession
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    CK_STATE state() const;                                        ///< C_GetSessionInfo
    CK_RV login(CK_USER_TYPE user, const SecretBytes* pin) const;  ///< C_Login; null: the PIN is entered on the reader
    CK_RV logout() const;                                          ///< C_Logout, of all sessions with the token

    /// find returns all objects that match: C_FindObjectsInit, C_FindObjects, C_FindObjectsFinal.
    std::vector<CK_OBJECT_HANDLE> find(const Template& search) const;

    /// attributes asks for several at once: C_GetAttributeValue, and once for each where the object lacks some.
    Attributes attributes(CK_OBJECT_HANDLE object, const std::vector<CK_ATTRIBUTE_TYPE>& types) const;

    /// secret_value reads CKA_VALUE of a secret key object into wiped memory: C_GetAttributeValue.
    SecretBytes secret_value(CK_OBJECT_HANDLE object) const;

    CK_RV sign_init(const Mechanism& mechanism, CK_OBJECT_HANDLE key) const;     ///< C_SignInit
    Answer<Bytes> sign(ByteView data) const;                                     ///< C_Sign
    CK_RV decrypt_init(const Mechanism& mechanism, CK_OBJECT_HANDLE key) const;  ///< C_DecryptInit
    Answer<SecretBytes> decrypt(ByteView data) const;                            ///< C_Decrypt
    Answer<CK_OBJECT_HANDLE> derive(const Mechanism& mechanism, CK_OBJECT_HANDLE key,
                                    const Template& result) const;  ///< C_DeriveKey
    void generate_pair(const Mechanism& mechanism, const Template& public_key,
                       const Template& private_key) const;                                 ///< C_GenerateKeyPair
    CK_OBJECT_HANDLE create(const Template& object) const;                                 ///< C_CreateObject
    CK_OBJECT_HANDLE generate_key(const Mechanism& mechanism, const Template& key) const;  ///< C_GenerateKey
    Bytes encrypt(const Mechanism& mechanism, CK_OBJECT_HANDLE key, ByteView data) const;  ///< C_EncryptInit, C_Encrypt
    CK_OBJECT_HANDLE unwrap(const Mechanism& mechanism, CK_OBJECT_HANDLE key, ByteView wrapped,
                            const Template& result) const;                        ///< C_UnwrapKey
    CK_RV destroy(CK_OBJECT_HANDLE object) const;                                 ///< C_DestroyObject
    CK_RV set_pin(const SecretBytes* old_pin, const SecretBytes* new_pin) const;  ///< C_SetPIN; null: on the reader
    CK_RV init_pin(const SecretBytes* pin) const;                                 ///< C_InitPIN; null: on the reader

  private:
    std::optional<Bytes> one_attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;

    std::shared_ptr<Module> module_;
    const CK_FUNCTION_LIST& calls_;
    std::string name_;
    CK_SESSION_HANDLE handle_ = 0;
};

}  // namespace p11mime::token
