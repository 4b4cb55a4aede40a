#include "dataio/image/resample_coefficients.h"

#include <algorithm>
#include <cmath>

namespace casvit::dataio {
namespace {

double bilinear(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

/// Bicubic convolution with a = -0.5. The order of operations is Pillow's: it decides the last bit.
double bicubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0.0;
}

std::int32_t to_fixed_point(double weight) {
  constexpr double kOne = 1 << kPrecisionBits;
  return static_cast<std::int32_t>(weight < 0 ? -0.5 + weight * kOne : 0.5 + weight * kOne);
}

}  // namespace

ResampleCoefficients resample_coefficients(int input_size, float begin, float end, int output_size,
                                           Interpolation interpolation) {
  const bool cubic = interpolation == Interpolation::kBicubic;
  const double scale = static_cast<double>(end - begin) / output_size;
  const double filter_scale = std::max(scale, 1.0);
  const double support = (cubic ? 2.0 : 1.0) * filter_scale;
  const double inverse_filter_scale = 1.0 / filter_scale;
  const int taps = static_cast<int>(std::ceil(support)) * 2 + 1;

  ResampleCoefficients result;
  result.stride = (taps + kTapGroup - 1) / kTapGroup * kTapGroup;
  result.first.resize(static_cast<std::size_t>(output_size));
  result.count.resize(static_cast<std::size_t>(output_size));
  result.weights.resize(static_cast<std::size_t>(output_size) *
                        static_cast<std::size_t>(result.stride));
  std::vector<double> weights(static_cast<std::size_t>(taps));
  for (int i = 0; i < output_size; ++i) {
    const double center = begin + (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(std::floor(center - support + 0.5)), 0);
    const int last = std::min(static_cast<int>(std::floor(center + support + 0.5)), input_size);
    const int count = last - first;
    double sum = 0.0;
    for (int k = 0; k < count; ++k) {
      const double x = (k + first - center + 0.5) * inverse_filter_scale;
      const double weight = cubic ? bicubic(x) : bilinear(x);
      weights[static_cast<std::size_t>(k)] = weight;
      sum += weight;
    }
    std::int32_t* row = result.weights.data() +
                        static_cast<std::size_t>(i) * static_cast<std::size_t>(result.stride);
    for (int k = 0; k < count; ++k) {
      const double weight = weights[static_cast<std::size_t>(k)];
      row[k] = to_fixed_point(sum != 0.0 ? weight / sum : weight);
    }
    result.first[static_cast<std::size_t>(i)] = first;
    result.count[static_cast<std::size_t>(i)] = count;
  }
  return result;
}

}  // namespace casvit::dataio
