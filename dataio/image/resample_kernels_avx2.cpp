// Both passes are one loop: a weighted sum of rows of bytes, 32 bytes at once. The horizontal pass
// turns 32 rows of pixels into columns first, so that neighbours in x lie in neighbouring rows, and
// turns its result back.
#include "dataio/image/resample_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstring>

namespace casvit::dataio {
namespace {

#define CASVIT_AVX2 __attribute__((target("avx2")))

constexpr std::int32_t kHalf = 1 << (kPrecisionBits - 1);
constexpr std::size_t kLanes = 32;
constexpr std::size_t kTile = 16;  // bytes a side of what is transposed at once

struct SplitSums {
  __m256i high;
  __m256i low;
};

CASVIT_AVX2 inline void accumulate(SplitSums& sums, __m256i pixels, __m256i high, __m256i low) {
  sums.high = _mm256_add_epi32(sums.high, _mm256_madd_epi16(pixels, high));
  sums.low = _mm256_add_epi32(sums.low, _mm256_madd_epi16(pixels, low));
}

CASVIT_AVX2 inline __m256i load(const std::uint8_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}

/// The sums of a pair of rows, 32 bytes of each.
CASVIT_AVX2 inline void accumulate_pair(SplitSums (&sums)[4], const std::uint8_t* first,
                                        const std::uint8_t* second, const WeightPair& weights) {
  const __m256i zero = _mm256_setzero_si256();
  const __m256i high = _mm256_set1_epi32(weights.high);
  const __m256i low = _mm256_set1_epi32(weights.low);
  const __m256i pairs_low = _mm256_unpacklo_epi8(load(first), load(second));
  const __m256i pairs_high = _mm256_unpackhi_epi8(load(first), load(second));
  accumulate(sums[0], _mm256_unpacklo_epi8(pairs_low, zero), high, low);
  accumulate(sums[1], _mm256_unpackhi_epi8(pairs_low, zero), high, low);
  accumulate(sums[2], _mm256_unpacklo_epi8(pairs_high, zero), high, low);
  accumulate(sums[3], _mm256_unpackhi_epi8(pairs_high, zero), high, low);
}

/// The sums of `count` rows, `stride` bytes apart, 32 bytes of each. @tparam kPairs of rows that
/// `count` makes; 0: as many as it says
template <int kPairs>
CASVIT_AVX2 inline __m256i weighted_sum(const std::uint8_t* in, std::size_t stride,
                                        const WeightPair* weights, int count) {
  SplitSums sums[4];
  for (SplitSums& sum : sums) sum = {_mm256_setzero_si256(), _mm256_set1_epi32(kHalf)};
  const int pairs = kPairs > 0 ? kPairs : (count + 1) / 2;
  for (int k = 0; k + 1 < pairs; ++k, in += 2 * stride) {
    accumulate_pair(sums, in, in + stride, weights[k]);
  }
  // Of an odd count, the last weight's partner is zero.
  accumulate_pair(sums, in, count % 2 == 0 ? in + stride : in, weights[pairs - 1]);
  __m256i words[4];
  for (int i = 0; i < 4; ++i) {
    const __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(sums[i].high, kLowBits), sums[i].low);
    words[i] = _mm256_srai_epi32(sum, kPrecisionBits);
  }
  // The packs undo the order that the unpacks made, each within its half.
  const __m256i low_words = _mm256_packs_epi32(words[0], words[1]);
  const __m256i high_words = _mm256_packs_epi32(words[2], words[3]);
  return _mm256_packus_epi16(low_words, high_words);
}

/// Weighted sums of rows at each of `begins`: what an output pixel's channels or an output row's
/// blocks are.
template <int kPairs, typename Place>
CASVIT_AVX2 inline void weighted_sums(std::size_t blocks, std::size_t stride,
                                      const WeightPair* weights, int count, const Place& place) {
  for (std::size_t i = 0; i < blocks; ++i) {
    const auto [in, out] = place(i);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                        weighted_sum<kPairs>(in, stride, weights, count));
  }
}

struct FromTo {
  const std::uint8_t* in;
  std::uint8_t* out;
};

/// `weighted_sums` with the loop over rows unrolled for the counts that are frequent: enlarging
/// takes 4 rows, making a little smaller 6 or 8.
template <typename Place>
CASVIT_AVX2 inline void weighted_blocks(std::size_t blocks, std::size_t stride,
                                        const WeightPair* weights, int count, const Place& place) {
  switch ((count + 1) / 2) {
    case 2:
      return weighted_sums<2>(blocks, stride, weights, count, place);
    case 3:
      return weighted_sums<3>(blocks, stride, weights, count, place);
    case 4:
      return weighted_sums<4>(blocks, stride, weights, count, place);
    default:
      return weighted_sums<0>(blocks, stride, weights, count, place);
  }
}

CASVIT_AVX2 void vertical_avx2(const std::uint8_t* in, std::size_t stride, std::size_t row_bytes,
                               const ResampleCoefficients& coefficients, int y, std::uint8_t* out) {
  if (row_bytes < kLanes) {
    portable_resample_kernels().vertical(in, stride, row_bytes, coefficients, y, out);
    return;
  }
  const WeightPair* weights = coefficients.pair_row(y);
  const int count = coefficients.count[static_cast<std::size_t>(y)];
  const std::size_t blocks = (row_bytes + kLanes - 1) / kLanes;
  weighted_blocks(blocks, stride, weights, count, [&](std::size_t i) {
    // The last block overlaps the one before it and gives the same result there.
    const std::size_t begin = std::min(i * kLanes, row_bytes - kLanes);
    return FromTo{in + begin, out + begin};
  });
}

/// One step of the transposition: after four of them byte r of register c is byte c of register r.
CASVIT_AVX2 inline void interleave(const __m128i (&in)[kTile], __m128i (&out)[kTile]) {
  for (std::size_t i = 0; i < kTile / 2; ++i) {
    out[2 * i] = _mm_unpacklo_epi8(in[i], in[i + kTile / 2]);
    out[2 * i + 1] = _mm_unpackhi_epi8(in[i], in[i + kTile / 2]);
  }
}

CASVIT_AVX2 inline void transpose(__m128i (&tile)[kTile]) {
  __m128i other[kTile];
  interleave(tile, other);
  interleave(other, tile);
  interleave(tile, other);
  interleave(other, tile);
}

/// Turns up to 32 rows of `row_bytes` bytes into `row_bytes` columns of 32; columns of rows that
/// are not there hold copies of the last.
CASVIT_AVX2 void rows_to_columns(const PixelRows& in, std::size_t row_bytes,
                                 std::uint8_t* columns) {
  __m128i tile[kTile];
  for (std::size_t half = 0; half < kLanes; half += kTile) {
    const std::uint8_t* rows[kTile];
    for (std::size_t r = 0; r < kTile; ++r) {
      const auto last = static_cast<std::size_t>(in.rows - 1);
      rows[r] = in.first + std::min(half + r, last) * in.stride;
    }
    for (std::size_t at = 0; at < row_bytes; at += kTile) {
      // Rows end where they end: the last tile overlaps the one before it.
      const std::size_t begin = row_bytes < kTile ? 0 : std::min(at, row_bytes - kTile);
      const std::size_t bytes = std::min(kTile, row_bytes - begin);
      for (std::size_t r = 0; r < kTile; ++r) {
        if (bytes == kTile) {
          tile[r] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[r] + begin));
        } else {
          alignas(kTile) std::uint8_t part[kTile] = {};
          std::memcpy(part, rows[r], bytes);
          tile[r] = _mm_load_si128(reinterpret_cast<const __m128i*>(part));
        }
      }
      transpose(tile);
      for (std::size_t c = 0; c < kTile; ++c) {
        std::uint8_t* to = columns + (begin + c) * kLanes + half;
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), tile[c]);
      }
    }
  }
}

/// Turns columns of 32 back into `rows` rows, `stride` bytes apart, a multiple of 16.
CASVIT_AVX2 void columns_to_rows(const std::uint8_t* columns, std::size_t rows, std::size_t stride,
                                 std::uint8_t* out) {
  __m128i tile[kTile];
  for (std::size_t half = 0; half < rows; half += kTile) {
    const std::size_t count = std::min(kTile, rows - half);
    for (std::size_t at = 0; at < stride; at += kTile) {
      for (std::size_t c = 0; c < kTile; ++c) {
        const std::uint8_t* from = columns + (at + c) * kLanes + half;
        tile[c] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
      }
      transpose(tile);
      std::uint8_t* to = out + half * stride + at;
      for (std::size_t r = 0; r < count; ++r, to += stride) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to), tile[r]);
      }
    }
  }
}

/// Up to 32 rows. @param columns room for the input's bytes, at least kTile, times kLanes
/// @param results room for padded_row_bytes(outputs) times kLanes
CASVIT_AVX2 void horizontal_strip(const PixelRows& in, int first_column,
                                  const ResampleCoefficients& coefficients, std::uint8_t* columns,
                                  std::uint8_t* results, std::uint8_t* out) {
  rows_to_columns(in, static_cast<std::size_t>(in.width) * 3, columns);
  constexpr std::size_t kPixel = 3 * kLanes;  // bytes from a pixel to its neighbour
  std::uint8_t* to = results;
  for (int x = 0; x < coefficients.outputs(); ++x, to += kPixel) {
    const auto index = static_cast<std::size_t>(x);
    const WeightPair* weights = coefficients.pair_row(x);
    const std::uint8_t* from =
        columns + static_cast<std::size_t>(coefficients.first[index] - first_column) * kPixel;
    weighted_blocks(3, kPixel, weights, coefficients.count[index], [&](std::size_t channel) {
      return FromTo{from + channel * kLanes, to + channel * kLanes};
    });
  }
  columns_to_rows(results, static_cast<std::size_t>(in.rows),
                  padded_row_bytes(coefficients.outputs()), out);
}

void horizontal_avx2(const PixelRows& in, int first_column,
                     const ResampleCoefficients& coefficients, std::uint8_t* out,
                     std::vector<std::uint8_t>& scratch) {
  const std::size_t column_bytes = std::max(kTile, static_cast<std::size_t>(in.width) * 3) * kLanes;
  const std::size_t out_stride = padded_row_bytes(coefficients.outputs());
  const std::size_t wanted = column_bytes + out_stride * kLanes;
  if (scratch.size() < wanted) scratch.resize(wanted);
  constexpr int kStrip = static_cast<int>(kLanes);
  for (int y = 0; y < in.rows; y += kStrip) {
    PixelRows strip = in;
    strip.first += static_cast<std::size_t>(y) * in.stride;
    strip.rows = std::min(kStrip, in.rows - y);
    horizontal_strip(strip, first_column, coefficients, scratch.data(),
                     scratch.data() + column_bytes, out + static_cast<std::size_t>(y) * out_stride);
  }
}

constexpr ResampleKernels kAvx2Kernels = {horizontal_avx2, vertical_avx2};

}  // namespace

const ResampleKernels* avx2_resample_kernels() { return &kAvx2Kernels; }

}  // namespace casvit::dataio

#else

namespace casvit::dataio {

const ResampleKernels* avx2_resample_kernels() { return nullptr; }

}  // namespace casvit::dataio

#endif
