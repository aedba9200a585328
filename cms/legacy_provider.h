#pragma once

#include <openssl/crypto.h>
#include <openssl/provider.h>

#include <string_view>

#include "cms/handle.h"

namespace p11mime::cms {

/// LegacyProvider is OpenSSL's legacy provider in a library context of its own, loaded for the one mail that needs it:
/// nothing else of the program gets at its algorithms. What is fetched from it must not outlive it.
class LegacyProvider {
  public:
    /// Throws Error(malformed) "unsupported algorithm NAME" where this machine has no such provider.
    explicit LegacyProvider(std::string_view algorithm);
    OSSL_LIB_CTX* context() const { return context_.get(); }

  private:
    Handle<OSSL_LIB_CTX, OSSL_LIB_CTX_free> context_;
    Handle<OSSL_PROVIDER, OSSL_PROVIDER_unload> provider_;
};

}  // namespace p11mime::cms
