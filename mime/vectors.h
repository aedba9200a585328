#pragma once

// What a file needs that has Highway compile it for several sets of vector instructions, besides HWY_TARGET_INCLUDE and
// <hwy/foreach_target.h>. Highway's own choice between them at run time is in its shared library, which takes 3 ms to
// load, since it measures the machine's clock first; so only its headers are used.
#define HWY_IS_DEBUG_BUILD 0  // failed assertions call the shared library

#include <initializer_list>
#include <vector>

namespace p11mime::mime {

/// Vectors are sets of instructions as Highway names them (its targets); each includes those after it. `baseline` is
/// what every machine of the architecture has.
enum class Vectors { avx3, avx2, sse4, ssse3, baseline };

/// has says whether this machine has them.
bool has(Vectors vectors);

/// Version is what was compiled of a function for some vectors; null where nothing was.
template <class Function>
struct Version {
    Vectors vectors;
    Function* function;
};

/// runnable gives the versions that this machine can run, the fastest first; there is at least one.
template <class Function>
std::vector<Function*> runnable(std::initializer_list<Version<Function>> versions) {
    std::vector<Function*> functions;
    for (const Version<Function>& version : versions)
        if (version.function != nullptr && has(version.vectors)) functions.push_back(version.function);
    return functions;
}

}  // namespace p11mime::mime

/// P11MIME_VERSIONS lists the versions of a function for runnable().
#if defined(__x86_64__) || defined(__i386__)
#define P11MIME_VERSIONS(function)                                                                    \
    {                                                                                                 \
        {Vectors::avx3, HWY_CHOOSE_AVX3(function)}, {Vectors::avx2, HWY_CHOOSE_AVX2(function)},       \
            {Vectors::sse4, HWY_CHOOSE_SSE4(function)}, {Vectors::ssse3, HWY_CHOOSE_SSSE3(function)}, \
            {Vectors::baseline, HWY_CHOOSE_FALLBACK(function)},                                       \
    }
#else
#define P11MIME_VERSIONS(function) \
    { {Vectors::baseline, &HWY_STATIC_DISPATCH(function)}, }
#endif
