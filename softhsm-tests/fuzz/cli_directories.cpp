// Any text as what libcurl makes of a directory's answer.
#include <cstdlib>

#include "cli/directories.h"

using namespace p11mime;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    if (cli::read_search(text_of({data, size})).size() > cli::kMaxFound) std::abort();
    return 0;
}
