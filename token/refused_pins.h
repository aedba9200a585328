#pragma once

#include <string>

#include "cms/secret.h"

namespace p11mime::token {

/// remember_refused keeps a PIN that a token has refused, for the life of the process, so that it is never sent to that
/// token again: each attempt would cost one of the few tries. `owner` names the token and the kind of PIN.
void remember_refused(const std::string& owner, const SecretBytes& pin);

/// was_refused says whether the token has refused this PIN before.
bool was_refused(const std::string& owner, const SecretBytes& pin);

/// forget_refused is for a PIN that has been set anew and so is right now.
void forget_refused(const std::string& owner, const SecretBytes& pin);

}  // namespace p11mime::token
