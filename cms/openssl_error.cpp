#include "cms/openssl_error.h"

#include <fmt/format.h>
#include <openssl/err.h>

namespace p11mime::cms {

std::string openssl_reason() {
    const unsigned long code = ERR_peek_last_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    std::string text = reason == nullptr ? "unknown reason" : reason;
    ERR_clear_error();
    return text;
}

void require(bool ok, const char* what, ErrorKind kind) {
    if (!ok) throw Error(kind, fmt::format("{}: {}", what, openssl_reason()));
}

}  // namespace p11mime::cms
