#include "token/key_session.h"

#include <fmt/format.h>

#include "mime/error.h"

namespace p11mime::token {

std::string KeySession::name() const {
    return fmt::format("key '{}' on {}", key_.label, core_->name());
}

const Session& KeySession::open(const std::string& what) {
    core_->login(what);
    if (!loan_) loan_ = core_->lend_session();
    if ((key_.always_authenticate || core_->in_reader()) && !exclusive_) exclusive_ = core_->exclusive();
    core_->settle();
    return loan_->session();
}

void KeySession::release() {
    exclusive_ = {};
    loan_.reset();
}

CK_RV KeySession::discard() {
    const CK_RV code = loan_ ? loan_->discard() : CKR_OK;
    release();
    return code;
}

void KeySession::begin(const std::string& what) {
    if (!key_.always_authenticate) return;
    try {
        core_->context_login(loan_->session(), key_.label, what);
    } catch (...) {
        discard();  // the operation begun would stand in the way of the next
        throw;
    }
}

void throw_if_stopped(const std::stop_token& stop) {
    if (stop.stop_requested()) throw Error(ErrorKind::token, "cancelled before the token was done");
}

bool is_unsupported(CK_RV code) {
    switch (code) {
        case CKR_MECHANISM_INVALID:
        case CKR_MECHANISM_PARAM_INVALID:
        case CKR_ARGUMENTS_BAD:
        case CKR_FUNCTION_NOT_SUPPORTED:
        case CKR_KEY_FUNCTION_NOT_PERMITTED:
        case CKR_KEY_TYPE_INCONSISTENT:
            return true;
        default:
            return false;
    }
}

}  // namespace p11mime::token
