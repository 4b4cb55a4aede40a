// Compiled with AVX2 and FMA; called only where loops() found both.
#if defined(__x86_64__)
#define CASVIT_LOOPS_NAMESPACE avx2
#include "trainer/kernels/loops_body.inc"
#endif
