#pragma once

#include "cms/algorithms.h"
#include "cms/secret.h"
#include "mime/stream.h"

namespace p11mime::cms {

/// Hmac computes HMAC (RFC 2104) of what it is pushed.
class Hmac final : public Sink {
  public:
    Hmac(Hash hash, const SecretBytes& key);
    void push(ByteView bytes) override;

    /// matches says, once and at the end, in constant time whether a code is that of what was pushed.
    bool matches(ByteView code);

  private:
    Handle<EVP_MAC_CTX, EVP_MAC_CTX_free> context_;
};

}  // namespace p11mime::cms
