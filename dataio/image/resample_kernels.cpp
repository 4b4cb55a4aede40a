#include "dataio/image/resample_kernels.h"

#include <algorithm>

namespace casvit::dataio {
namespace {

constexpr std::int32_t kHalf = 1 << (kPrecisionBits - 1);

std::uint8_t clip8(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

/// Output pixel `x` of one row.
void horizontal_pixel(const std::uint8_t* row, const ResampleCoefficients& coefficients, int x,
                      int first_column, std::uint8_t* out) {
  const std::int32_t* weights = coefficients.row(x);
  const auto index = static_cast<std::size_t>(x);
  const std::uint8_t* pixel =
      row + static_cast<std::ptrdiff_t>(coefficients.first[index] - first_column) * 3;
  std::int32_t red = kHalf;
  std::int32_t green = kHalf;
  std::int32_t blue = kHalf;
  for (int k = 0; k < coefficients.count[index]; ++k, pixel += 3) {
    red += pixel[0] * weights[k];
    green += pixel[1] * weights[k];
    blue += pixel[2] * weights[k];
  }
  out[0] = clip8(red);
  out[1] = clip8(green);
  out[2] = clip8(blue);
}

void horizontal_portable(const PixelRows& in, int first_column,
                         const ResampleCoefficients& coefficients, std::uint8_t* out,
                         std::vector<std::uint8_t>& /*scratch*/) {
  const std::uint8_t* row = in.first;
  for (int y = 0; y < in.rows; ++y, row += in.stride) {
    std::uint8_t* pixel = out;
    for (int x = 0; x < coefficients.outputs(); ++x, pixel += 3) {
      horizontal_pixel(row, coefficients, x, first_column, pixel);
    }
    out += padded_row_bytes(coefficients.outputs());
  }
}

void vertical_portable(const std::uint8_t* in, std::size_t stride, std::size_t row_bytes,
                       const ResampleCoefficients& coefficients, int y, std::uint8_t* out) {
  constexpr std::size_t kBlock = 256;  // sums stay in the first-level cache
  std::int32_t sums[kBlock];
  const std::int32_t* weights = coefficients.row(y);
  const int count = coefficients.count[static_cast<std::size_t>(y)];
  for (std::size_t begin = 0; begin < row_bytes; begin += kBlock) {
    const std::size_t size = std::min(kBlock, row_bytes - begin);
    std::fill_n(sums, size, kHalf);
    const std::uint8_t* row = in + begin;
    for (int k = 0; k < count; ++k, row += stride) {
      const std::int32_t weight = weights[k];
      for (std::size_t i = 0; i < size; ++i) sums[i] += row[i] * weight;
    }
    for (std::size_t i = 0; i < size; ++i) out[begin + i] = clip8(sums[i]);
  }
}

constexpr ResampleKernels kPortableKernels = {horizontal_portable, vertical_portable};

}  // namespace

const ResampleKernels& portable_resample_kernels() { return kPortableKernels; }

const ResampleKernels& resample_kernels() {
#if defined(__x86_64__)
  static const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;
  if (kHasAvx2) return *avx2_resample_kernels();
#endif
  return kPortableKernels;
}

}  // namespace casvit::dataio
