// Any bytes as SMIMECapabilities; and as a time in text.
#include <cstdlib>

#include "cms/certificate.h"
#include "cms/smime/capabilities.h"

using namespace p11mime;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const auto capabilities = cms::smime::parse_capabilities({data, size});
    for (const cms::Algorithm* cipher : capabilities.ciphers)
        if (cms::smime::content_cipher(cipher->name) != cipher) std::abort();
    if (const auto time = cms::parse_time(text_of({data, size})))
        if (cms::parse_time(cms::format_time(*time)) != time) std::abort();
    return 0;
}
