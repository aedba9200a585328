#include "cms/legacy_provider.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include "mime/error.h"

namespace p11mime::cms {

LegacyProvider::LegacyProvider(std::string_view algorithm)
    : context_(OSSL_LIB_CTX_new()), provider_(context_ ? OSSL_PROVIDER_load(context_.get(), "legacy") : nullptr) {
    if (provider_) return;
    ERR_clear_error();
    throw Error(
        ErrorKind::malformed,
        fmt::format("unsupported algorithm {}: OpenSSL's legacy provider, which has it, cannot be loaded", algorithm),
        "install the provider (legacy.so) with OpenSSL, or point OPENSSL_MODULES at it");
}

}  // namespace p11mime::cms
