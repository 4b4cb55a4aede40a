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

/// floor(x), for x within int.
int floor_to_int(double x) {
  const int whole = static_cast<int>(x);
  return whole - (static_cast<double>(whole) > x ? 1 : 0);
}

WeightPair split(std::int32_t first, std::int32_t second) {
  const auto pack = [](std::int32_t low, std::int32_t high) {
    return static_cast<std::int32_t>((static_cast<std::uint32_t>(low) & 0xFFFFU) |
                                     (static_cast<std::uint32_t>(high) << 16));
  };
  constexpr std::int32_t kLowMask = (1 << kLowBits) - 1;
  return {pack(first >> kLowBits, second >> kLowBits), pack(first & kLowMask, second & kLowMask)};
}

}  // namespace

int ResampleCoefficients::begin() const { return *std::min_element(first.begin(), first.end()); }

int ResampleCoefficients::end() const {
  int last = 0;
  for (std::size_t i = 0; i < first.size(); ++i) last = std::max(last, first[i] + count[i]);
  return last;
}

void resample_coefficients(const ResampleAxis& axis, Interpolation interpolation,
                           ResampleCoefficients& result) {
  const bool cubic = interpolation == Interpolation::kBicubic;
  const double scale = static_cast<double>(axis.end - axis.begin) / axis.output_size;
  const double filter_scale = std::max(scale, 1.0);
  const double support = (cubic ? 2.0 : 1.0) * filter_scale;
  const double inverse_filter_scale = 1.0 / filter_scale;
  const int taps = static_cast<int>(std::ceil(support)) * 2 + 1;

  const auto outputs = static_cast<std::size_t>(axis.outputs);
  result.stride = (taps + 1) / 2 * 2;
  const auto stride = static_cast<std::size_t>(result.stride);
  result.first.resize(outputs);
  result.count.resize(outputs);
  result.weights.assign(outputs * stride, 0);
  result.pairs.resize(outputs * stride / 2);
  std::vector<double>& weights = result.exact;
  weights.resize(static_cast<std::size_t>(taps));
  for (int i = 0; i < axis.outputs; ++i) {
    const double center = axis.begin + (axis.first_output + i + 0.5) * scale;
    const int first = std::max(floor_to_int(center - support + 0.5), 0);
    const int last = std::min(floor_to_int(center + support + 0.5), axis.input_size);
    const auto count = static_cast<std::size_t>(last - first);
    double sum = 0.0;
    for (std::size_t k = 0; k < count; ++k) {
      const double x = (static_cast<int>(k) + first - center + 0.5) * inverse_filter_scale;
      weights[k] = cubic ? bicubic(x) : bilinear(x);
      sum += weights[k];
    }
    const auto at = static_cast<std::size_t>(axis.mirrored ? axis.outputs - 1 - i : i);
    std::int32_t* row = result.weights.data() + at * stride;
    for (std::size_t k = 0; k < count; ++k) {
      row[k] = to_fixed_point(sum != 0.0 ? weights[k] / sum : weights[k]);
    }
    WeightPair* pairs = result.pairs.data() + at * stride / 2;
    for (std::size_t k = 0; k < stride / 2; ++k) pairs[k] = split(row[2 * k], row[2 * k + 1]);
    result.first[at] = first;
    result.count[at] = last - first;
  }
}

}  // namespace casvit::dataio
