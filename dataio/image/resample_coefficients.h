#pragma once

#include <cstdint>
#include <vector>

#include "dataio/image/resize.h"

namespace casvit::dataio {

/// Fraction bits of a coefficient: 32 less 8 of the result less 2 for overshoot (Resample.c).
inline constexpr int kPrecisionBits = 32 - 8 - 2;

/// Note "Exact sums from 16-bit products": a weight w is split into w = high * 2^15 + low with low
/// in [0, 2^15). Both halves fit 16 bits signed, so that one instruction multiplies pixels with
/// them and adds pairs, twice as many products as 32-bit multiplies give. The sum is
/// (sum(high * p) << 15) + sum(low * p), modulo 2^32, like the plain loop's: the same bits.
inline constexpr int kLowBits = 15;

/// Two neighbouring weights, the first in the lower 16 bits.
struct WeightPair {
  std::int32_t high = 0;
  std::int32_t low = 0;
};

/// One direction of a resize: output i is the sum over k < count[i] of
/// `weights[i * stride + k] * input[first[i] + k]`, in fixed point; weights beyond count[i] are
/// zero.
struct ResampleCoefficients {
  std::vector<int> first;
  std::vector<int> count;
  std::vector<std::int32_t> weights;
  std::vector<WeightPair> pairs;  ///< the same weights: pair i * stride / 2 + k / 2
  int stride = 0;                 ///< a multiple of four
  std::vector<double> exact;      ///< working memory of resample_coefficients

  int outputs() const { return static_cast<int>(first.size()); }
  const std::int32_t* row(int output) const {
    return weights.data() + static_cast<std::size_t>(output) * static_cast<std::size_t>(stride);
  }
  const WeightPair* pair_row(int output) const {
    return pairs.data() + static_cast<std::size_t>(output) * static_cast<std::size_t>(stride / 2);
  }
  /// Inputs [begin, end) that some output reads.
  int begin() const;
  int end() const;
};

/// One side of a resize: the part [begin, end) of `input_size` pixels to `output_size`, of which
/// `outputs` from `first_output` on are wanted.
struct ResampleAxis {
  int input_size = 0;
  float begin = 0;
  float end = 0;
  int output_size = 0;
  int first_output = 0;
  int outputs = 0;
  bool mirrored = false;  ///< wanted outputs come last first
};

/// Coefficients equal to Pillow's precompute_coeffs and normalize_coeffs_8bpc (float32 box, float64
/// weights). @param result its memory is reused
void resample_coefficients(const ResampleAxis& axis, Interpolation interpolation,
                           ResampleCoefficients& result);
/// The same, by plain loops for any processor.
void resample_coefficients_portable(const ResampleAxis& axis, Interpolation interpolation,
                                    ResampleCoefficients& result);

}  // namespace casvit::dataio
