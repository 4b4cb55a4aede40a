#include "dataio/image/resample_coefficients.h"

#include <algorithm>
#include <cmath>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

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

/// Weights are worked out in groups of this many.
constexpr int kGroup = 4;

/// What the weights of one output depend on.
struct Taps {
  double center = 0;
  double inverse_filter_scale = 0;
  int first = 0;
  int count = 0;
  bool cubic = false;
};

/// Writes the `stride` weights of one output, those beyond the count zero. @param exact room for
/// `stride`
using Weigh = void (*)(const Taps& taps, int stride, double* exact, std::int32_t* weights,
                       WeightPair* pairs);

void weigh_portable(const Taps& taps, int stride, double* exact, std::int32_t* weights,
                    WeightPair* pairs) {
  double sum = 0.0;
  for (int k = 0; k < taps.count; ++k) {
    const double x = (k + taps.first - taps.center + 0.5) * taps.inverse_filter_scale;
    exact[k] = taps.cubic ? bicubic(x) : bilinear(x);
    sum += exact[k];
  }
  for (int k = 0; k < stride; ++k) {
    weights[k] = 0;
    if (k < taps.count) weights[k] = to_fixed_point(sum != 0.0 ? exact[k] / sum : exact[k]);
  }
  for (int k = 0; k < stride; k += 2) pairs[k / 2] = split(weights[k], weights[k + 1]);
}

#if defined(__x86_64__)

#define CASVIT_AVX2 __attribute__((target("avx2")))

CASVIT_AVX2 inline __m256d number(double value) { return _mm256_set1_pd(value); }

CASVIT_AVX2 inline __m256d is_below(__m256d a, double b) {
  return _mm256_cmp_pd(a, number(b), _CMP_LT_OQ);
}

/// `bicubic` or `bilinear` of four numbers, with the same operations in the same order.
CASVIT_AVX2 inline __m256d filter(__m256d x, bool cubic) {
  x = _mm256_andnot_pd(number(-0.0), x);
  const __m256d inner = is_below(x, 1.0);
  if (!cubic) return _mm256_and_pd(inner, _mm256_sub_pd(number(1.0), x));
  __m256d near = _mm256_sub_pd(_mm256_mul_pd(number(1.5), x), number(2.5));
  near = _mm256_add_pd(_mm256_mul_pd(_mm256_mul_pd(near, x), x), number(1.0));
  __m256d far = _mm256_add_pd(_mm256_mul_pd(_mm256_sub_pd(x, number(5.0)), x), number(8.0));
  far = _mm256_mul_pd(_mm256_sub_pd(_mm256_mul_pd(far, x), number(4.0)), number(-0.5));
  return _mm256_blendv_pd(_mm256_and_pd(is_below(x, 2.0), far), near, inner);
}

CASVIT_AVX2 void weigh_avx2(const Taps& taps, int stride, double* exact, std::int32_t* weights,
                            WeightPair* pairs) {
  double sum = 0.0;
  for (int k = 0; k < taps.count; k += kGroup) {
    const __m128i places =
        _mm_add_epi32(_mm_set1_epi32(k + taps.first), _mm_setr_epi32(0, 1, 2, 3));
    __m256d x = _mm256_sub_pd(_mm256_cvtepi32_pd(places), number(taps.center));
    x = _mm256_add_pd(x, number(0.5));
    x = _mm256_mul_pd(x, number(taps.inverse_filter_scale));
    _mm256_storeu_pd(exact + k, filter(x, taps.cubic));
    for (int i = k; i < std::min(k + kGroup, taps.count); ++i) sum += exact[i];
  }
  const __m256d divisor = number(sum != 0.0 ? sum : 1.0);
  for (int k = 0; k < stride; k += kGroup) {
    __m128i fixed = _mm_setzero_si128();
    if (k < taps.count) {
      const __m256d weight = _mm256_div_pd(_mm256_loadu_pd(exact + k), divisor);
      const __m256d half = _mm256_blendv_pd(number(0.5), number(-0.5), is_below(weight, 0.0));
      const __m256d scaled = _mm256_mul_pd(weight, number(1 << kPrecisionBits));
      const __m128i there =
          _mm_cmplt_epi32(_mm_setr_epi32(k, k + 1, k + 2, k + 3), _mm_set1_epi32(taps.count));
      fixed = _mm_and_si128(_mm256_cvttpd_epi32(_mm256_add_pd(half, scaled)), there);
    }
    _mm_storeu_si128(reinterpret_cast<__m128i*>(weights + k), fixed);
    const __m128i high = _mm_srai_epi32(fixed, kLowBits);
    const __m128i low = _mm_and_si128(fixed, _mm_set1_epi32((1 << kLowBits) - 1));
    // High 0 1 2 3, low 0 1 2 3 become two pairs.
    const __m128i both = _mm_shuffle_epi32(_mm_packs_epi32(high, low), _MM_SHUFFLE(3, 1, 2, 0));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(pairs + k / 2), both);
  }
}

#endif

void work_out(const ResampleAxis& axis, Interpolation interpolation, Weigh weigh,
              ResampleCoefficients& result) {
  const bool cubic = interpolation == Interpolation::kBicubic;
  const double scale = static_cast<double>(axis.end - axis.begin) / axis.output_size;
  const double filter_scale = std::max(scale, 1.0);
  const double support = (cubic ? 2.0 : 1.0) * filter_scale;
  const int taps = static_cast<int>(std::ceil(support)) * 2 + 1;

  const auto outputs = static_cast<std::size_t>(axis.outputs);
  result.stride = (taps + kGroup - 1) / kGroup * kGroup;
  const auto stride = static_cast<std::size_t>(result.stride);
  result.first.resize(outputs);
  result.count.resize(outputs);
  result.weights.resize(outputs * stride);
  result.pairs.resize(outputs * stride / 2);
  result.exact.resize(stride);
  for (int i = 0; i < axis.outputs; ++i) {
    const double center = axis.begin + (axis.first_output + i + 0.5) * scale;
    const int first = std::max(floor_to_int(center - support + 0.5), 0);
    const int last = std::min(floor_to_int(center + support + 0.5), axis.input_size);
    const auto at = static_cast<std::size_t>(axis.mirrored ? axis.outputs - 1 - i : i);
    result.first[at] = first;
    result.count[at] = last - first;
    weigh({center, 1.0 / filter_scale, first, last - first, cubic}, result.stride,
          result.exact.data(), result.weights.data() + at * stride,
          result.pairs.data() + at * stride / 2);
  }
}

}  // namespace

int ResampleCoefficients::begin() const { return *std::min_element(first.begin(), first.end()); }

int ResampleCoefficients::end() const {
  int last = 0;
  for (std::size_t i = 0; i < first.size(); ++i) last = std::max(last, first[i] + count[i]);
  return last;
}

void resample_coefficients_portable(const ResampleAxis& axis, Interpolation interpolation,
                                    ResampleCoefficients& result) {
  work_out(axis, interpolation, weigh_portable, result);
}

void resample_coefficients(const ResampleAxis& axis, Interpolation interpolation,
                           ResampleCoefficients& result) {
#if defined(__x86_64__)
  static const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;
  if (kHasAvx2) return work_out(axis, interpolation, weigh_avx2, result);
#endif
  work_out(axis, interpolation, weigh_portable, result);
}

}  // namespace casvit::dataio
