#include "token/import_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "cms/encode.h"
#include "cms/key_wrap.h"
#include "token/ckr.h"
#include "token/key_template.h"
#include "token/manage.h"
#include "token/mechanisms.h"
#include "token/public_key.h"

namespace p11mime::token {

namespace {

constexpr CK_ULONG kWrappingKeySize = 32;
constexpr std::size_t kBlock = 16;

/// refuses_object says whether a token means with a return value that it does not take such an object.
bool refuses_object(CK_RV code) {
    constexpr std::array kCodes = {
        CKR_ATTRIBUTE_READ_ONLY,        CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID,
        CKR_TEMPLATE_INCOMPLETE,        CKR_TEMPLATE_INCONSISTENT,  CKR_FUNCTION_NOT_SUPPORTED,
        CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_ACTION_PROHIBITED,      CKR_FUNCTION_REJECTED};
    return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

/// kRfc5649 are the names under which tokens have AES key wrap with padding (RFC 5649).
constexpr std::array kRfc5649 = {kAesKeyWrapKwp, CK_MECHANISM_TYPE{CKM_AES_KEY_WRAP_PAD}};

/// Import is one run of import_keys.
class Import {
  public:
    explicit Import(TokenCore& core) : core_(core), session_(core.open_session(Session::Access::read_write)) {}
    /// Whatever was stored and not kept is removed, however this ends.
    ~Import() {
        undo();
        core_.forget_objects();
    }
    Import(const Import&) = delete;
    Import& operator=(const Import&) = delete;

    ImportedKey add(const KeyImport& wanted);
    void keep() { stored_.clear(); }
    /// undo removes what was stored and returns how much could not be removed.
    std::size_t undo();

  private:
    void refuse_what_is_there(const KeyImport& wanted);
    template <class Make>
    CK_OBJECT_HANDLE store(Make make);
    CK_OBJECT_HANDLE store_private(const KeyParts& parts, const Template& object);
    CK_OBJECT_HANDLE store_wrapped(const KeyParts& parts, const Template& object, const CkrError& refused);
    CK_OBJECT_HANDLE wrapped_on_token(const KeyParts& parts, const Template& object);
    CK_OBJECT_HANDLE wrapped_on_host(const KeyParts& parts, const Template& object, CK_MECHANISM_TYPE mechanism);
    CK_OBJECT_HANDLE wrapping_key(bool readable);
    void store_public(const KeyParts& parts, const KeyImport& wanted);

    TokenCore& core_;
    std::unique_ptr<Session> session_;
    std::vector<CK_OBJECT_HANDLE> stored_;
};

void Import::refuse_what_is_there(const KeyImport& wanted) {
    const auto present = core_.with_session(
        [&](const Session& session) { return find_key_by_public_key(session, core_.info(), wanted.key); });
    if (present)
        throw Error(ErrorKind::token, fmt::format("{} has this key already, as '{}'", core_.name(), present->label),
                    "key import-cert puts a certificate beside it");
    if (!core_.private_keys(wanted.id).empty())
        throw Error(ErrorKind::token, fmt::format("{} has another key with this id already", core_.name()),
                    "choose another one with --id");
}

/// store remembers an object before anything else can fail.
template <class Make>
CK_OBJECT_HANDLE Import::store(Make make) {
    stored_.reserve(stored_.size() + 1);
    return stored_.emplace_back(make());
}

ImportedKey Import::add(const KeyImport& wanted) {
    const KeyParts parts(core_, wanted.key);
    if (!parts.is_usable())
        throw Error(ErrorKind::token,
                    fmt::format("{} has no mechanism for {} keys", core_.name(), cms::key_description(wanted.key)),
                    "use a token that has one: p11mime tokens");
    refuse_what_is_there(wanted);
    Template object = parts.private_template(wanted.label, wanted.id);
    if (!wanted.certificates.empty()) object.add(CKA_SUBJECT, wanted.certificates.front().subject_der());
    const CK_OBJECT_HANDLE key = store_private(parts, object);
    store_public(parts, wanted);
    for (const cms::Certificate& certificate : wanted.certificates)
        if (!is_stored(core_, certificate, wanted.id))
            store([&] { return session_->create(certificate_template(certificate, wanted.label, wanted.id)); });
    return {describe_key(*session_, core_.info(), read_private_key(*session_, key)), wanted.certificates};
}

CK_OBJECT_HANDLE Import::store_private(const KeyParts& parts, const Template& object) {
    Template plain = object;
    parts.add_private_values(plain);
    try {
        return store([&] { return session_->create(plain); });
    } catch (const CkrError& refused) {
        if (!refuses_object(refused.code())) throw;
        return store([&] { return store_wrapped(parts, object, refused); });
    }
}

/// store_wrapped does as the vendors' tools for HSMs that take no private key in the clear: the key that wraps it stays
/// on the token, or is read from it where only the host can wrap.
CK_OBJECT_HANDLE Import::store_wrapped(const KeyParts& parts, const Template& object, const CkrError& refused) {
    if (core_.offers(CKM_AES_KEY_GEN)) {
        if (core_.offers(CKM_AES_CBC_PAD, CKF_ENCRYPT | CKF_UNWRAP)) return wrapped_on_token(parts, object);
        for (const CK_MECHANISM_TYPE mechanism : kRfc5649)
            if (core_.offers(mechanism, CKF_UNWRAP)) return wrapped_on_host(parts, object, mechanism);
    }
    throw Error(ErrorKind::token,
                fmt::format("{} takes no private keys from outside: {}", core_.name(), refused.what()),
                "use the tool of its maker (yubico-piv-tool, …), or make the key on it: p11mime key generate");
}

CK_OBJECT_HANDLE Import::wrapping_key(bool readable) {
    Template key = objects_of_class(CKO_SECRET_KEY);
    key.add(CKA_KEY_TYPE, CK_ULONG{CKK_AES})
        .add_bool(CKA_TOKEN, false)
        .add_bool(CKA_PRIVATE, true)
        .add_bool(CKA_SENSITIVE, !readable)
        .add_bool(CKA_EXTRACTABLE, readable)
        .add_bool(CKA_ENCRYPT, !readable)
        .add_bool(CKA_UNWRAP, true)
        .add(CKA_VALUE_LEN, kWrappingKeySize);
    return session_->generate_key(Mechanism(CKM_AES_KEY_GEN), key);
}

CK_OBJECT_HANDLE Import::wrapped_on_token(const KeyParts& parts, const Template& object) {
    const CK_OBJECT_HANDLE key = wrapping_key(false);
    std::array<Byte, kBlock> iv{};
    std::ranges::copy(random_bytes(kBlock), iv.begin());
    const Mechanism mechanism(CKM_AES_CBC_PAD, iv);
    return session_->unwrap(mechanism, key, session_->encrypt(mechanism, key, parts.pkcs8()), object);
}

CK_OBJECT_HANDLE Import::wrapped_on_host(const KeyParts& parts, const Template& object, CK_MECHANISM_TYPE mechanism) {
    const CK_OBJECT_HANDLE key = wrapping_key(true);
    const Bytes wrapped = cms::wrap_with_padding(session_->secret_value(key), parts.pkcs8());
    return session_->unwrap(Mechanism(mechanism), key, wrapped, object);
}

/// store_public is for tokens that show public halves as objects; those that refuse them show them otherwise.
void Import::store_public(const KeyParts& parts, const KeyImport& wanted) {
    try {
        store([&] { return session_->create(parts.public_template(wanted.label, wanted.id)); });
    } catch (const CkrError& refused) {
        if (!refuses_object(refused.code())) throw;
    }
}

std::size_t Import::undo() {
    std::size_t left = 0;
    for (auto object = stored_.rbegin(); object != stored_.rend(); ++object)
        if (session_->destroy(*object) != CKR_OK) ++left;
    stored_.clear();
    return left;
}

}  // namespace

std::vector<ImportedKey> import_keys(TokenCore& core, std::span<const KeyImport> keys) {
    core.login("import a key");
    Import import(core);
    try {
        std::vector<ImportedKey> made;
        for (const KeyImport& key : keys)
            made.push_back(import.add(key));
        import.keep();
        return made;
    } catch (const Error& error) {
        const std::size_t left = import.undo();
        if (left == 0) throw;
        throw Error(ErrorKind::token,
                    fmt::format("{}; {} objects that were stored could not be removed", error.what(), left),
                    "p11mime tokens --login lists what is on the token");
    }
}

}  // namespace p11mime::token
