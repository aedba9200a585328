// Any input is a PKCS#12 file, with the password of those in the corpus, or refused with an Error.

#include "cms/pkcs12.h"
#include "mime/error.h"

using namespace p11mime;

extern "C" int LLVMFuzzerTestOneInput(const Byte* data, std::size_t size) {
    try {
        const auto file = cms::Pkcs12File::from_bytes(SecretBytes(ByteView(data, size)));
        (void)file.open(SecretBytes(bytes_of("password")));
    } catch (const Error&) {
    }
    return 0;
}
