#pragma once

#include <cstdint>
#include <vector>

#include "dataio/image/resize.h"

namespace casvit::dataio {

/// Fraction bits of a coefficient: 32 less 8 of the result less 2 for overshoot (Resample.c).
inline constexpr int kPrecisionBits = 32 - 8 - 2;

/// One direction of a resize: output i is the sum over k < count[i] of
/// `weights[i * stride + k] * input[first[i] + k]`, in fixed point; weights beyond count[i] are
/// zero.
struct ResampleCoefficients {
  std::vector<int> first;
  std::vector<int> count;
  std::vector<std::int32_t> weights;
  int stride = 0;  ///< a multiple of kTapGroup

  int outputs() const { return static_cast<int>(first.size()); }
  const std::int32_t* row(int output) const {
    return weights.data() + static_cast<std::size_t>(output) * static_cast<std::size_t>(stride);
  }
};

/// Kernels take taps in groups of this many.
inline constexpr int kTapGroup = 4;

/// The part [begin, end) of `input_size` pixels resampled to `output_size`, equal to Pillow's
/// precompute_coeffs and normalize_coeffs_8bpc (float32 box, float64 weights).
ResampleCoefficients resample_coefficients(int input_size, float begin, float end, int output_size,
                                           Interpolation interpolation);

}  // namespace casvit::dataio
