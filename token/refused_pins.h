#pragma once

#include <string>

#include "cms/secret.h"

namespace p11mime::token {

/// remember_refused keeps a PIN that a token has refused, for the life of the process, so that it is never sent to that
/// token again: each attempt would cost one of the few tries. `owner` names the token and the kind of PIN.
void remember_refused(const std::string& owner, const SecretBytes& pin);

/// remember_in_doubt keeps a PIN that was sent and of which the token did not tell whether it is right: it may have
/// cost a try, and sent by itself once more it may cost the next. is_in_doubt says whether that was so.
void remember_in_doubt(const std::string& owner, const SecretBytes& pin);
bool is_in_doubt(const std::string& owner, const SecretBytes& pin);

/// was_refused says whether the token has refused this PIN before.
bool was_refused(const std::string& owner, const SecretBytes& pin);

/// forget_refused is for a PIN that has been accepted or set anew, and so is right now and in no doubt.
void forget_refused(const std::string& owner, const SecretBytes& pin);

}  // namespace p11mime::token
