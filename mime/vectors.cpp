#include "mime/vectors.h"

namespace p11mime::mime {

bool has(Vectors vectors) {
#if defined(__x86_64__) || defined(__i386__)
    // As Highway compiles for each; F16C, which clang 14 cannot ask for, came before AVX2.
    switch (vectors) {
        case Vectors::avx3:
            return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") && has(Vectors::avx2);
        case Vectors::avx2:
            return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
                   __builtin_cpu_supports("fma") && has(Vectors::sse4);
        case Vectors::sse4:
            return __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("sse4.2") &&
                   __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("aes") && has(Vectors::ssse3);
        case Vectors::ssse3:
            return __builtin_cpu_supports("ssse3");
        case Vectors::baseline:
            break;
    }
    return true;
#else
    return vectors == Vectors::baseline;
#endif
}

}  // namespace p11mime::mime
