#include "token/session.h"

#include <algorithm>
#include <array>

#include "token/ckr.h"

namespace p11mime::token {

namespace {

constexpr std::size_t kFindBatch = 64;
constexpr std::size_t kMaxObjects = 10'000;  // a module that never stops finding must not hang us
constexpr std::size_t kMaxSignature = 2048;  // RSA with 16,384 bits
constexpr std::size_t kMaxAttribute = 1024 * 1024;
constexpr std::size_t kMaxPadding = 64;

/// room is how many bytes to offer for an attribute at the first attempt.
std::size_t room(CK_ATTRIBUTE_TYPE type) {
    if (type == CKA_VALUE) return 8192;
    return type == CKA_MODULUS ? 2048 : 512;
}

CK_BYTE* input(ByteView bytes) {
    return const_cast<CK_BYTE*>(bytes.data());  // Cryptoki takes input as non-const
}

CK_BYTE* input(const SecretBytes* secret) {
    return secret != nullptr ? input(secret->view()) : nullptr;
}

CK_ULONG size(const SecretBytes* secret) {
    return secret != nullptr ? secret->size() : 0;
}

}  // namespace

Session::Session(std::shared_ptr<Module> module, const TokenInfo& token, Access access)
    : module_(std::move(module)), calls_(module_->calls()), name_(token_name(token)) {
    const CK_FLAGS flags = CKF_SERIAL_SESSION | (access == Access::read_write ? CKF_RW_SESSION : 0);
    check(calls_.C_OpenSession(token.slot_id, flags, nullptr, nullptr, &handle_), name_, "open a session");
}

Session::~Session() {
    calls_.C_CloseSession(handle_);
}

CK_STATE Session::state() const {
    CK_SESSION_INFO info{};
    check(calls_.C_GetSessionInfo(handle_, &info), name_, "read the session's state");
    return info.state;
}

// Nobody else waits for a person at a reader's PIN pad.
CK_RV Session::login(CK_USER_TYPE user, const SecretBytes* pin) const {
    std::optional<Turns::Turn> turn;
    if (pin != nullptr) turn.emplace(module_->turns(), Turns::Kind::login);
    return calls_.C_Login(handle_, user, input(pin), size(pin));
}

CK_RV Session::logout() const {
    return calls_.C_Logout(handle_);
}

std::vector<CK_OBJECT_HANDLE> Session::find(const Template& search) const {
    std::vector<CK_ATTRIBUTE> list = search.list();
    check(calls_.C_FindObjectsInit(handle_, list.data(), list.size()), name_, "search it");
    std::vector<CK_OBJECT_HANDLE> found;
    std::array<CK_OBJECT_HANDLE, kFindBatch> batch{};
    CK_RV code = CKR_OK;
    CK_ULONG count = batch.size();
    while (code == CKR_OK && count == batch.size() && found.size() < kMaxObjects) {
        code = calls_.C_FindObjects(handle_, batch.data(), batch.size(), &count);
        if (code == CKR_OK) found.insert(found.end(), batch.begin(), batch.begin() + std::min(count, batch.size()));
    }
    const CK_RV final = calls_.C_FindObjectsFinal(handle_);
    check(code, name_, "search it");
    check(final, name_, "end the search");
    return found;
}

Attributes Session::attributes(CK_OBJECT_HANDLE object, const std::vector<CK_ATTRIBUTE_TYPE>& types) const {
    std::vector<Bytes> values;
    std::vector<CK_ATTRIBUTE> list;
    for (const CK_ATTRIBUTE_TYPE type : types) {
        Bytes& value = values.emplace_back(room(type));
        list.push_back({type, value.data(), value.size()});
    }
    Attributes attributes;
    const CK_RV code = calls_.C_GetAttributeValue(handle_, object, list.data(), list.size());
    if (code == CKR_OK) {
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (list[i].ulValueLen > values[i].size()) continue;
            values[i].resize(list[i].ulValueLen);
            attributes.set(types[i], std::move(values[i]));
        }
        return attributes;
    }
    if (code != CKR_ATTRIBUTE_TYPE_INVALID && code != CKR_ATTRIBUTE_SENSITIVE && code != CKR_BUFFER_TOO_SMALL)
        check(code, name_, "read an object");
    // Modules differ in what they fill in once one attribute is missing, so each is asked for alone.
    for (const CK_ATTRIBUTE_TYPE type : types)
        if (std::optional<Bytes> value = one_attribute(object, type)) attributes.set(type, std::move(*value));
    return attributes;
}

std::optional<Bytes> Session::one_attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
    Bytes value(room(type));
    CK_ATTRIBUTE attribute{type, value.data(), value.size()};
    CK_RV code = calls_.C_GetAttributeValue(handle_, object, &attribute, 1);
    if (code == CKR_BUFFER_TOO_SMALL) {
        attribute = {type, nullptr, 0};
        code = calls_.C_GetAttributeValue(handle_, object, &attribute, 1);
        if (code != CKR_OK || attribute.ulValueLen > kMaxAttribute) return std::nullopt;
        value.resize(attribute.ulValueLen);
        attribute.pValue = value.data();
        code = calls_.C_GetAttributeValue(handle_, object, &attribute, 1);
    }
    if (code == CKR_ATTRIBUTE_TYPE_INVALID || code == CKR_ATTRIBUTE_SENSITIVE) return std::nullopt;
    check(code, name_, "read an object");
    if (attribute.ulValueLen > value.size()) return std::nullopt;
    value.resize(attribute.ulValueLen);
    return value;
}

SecretBytes Session::secret_value(CK_OBJECT_HANDLE object) const {
    SecretBytes value(512);
    CK_ATTRIBUTE attribute{CKA_VALUE, value.data(), value.size()};
    check(calls_.C_GetAttributeValue(handle_, object, &attribute, 1), name_, "read the shared secret");
    if (attribute.ulValueLen > value.size()) throw CkrError(CKR_BUFFER_TOO_SMALL, name_, "read the shared secret");
    value.shrink(attribute.ulValueLen);
    return value;
}

CK_RV Session::sign_init(const Mechanism& mechanism, CK_OBJECT_HANDLE key) const {
    CK_MECHANISM raw = mechanism.raw();
    return calls_.C_SignInit(handle_, &raw, key);
}

Answer<Bytes> Session::sign(ByteView data) const {
    Answer<Bytes> answer{CKR_OK, Bytes(kMaxSignature)};
    CK_ULONG written = answer.value.size();
    answer.code = calls_.C_Sign(handle_, input(data), data.size(), answer.value.data(), &written);
    answer.value.resize(answer.code == CKR_OK ? std::min<std::size_t>(written, kMaxSignature) : 0);
    return answer;
}

CK_RV Session::decrypt_init(const Mechanism& mechanism, CK_OBJECT_HANDLE key) const {
    CK_MECHANISM raw = mechanism.raw();
    return calls_.C_DecryptInit(handle_, &raw, key);
}

Answer<SecretBytes> Session::decrypt(ByteView data) const {
    Answer<SecretBytes> answer{CKR_OK, SecretBytes(kMaxSignature)};
    CK_ULONG written = answer.value.size();
    answer.code = calls_.C_Decrypt(handle_, input(data), data.size(), answer.value.data(), &written);
    answer.value.shrink(answer.code == CKR_OK ? std::min<std::size_t>(written, kMaxSignature) : 0);
    return answer;
}

Answer<CK_OBJECT_HANDLE> Session::derive(const Mechanism& mechanism, CK_OBJECT_HANDLE key,
                                         const Template& result) const {
    CK_MECHANISM raw = mechanism.raw();
    std::vector<CK_ATTRIBUTE> list = result.list();
    Answer<CK_OBJECT_HANDLE> answer{CKR_OK, 0};
    answer.code = calls_.C_DeriveKey(handle_, &raw, key, list.data(), list.size(), &answer.value);
    return answer;
}

void Session::generate_pair(const Mechanism& mechanism, const Template& public_key, const Template& private_key) const {
    CK_MECHANISM raw = mechanism.raw();
    std::vector<CK_ATTRIBUTE> public_list = public_key.list();
    std::vector<CK_ATTRIBUTE> private_list = private_key.list();
    CK_OBJECT_HANDLE public_handle = 0;
    CK_OBJECT_HANDLE private_handle = 0;
    check(calls_.C_GenerateKeyPair(handle_, &raw, public_list.data(), public_list.size(), private_list.data(),
                                   private_list.size(), &public_handle, &private_handle),
          name_, "generate the key");
}

CK_OBJECT_HANDLE Session::create(const Template& object) const {
    std::vector<CK_ATTRIBUTE> list = object.list();
    CK_OBJECT_HANDLE handle = 0;
    check(calls_.C_CreateObject(handle_, list.data(), list.size(), &handle), name_, "store the object");
    return handle;
}

CK_OBJECT_HANDLE Session::generate_key(const Mechanism& mechanism, const Template& key) const {
    CK_MECHANISM raw = mechanism.raw();
    std::vector<CK_ATTRIBUTE> list = key.list();
    CK_OBJECT_HANDLE handle = 0;
    check(calls_.C_GenerateKey(handle_, &raw, list.data(), list.size(), &handle), name_, "generate a wrapping key");
    return handle;
}

Bytes Session::encrypt(const Mechanism& mechanism, CK_OBJECT_HANDLE key, ByteView data) const {
    CK_MECHANISM raw = mechanism.raw();
    check(calls_.C_EncryptInit(handle_, &raw, key), name_, "wrap the key");
    Bytes encrypted(data.size() + kMaxPadding);
    CK_ULONG written = encrypted.size();
    check(calls_.C_Encrypt(handle_, input(data), data.size(), encrypted.data(), &written), name_, "wrap the key");
    encrypted.resize(std::min<std::size_t>(written, encrypted.size()));
    return encrypted;
}

CK_OBJECT_HANDLE Session::unwrap(const Mechanism& mechanism, CK_OBJECT_HANDLE key, ByteView wrapped,
                                 const Template& result) const {
    CK_MECHANISM raw = mechanism.raw();
    std::vector<CK_ATTRIBUTE> list = result.list();
    CK_OBJECT_HANDLE handle = 0;
    check(calls_.C_UnwrapKey(handle_, &raw, key, input(wrapped), wrapped.size(), list.data(), list.size(), &handle),
          name_, "unwrap the key");
    return handle;
}

CK_RV Session::destroy(CK_OBJECT_HANDLE object) const {
    return calls_.C_DestroyObject(handle_, object);
}

CK_RV Session::set_pin(const SecretBytes* old_pin, const SecretBytes* new_pin) const {
    std::optional<Turns::Turn> turn;
    if (old_pin != nullptr) turn.emplace(module_->turns(), Turns::Kind::login);
    return calls_.C_SetPIN(handle_, input(old_pin), size(old_pin), input(new_pin), size(new_pin));
}

CK_RV Session::init_pin(const SecretBytes* pin) const {
    return calls_.C_InitPIN(handle_, input(pin), size(pin));
}

}  // namespace p11mime::token
