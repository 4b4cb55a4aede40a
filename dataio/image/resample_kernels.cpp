#include "dataio/image/resample_kernels.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace casvit::dataio {
namespace {

constexpr std::int32_t kHalf = 1 << (kPrecisionBits - 1);

std::uint8_t clip8(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

/// Output pixel `x` of one row.
void horizontal_pixel(const std::uint8_t* row, const ResampleCoefficients& coefficients, int x,
                      std::uint8_t* out) {
  const std::int32_t* weights = coefficients.row(x);
  const auto index = static_cast<std::size_t>(x);
  const std::uint8_t* pixel = row + static_cast<std::ptrdiff_t>(coefficients.first[index]) * 3;
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

void horizontal_portable(const std::uint8_t* in, std::size_t stride, int rows,
                         const ResampleCoefficients& coefficients, std::uint8_t* out) {
  for (int y = 0; y < rows; ++y, in += stride) {
    for (int x = 0; x < coefficients.outputs(); ++x, out += 3) {
      horizontal_pixel(in, coefficients, x, out);
    }
  }
}

void vertical_portable(const std::uint8_t* in, std::size_t stride, std::size_t row_bytes,
                       const std::int32_t* weights, int count, std::uint8_t* out) {
  constexpr std::size_t kBlock = 256;  // sums stay in the first-level cache
  std::int32_t sums[kBlock];
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

#if defined(__x86_64__)

// Note "Exact sums from 16-bit products": a weight w is split into w = high * 2^15 + low with low
// in [0, 2^15). Both halves fit 16 bits signed, so that pmaddwd multiplies pixels with them and
// adds pairs, twice as many products an instruction as 32-bit multiplies give. The sum is (sum(high
// * p) << 15) + sum(low * p), modulo 2^32, like the plain loop's: the same bits.
constexpr int kLowBits = 15;

#define CASVIT_AVX2 __attribute__((target("avx2")))

struct SplitSums {
  __m256i high;
  __m256i low;
};

CASVIT_AVX2 inline __m256i combine(const SplitSums& sums) {
  return _mm256_add_epi32(_mm256_slli_epi32(sums.high, kLowBits), sums.low);
}

CASVIT_AVX2 inline void accumulate(SplitSums& sums, __m256i pixels, __m256i high, __m256i low) {
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(pixels, high));
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(pixels, low));
}

/// Four neighbouring pixels as 16-bit pairs: the lower half holds r0 r1 g0 g1 b0 b1 0 0, the upper
/// half pixels 2 and 3 likewise.
CASVIT_AVX2 inline __m256i load_pixels(const std::uint8_t* at) {
  const __m256i spread =
      _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, 6, -1, 9, -1, 7,
                       -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(bytes), spread);
}

/// The halves of four weights, placed as load_pixels places pixels.
struct SplitWeights {
  __m256i high;
  __m256i low;
};

CASVIT_AVX2 inline SplitWeights load_weights(const std::int32_t* at) {
  const __m128i weights = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const __m128i high = _mm_srai_epi32(weights, kLowBits);
  const __m128i low = _mm_and_si128(weights, _mm_set1_epi32((1 << kLowBits) - 1));
  // Packed: high 0 1 2 3, low 0 1 2 3, 16 bits each; a 32-bit element is a pair.
  const __m256i packed = _mm256_broadcastsi128_si256(_mm_packs_epi32(high, low));
  const __m256i pick_high = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
  const __m256i pick_low = _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3);
  return {_mm256_permutevar8x32_epi32(packed, pick_high),
          _mm256_permutevar8x32_epi32(packed, pick_low)};
}

CASVIT_AVX2 inline void store_pixel(const SplitSums& sums, std::uint8_t* out) {
  const __m256i both = combine(sums);
  __m128i sum = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
  sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(kHalf)), kPrecisionBits);
  sum = _mm_packs_epi32(sum, sum);
  const int bytes = _mm_cvtsi128_si32(_mm_packus_epi16(sum, sum));
  std::memcpy(out, &bytes, 3);
}

/// kRows rows at once share the work on weights.
template <int kRows>
CASVIT_AVX2 void horizontal_rows(const std::uint8_t* in, std::size_t stride,
                                 const ResampleCoefficients& coefficients, std::uint8_t* out) {
  const std::size_t out_stride = static_cast<std::size_t>(coefficients.outputs()) * 3;
  for (int x = 0; x < coefficients.outputs(); ++x) {
    const auto index = static_cast<std::size_t>(x);
    const std::uint8_t* pixels = in + static_cast<std::size_t>(coefficients.first[index]) * 3;
    const std::int32_t* weights = coefficients.row(x);
    SplitSums sums[kRows];
    for (SplitSums& sum : sums) sum = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    // Of a last group that is not full, the surplus weights are zero and the surplus pixels are
    // whatever follows in memory.
    for (int k = 0; k < coefficients.count[index]; k += kTapGroup) {
      const SplitWeights split = load_weights(weights + k);
      for (int r = 0; r < kRows; ++r) {
        const std::uint8_t* at = pixels + static_cast<std::size_t>(r) * stride;
        accumulate(sums[r], load_pixels(at + static_cast<std::size_t>(k) * 3), split.high,
                   split.low);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      store_pixel(sums[r], out + static_cast<std::size_t>(r) * out_stride + index * 3);
    }
  }
}

CASVIT_AVX2 void horizontal_avx2(const std::uint8_t* in, std::size_t stride, int rows,
                                 const ResampleCoefficients& coefficients, std::uint8_t* out) {
  constexpr int kRows = 4;
  const std::size_t out_stride = static_cast<std::size_t>(coefficients.outputs()) * 3;
  int y = 0;
  for (; y + kRows <= rows; y += kRows) {
    horizontal_rows<kRows>(in, stride, coefficients, out);
    in += stride * kRows;
    out += out_stride * kRows;
  }
  for (; y < rows; ++y, in += stride, out += out_stride) {
    horizontal_rows<1>(in, stride, coefficients, out);
  }
}

/// 32 bytes of one output row.
CASVIT_AVX2 inline void vertical_block(const std::uint8_t* in, std::size_t stride,
                                       const std::int32_t* weights, int count, std::uint8_t* out) {
  const __m256i zero = _mm256_setzero_si256();
  SplitSums sums[4];
  for (SplitSums& sum : sums) sum = {_mm256_set1_epi32(0), _mm256_set1_epi32(kHalf)};
  for (int k = 0; k < count; k += 2, in += 2 * stride) {
    const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in));
    __m256i second = zero;
    std::int32_t weight = 0;
    if (k + 1 < count) {
      second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in + stride));
      weight = weights[k + 1];
    }
    constexpr std::int32_t kLowMask = (1 << kLowBits) - 1;
    const __m256i high = _mm256_set1_epi32(
        ((weights[k] >> kLowBits) & 0xFFFF) |
        static_cast<std::int32_t>(static_cast<std::uint32_t>(weight >> kLowBits) << 16));
    const __m256i low = _mm256_set1_epi32((weights[k] & kLowMask) | ((weight & kLowMask) << 16));
    const __m256i pairs_low = _mm256_unpacklo_epi8(first, second);
    const __m256i pairs_high = _mm256_unpackhi_epi8(first, second);
    accumulate(sums[0], _mm256_unpacklo_epi8(pairs_low, zero), high, low);
    accumulate(sums[1], _mm256_unpackhi_epi8(pairs_low, zero), high, low);
    accumulate(sums[2], _mm256_unpacklo_epi8(pairs_high, zero), high, low);
    accumulate(sums[3], _mm256_unpackhi_epi8(pairs_high, zero), high, low);
  }
  __m256i words[4];
  for (int i = 0; i < 4; ++i) words[i] = _mm256_srai_epi32(combine(sums[i]), kPrecisionBits);
  // The packs undo the order that the unpacks made, each within its half.
  const __m256i low_words = _mm256_packs_epi32(words[0], words[1]);
  const __m256i high_words = _mm256_packs_epi32(words[2], words[3]);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_packus_epi16(low_words, high_words));
}

CASVIT_AVX2 void vertical_avx2(const std::uint8_t* in, std::size_t stride, std::size_t row_bytes,
                               const std::int32_t* weights, int count, std::uint8_t* out) {
  constexpr std::size_t kBlock = 32;
  if (row_bytes < kBlock) return vertical_portable(in, stride, row_bytes, weights, count, out);
  std::size_t at = 0;
  for (; at + kBlock <= row_bytes; at += kBlock) {
    vertical_block(in + at, stride, weights, count, out + at);
  }
  // The rest overlaps the block before it, which is computed twice to the same result.
  if (at < row_bytes) {
    at = row_bytes - kBlock;
    vertical_block(in + at, stride, weights, count, out + at);
  }
}

constexpr ResampleKernels kAvx2Kernels = {horizontal_avx2, vertical_avx2};

#endif

constexpr ResampleKernels kPortableKernels = {horizontal_portable, vertical_portable};

}  // namespace

const ResampleKernels& portable_resample_kernels() { return kPortableKernels; }

const ResampleKernels& resample_kernels() {
#if defined(__x86_64__)
  static const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;
  if (kHasAvx2) return kAvx2Kernels;
#endif
  return kPortableKernels;
}

}  // namespace casvit::dataio
