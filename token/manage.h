#pragma once

#include <string>

#include "token/core.h"

namespace p11mime::token {

/// generate_key makes a key pair on the token: private, sensitive and not extractable, both halves with the same label
/// and id (20 random bytes where empty). Throws Error(token), also where the id is taken.
KeyObject generate_key(TokenCore& core, KeySpec spec, const std::string& label, Bytes id, cms::Profile profile);

/// random_bytes for ids and initialisation vectors.
Bytes random_bytes(std::size_t size);

/// certificate_template is a certificate as an object on a token; is_stored says whether it is there with this id.
Template certificate_template(const cms::Certificate& certificate, const std::string& label, const Bytes& id);
bool is_stored(TokenCore& core, const cms::Certificate& certificate, const Bytes& id);

/// store_certificate writes a certificate to the token with the id given, or else with that of the private key that it
/// belongs to; Error(token) where there is none. One that is there already stays as it is.
void store_certificate(TokenCore& core, const cms::Certificate& certificate, const std::string& label, Bytes id);

}  // namespace p11mime::token
