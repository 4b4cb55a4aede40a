#include "dataio/image/jpeg/kernels.h"

namespace casvit::dataio::jpeg {

const Kernels& portable_kernels() {
  static const Kernels kKernels = {inverse_dct_portable, &portable_row_kernels()};
  return kKernels;
}

const Kernels& fastest_kernels() {
#if defined(__x86_64__)
  static const Kernels kAvx2 = {inverse_dct_avx2, &avx2_row_kernels()};
  static const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;
  if (kHasAvx2) return kAvx2;
#endif
  return portable_kernels();
}

}  // namespace casvit::dataio::jpeg
