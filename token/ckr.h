#pragma once

#include <string>
#include <string_view>

#include "mime/error.h"
#include "token/cryptoki.h"

namespace p11mime::token {

/// ckr_name is the name of a return value, "CKR_PIN_INCORRECT", or its number where the standard has none.
std::string ckr_name(CK_RV code);

/// ckr_message says in plain words what a return value means; ckr_hint what can be done about it, or is empty.
std::string_view ckr_message(CK_RV code);
std::string_view ckr_hint(CK_RV code);

/// CkrError is the Error(token) for a Cryptoki call that failed: "WHO: cannot WHAT: message (CKR_NAME)".
class CkrError : public Error {
  public:
    CkrError(CK_RV code, std::string_view who, std::string_view what);
    CK_RV code() const { return code_; }

  private:
    CK_RV code_;
};

/// check throws CkrError where code is not CKR_OK.
void check(CK_RV code, std::string_view who, std::string_view what);

}  // namespace p11mime::token
