#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataio/image/resample_coefficients.h"

namespace casvit::dataio {

/// Rows of pixels one below the other.
struct PixelRows {
  const std::uint8_t* first = nullptr;
  std::size_t stride = 0;  ///< bytes from one row to the next
  int rows = 0;
  int width = 0;  ///< pixels
};

/// Row strides of results are multiples of this, so that kernels may write whole vectors.
inline constexpr std::size_t kRowAlignment = 32;

inline std::size_t padded_row_bytes(int width) {
  return (static_cast<std::size_t>(width) * 3 + kRowAlignment - 1) / kRowAlignment * kRowAlignment;
}

/// The inner loops of a resize of RGB bytes. All implementations give the same bits.
struct ResampleKernels {
  /// Resamples along x: pixel 0 of `in` is pixel `first_column` of what the coefficients refer to.
  /// @param out `[rows, outputs, 3]`, rows padded_row_bytes(outputs) apart
  /// @param scratch reused from call to call
  void (*horizontal)(const PixelRows& in, int first_column,
                     const ResampleCoefficients& coefficients, std::uint8_t* out,
                     std::vector<std::uint8_t>& scratch);
  /// `row_bytes` bytes of output row `y`; `in` is the first of its input rows, `stride` bytes
  /// apart.
  void (*vertical)(const std::uint8_t* in, std::size_t stride, std::size_t row_bytes,
                   const ResampleCoefficients& coefficients, int y, std::uint8_t* out);
};

/// Plain loops for any processor.
const ResampleKernels& portable_resample_kernels();

/// For processors with AVX2; null where this program was not built for x86-64.
const ResampleKernels* avx2_resample_kernels();

/// The fastest that this processor runs.
const ResampleKernels& resample_kernels();

}  // namespace casvit::dataio
