// A PKCS#11 URI either is refused with Error(usage) or prints as one that reads back as the same.

#include <cstdint>
#include <cstdlib>

#include "mime/error.h"
#include "token/uri.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using p11mime::token::Uri;
    try {
        const Uri uri = Uri::parse({reinterpret_cast<const char*>(data), size});
        const std::string text = uri.to_string();
        const Uri again = Uri::parse(text);
        if (again.to_string() != text || again.id != uri.id || again.token != uri.token) std::abort();
        static_cast<void>(uri.matches(p11mime::token::TokenInfo{}));
    } catch (const p11mime::Error& error) {
        if (error.kind() != p11mime::ErrorKind::usage) std::abort();
    }
    return 0;
}
