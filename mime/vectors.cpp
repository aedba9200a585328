#include "mime/vectors.h"

#if defined(__x86_64__) || defined(__i386__)
#ifdef __clang__
#define _Bool bool  // NOLINT(bugprone-reserved-identifier): the header has it of C, and clang not in C++
#endif
#include <sys/platform/x86.h>
#endif

namespace p11mime::mime {

bool has(Vectors vectors) {
#if defined(__x86_64__) || defined(__i386__)
    // As Highway compiles for each; F16C, which clang 14 cannot ask for, came before AVX2. The C library has asked the
    // processor already, which in a virtual machine costs each process time that does.
    switch (vectors) {
        case Vectors::avx3:
            return CPU_FEATURE_ACTIVE(AVX512F) && CPU_FEATURE_ACTIVE(AVX512VL) && CPU_FEATURE_ACTIVE(AVX512DQ) &&
                   CPU_FEATURE_ACTIVE(AVX512BW) && has(Vectors::avx2);
        case Vectors::avx2:
            return CPU_FEATURE_ACTIVE(AVX2) && CPU_FEATURE_ACTIVE(BMI1) && CPU_FEATURE_ACTIVE(BMI2) &&
                   CPU_FEATURE_ACTIVE(FMA) && has(Vectors::sse4);
        case Vectors::sse4:
            return CPU_FEATURE_ACTIVE(SSE4_1) && CPU_FEATURE_ACTIVE(SSE4_2) && CPU_FEATURE_ACTIVE(PCLMULQDQ) &&
                   CPU_FEATURE_ACTIVE(AES) && has(Vectors::ssse3);
        case Vectors::ssse3:
            return CPU_FEATURE_ACTIVE(SSSE3);
        case Vectors::baseline:
            break;
    }
    return true;
#else
    return vectors == Vectors::baseline;
#endif
}

}  // namespace p11mime::mime
