#include "token/core.h"

#include <fmt/format.h>

#include <algorithm>

#include "token/ckr.h"
#include "token/public_key.h"

namespace p11mime::token {

TokenCore::TokenCore(std::shared_ptr<Module> module, TokenInfo info, PinProvider& pins)
    : module_(std::move(module)), info_(std::move(info)), login_(module_, info_, pins), pool_(module_, info_, mutex_) {}

std::unique_ptr<Session> TokenCore::open_session(Session::Access access) const {
    return noting_failure([&] { return std::make_unique<Session>(module_, info_, access); });
}

std::optional<Error> TokenCore::loss() {
    const std::lock_guard lock(mutex_);
    if (loss_) return loss_;
    if (!place_) return loss_in_slot();
    loss_ = place_->loss(info_, trouble_.exchange(false));
    return loss_;
}

void TokenCore::settle() {
    if (!place_ || (!trouble_ && !loss_)) return;
    const auto why = loss();
    if (!why) return;
    retire();
    throw Error(*why);
}

/// loss_in_slot is for a token that no reader tells of: its module does.
std::optional<Error> TokenCore::loss_in_slot() {
    const auto lost = [](const std::string& message, const std::string& hint) {
        return Error(ErrorKind::token, message, hint);
    };
    constexpr const char* kAgain = "insert it again and repeat the command";
    try {
        const std::vector<Slot> slots = module_->slots();
        const auto slot =
            std::find_if(slots.begin(), slots.end(), [&](const Slot& each) { return each.id == info_.slot_id; });
        if (slot == slots.end() || !slot->token) return lost(fmt::format("{} was removed", name()), kAgain);
        if (!same_token(*slot->token, info_))
            return lost(
                fmt::format("{} was replaced by {} (serial {})", name(), token_name(*slot->token), slot->token->serial),
                kAgain);
        if (keeps_login()) return std::nullopt;
        return lost(fmt::format("{} was removed and inserted again", name()), "repeat the command");
    } catch (const Error& why) {
        return lost(fmt::format("{} is out of reach: {}", name(), why.what()),
                    why.hint().empty() ? kAgain : why.hint());
    }
}

/// keeps_login says whether a session is to be had and is logged in where a login was made: neither holds once the
/// token was pulled, though it may be back.
bool TokenCore::keeps_login() {
    try {
        const CK_STATE state = open_session(Session::Access::read_only)->state();
        const bool logged_in = state == CKS_RO_USER_FUNCTIONS || state == CKS_RW_USER_FUNCTIONS;
        return logged_in || !login_.done() || !info_.login_required;
    } catch (const CkrError& error) {
        return error.code() == CKR_SESSION_COUNT;  // others are open, so it is there
    }
}

void TokenCore::login(const std::string& what) {
    if (login_done()) return;
    with_session([&](const Session& session) { login_.user(session, what); });
}

bool TokenCore::login_done() {
    const std::lock_guard lock(mutex_);
    return login_.done();
}

bool TokenCore::logged_in() {
    return login_done() || !info_.login_required;
}

void TokenCore::context_login(const Session& session, const std::string& key_label, const std::string& what) {
    const std::lock_guard lock(mutex_);
    noting_failure([&] { login_.context(session, key_label, what); });
}

void TokenCore::change_pin() {
    const std::lock_guard lock(mutex_);
    noting_failure([&] { login_.change_pin(*open_session(Session::Access::read_write)); });
}

void TokenCore::unblock() {
    const std::lock_guard lock(mutex_);
    pool_.close();  // a login with the PUK tolerates no other session
    login_.reset();
    keys_.clear();
    certificates_.clear();
    noting_failure([&] { login_.unblock(*open_session(Session::Access::read_write)); });
}

void TokenCore::use_pin_source(const std::string& pin_source) {
    const std::lock_guard lock(mutex_);
    login_.use_pin_source(pin_source);
}

bool TokenCore::offers(CK_MECHANISM_TYPE mechanism) {
    const std::lock_guard lock(mutex_);
    if (!mechanisms_) {
        std::vector<CK_MECHANISM_TYPE> list(1024);
        CK_ULONG count = list.size();
        check(module_->calls().C_GetMechanismList(info_.slot_id, list.data(), &count), name(), "list its mechanisms");
        list.resize(std::min<std::size_t>(count, list.size()));
        mechanisms_.emplace(list.begin(), list.end());
    }
    return mechanisms_->contains(mechanism);
}

bool TokenCore::offers(CK_MECHANISM_TYPE mechanism, CK_FLAGS use) {
    if (!offers(mechanism)) return false;
    const std::lock_guard lock(mutex_);
    CK_MECHANISM_INFO info{};
    return module_->calls().C_GetMechanismInfo(info_.slot_id, mechanism, &info) == CKR_OK && (info.flags & use) == use;
}

std::optional<std::vector<CertificateObject>> TokenCore::certificates(const Template& search, std::size_t most) {
    return with_session([&](const Session& session) {
        const std::vector<CK_OBJECT_HANDLE> objects = session.find(search);
        const auto unread = std::count_if(objects.begin(), objects.end(),
                                          [&](CK_OBJECT_HANDLE object) { return !certificates_.contains(object); });
        if (static_cast<std::size_t>(unread) > most) return std::optional<std::vector<CertificateObject>>();
        std::vector<CertificateObject> found;
        for (const CK_OBJECT_HANDLE object : objects) {
            auto known = certificates_.find(object);
            if (known == certificates_.end())
                known = certificates_.emplace(object, read_certificate(session, info_, object)).first;
            found.push_back(known->second);
        }
        return std::optional(std::move(found));
    });
}

std::vector<PrivateKey> TokenCore::private_keys(const Bytes& id) {
    return with_session([&](const Session& session) {
        const auto known = keys_.find(id);
        if (known != keys_.end()) return known->second;
        Template search = objects_of_class(CKO_PRIVATE_KEY);
        search.add(CKA_ID, id);
        std::vector<PrivateKey> keys = read_private_keys(session, search);
        if (!keys.empty()) keys_[id] = keys;
        return keys;
    });
}

std::optional<PrivateKey> TokenCore::private_key_of(const CertificateObject& certificate, const std::string& what) {
    if (!certificate.certificate) return std::nullopt;
    login(what);
    const KeyHandle public_key = certificate.certificate->public_key();
    if (!certificate.id.empty())
        for (PrivateKey& key : private_keys(certificate.id))
            if (fits(key, public_key.get())) return std::move(key);
    return with_session(
        [&](const Session& session) { return find_key_by_public_key(session, info_, public_key.get()); });
}

void TokenCore::forget_objects() {
    const std::lock_guard lock(mutex_);
    keys_.clear();
    certificates_.clear();
}

}  // namespace p11mime::token
