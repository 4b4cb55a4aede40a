#pragma once

#include "dataio/image/jpeg/idct.h"
#include "dataio/image/jpeg/row_kernels.h"

namespace casvit::dataio::jpeg {

/// The loops over samples of a decoder; all choices give the same bits.
struct Kernels {
  InverseDct inverse_dct = nullptr;
  const RowKernels* rows = nullptr;
};

const Kernels& portable_kernels();

/// The fastest that this processor runs (AVX2 where there is one).
const Kernels& fastest_kernels();

}  // namespace casvit::dataio::jpeg
