#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "token/ckr.h"
#include "token/login.h"
#include "token/loss.h"
#include "token/objects.h"
#include "token/session_pool.h"

namespace p11mime::token {

/// TokenCore is what a token and its signers and decrypters share: the module, the sessions, the PIN policy, the list
/// of mechanisms, and the certificates and private keys found so far. Safe for several threads.
class TokenCore {
    template <class Work>
    auto noting_failure(Work work) const {  // defined before its uses, which deduce its type
        try {
            return work();
        } catch (...) {
            failed_ = true;
            throw;
        }
    }

  public:
    TokenCore(std::shared_ptr<Module> module, TokenInfo info, PinProvider& pins);

    const TokenInfo& info() const { return info_; }
    std::string name() const { return token_name(info_); }
    const Module& module() const { return *module_; }

    /// found_in says where the token is, before anything is done with it.
    void found_in(std::optional<CardPlace> place) { place_ = std::move(place); }
    bool in_reader() const { return place_.has_value(); }

    /// loss says why the token is no longer usable; nothing where it is in its place and its sessions live. No login.
    std::optional<Error> loss();
    /// note_trouble is for an operation that failed half-way, as it does when a card is pulled.
    void note_trouble() { trouble_ = failed_ = true; }
    /// failed says whether some use of the token has ended in an error.
    bool failed() const { return failed_; }
    /// settle throws the loss of a token in a reader after trouble, and ends all use of it. It comes before each use of
    /// a session, under exclusive(): OpenSC 0.23 never returns from some calls after a card was pulled while it worked.
    void settle();
    /// retire ends all use of a token that was pulled: its sessions are closed, and no more are opened (CkrError).
    void retire() { pool_.retire(); }

    std::unique_ptr<Session> open_session(Session::Access access) const;

    /// lend_session gives out a session for one operation with a key; one thread has at most one, and meanwhile calls
    /// nothing here that needs a session.
    std::unique_ptr<SessionPool::Loan> lend_session() {
        return noting_failure([&] { return pool_.lend(); });
    }

    /// exclusive keeps other threads from the token's state, its logins among them, for as long as it is held.
    std::unique_lock<std::recursive_mutex> exclusive() { return std::unique_lock(mutex_); }

    /// with_session runs `work` on a session, one thread at a time.
    template <class Work>
    auto with_session(Work work) {
        const auto loan = lend_session();  // before the lock, since it may have to be waited for
        const std::lock_guard lock(mutex_);
        return noting_failure([&] {
            settle();
            try {
                return work(loan->session());
            } catch (const CkrError&) {
                note_trouble();
                throw;
            }
        });
    }

    void login(const std::string& what);
    bool logged_in();  ///< or no login is needed
    void context_login(const Session& session, const std::string& key_label, const std::string& what);
    void change_pin();
    void unblock();
    void use_pin_source(const std::string& pin_source);

    bool offers(CK_MECHANISM_TYPE mechanism);
    /// offers says whether it does for a use: CKF_UNWRAP, CKF_ENCRYPT, …
    bool offers(CK_MECHANISM_TYPE mechanism, CK_FLAGS use);

    /// certificates that match a template, which objects_of_class(CKO_CERTIFICATE) begins. Each is read once; where
    /// more than `most` were not read before, none is, and there is no answer.
    std::optional<std::vector<CertificateObject>> certificates(const Template& search, std::size_t most);

    /// private_keys with this CKA_ID, as far as they can be seen; remembered once found.
    std::vector<PrivateKey> private_keys(const Bytes& id);

    /// private_key_of logs in and finds the private key of a certificate on this token: the one with its id and of its
    /// type, else the one with its public key. Nothing where there is none.
    std::optional<PrivateKey> private_key_of(const CertificateObject& certificate, const std::string& what);

    void forget_objects();  ///< after objects were made or destroyed

  private:
    bool login_done();
    std::optional<Error> loss_in_slot();
    bool keeps_login();

    std::recursive_mutex mutex_;
    std::shared_ptr<Module> module_;
    TokenInfo info_;
    Login login_;
    SessionPool pool_;
    std::optional<CardPlace> place_;
    std::optional<Error> loss_;
    std::atomic<bool> trouble_ = false;
    mutable std::atomic<bool> failed_ = false;
    std::optional<std::set<CK_MECHANISM_TYPE>> mechanisms_;
    std::map<Bytes, std::vector<PrivateKey>> keys_;
    std::map<CK_OBJECT_HANDLE, CertificateObject> certificates_;
};

}  // namespace p11mime::token
