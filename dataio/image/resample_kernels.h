#pragma once

#include <cstddef>
#include <cstdint>

#include "dataio/image/resample_coefficients.h"

namespace casvit::dataio {

/// Bytes behind a row of pixels that a horizontal kernel may read (and ignores).
inline constexpr std::size_t kReadAhead = 16;

/// The inner loops of a resize of RGB bytes. All implementations give the same bits.
struct ResampleKernels {
  /// `rows` rows, `stride` bytes apart, are resampled along x. kReadAhead bytes behind the last row
  /// must be readable. `out` is `[rows, outputs, 3]`.
  void (*horizontal)(const std::uint8_t* in, std::size_t stride, int rows,
                     const ResampleCoefficients& coefficients, std::uint8_t* out);
  /// `row_bytes` bytes of one output row from `count` input rows, `stride` bytes apart. `weights`
  /// are readable (and zero) up to the next multiple of kTapGroup.
  void (*vertical)(const std::uint8_t* in, std::size_t stride, std::size_t row_bytes,
                   const std::int32_t* weights, int count, std::uint8_t* out);
};

/// Plain loops for any processor.
const ResampleKernels& portable_resample_kernels();

/// The fastest that this processor runs (AVX2 where there is one).
const ResampleKernels& resample_kernels();

}  // namespace casvit::dataio
