#include "trainer/kernels/loops.h"

namespace casvit::trainer::kernels {

const Loops& loops() {
#if defined(__x86_64__)
  static const bool kHasAvx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (kHasAvx2) {
    return avx2::kLoops;
  }
#endif
  return baseline::kLoops;
}

}  // namespace casvit::trainer::kernels
