// Any certificates as a chain whose names are held against constraints, and what kind each of them is.
#include <cstdlib>

#include "cms/certificate_class.h"
#include "cms/name_constraints.h"
#include "cms/path_rules.h"
#include "mime/error.h"

using namespace p11mime;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    try {
        const auto chain = cms::Certificate::from_file_bytes({data, size});
        const auto breach = cms::name_breach(chain);
        if (breach && (breach->at >= breach->above || breach->above >= chain.size())) std::abort();
        for (const cms::Certificate& each : chain) {
            cms::classify(each, {});
            cms::unhandled_extension(each);
            cms::has_internationalized_mailbox(each);
        }
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) std::abort();
    }
    return 0;
}
