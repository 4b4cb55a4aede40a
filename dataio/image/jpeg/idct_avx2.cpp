// Two blocks at once, one in each half of the registers; a register is a row of both.
#include "dataio/image/jpeg/idct.h"

#if defined(__x86_64__)
#include <immintrin.h>

namespace casvit::dataio::jpeg {
namespace {

#define CASVIT_AVX2 __attribute__((target("avx2")))

constexpr int kConstantBits = 13;
constexpr int kFirstPassBits = 2;

/// A pair of 16-bit factors, for sums of two products.
CASVIT_AVX2 inline __m256i factors(int first, int second) {
  return _mm256_set1_epi32((first & 0xFFFF) |
                           static_cast<int>(static_cast<unsigned>(second) << 16));
}

/// 32-bit numbers of the lower and the upper four lanes of each half.
struct Wide {
  __m256i low;
  __m256i high;
};

CASVIT_AVX2 inline Wide products(__m256i a, __m256i b, __m256i pair) {
  return {_mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), pair),
          _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), pair)};
}
CASVIT_AVX2 inline Wide add(const Wide& a, const Wide& b) {
  return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
}
CASVIT_AVX2 inline Wide subtract(const Wide& a, const Wide& b) {
  return {_mm256_sub_epi32(a.low, b.low), _mm256_sub_epi32(a.high, b.high)};
}
/// value << kConstantBits
CASVIT_AVX2 inline Wide scaled(__m256i value) {
  const __m256i zero = _mm256_setzero_si256();
  return {_mm256_srai_epi32(_mm256_unpacklo_epi16(zero, value), 16 - kConstantBits),
          _mm256_srai_epi32(_mm256_unpackhi_epi16(zero, value), 16 - kConstantBits)};
}

template <int kShift>
CASVIT_AVX2 inline __m256i descaled(const Wide& value) {
  const __m256i round = _mm256_set1_epi32(1 << (kShift - 1));
  return _mm256_packs_epi32(_mm256_srai_epi32(_mm256_add_epi32(value.low, round), kShift),
                            _mm256_srai_epi32(_mm256_add_epi32(value.high, round), kShift));
}

/// One pass, over columns of the eight registers; see inverse_dct_portable for the arithmetic.
template <int kShift>
CASVIT_AVX2 inline void transform(__m256i (&row)[8]) {
  const Wide even3 = products(row[2], row[6], factors(4433 + 6270, 4433));
  const Wide even2 = products(row[2], row[6], factors(4433, 4433 - 15137));
  const Wide even0 = scaled(_mm256_add_epi16(row[0], row[4]));
  const Wide even1 = scaled(_mm256_sub_epi16(row[0], row[4]));
  const Wide sum0 = add(even0, even3);
  const Wide sum3 = subtract(even0, even3);
  const Wide sum1 = add(even1, even2);
  const Wide sum2 = subtract(even1, even2);

  const __m256i z3 = _mm256_add_epi16(row[7], row[3]);
  const __m256i z4 = _mm256_add_epi16(row[5], row[1]);
  const Wide y3 = products(z3, z4, factors(9633 - 16069, 9633));
  const Wide y4 = products(z3, z4, factors(9633, 9633 - 3196));
  const Wide odd0 = add(products(row[7], row[1], factors(-7373, 12299 - 7373)), y4);
  const Wide odd3 = add(products(row[7], row[1], factors(2446 - 7373, -7373)), y3);
  const Wide odd1 = add(products(row[5], row[3], factors(-20995, 25172 - 20995)), y3);
  const Wide odd2 = add(products(row[5], row[3], factors(16819 - 20995, -20995)), y4);

  row[0] = descaled<kShift>(add(sum0, odd0));
  row[7] = descaled<kShift>(subtract(sum0, odd0));
  row[1] = descaled<kShift>(add(sum1, odd1));
  row[6] = descaled<kShift>(subtract(sum1, odd1));
  row[2] = descaled<kShift>(add(sum2, odd2));
  row[5] = descaled<kShift>(subtract(sum2, odd2));
  row[3] = descaled<kShift>(add(sum3, odd3));
  row[4] = descaled<kShift>(subtract(sum3, odd3));
}

/// One step of the transposition of 8 x 8 words in each half: three make it.
CASVIT_AVX2 inline void interleave(const __m256i (&in)[8], __m256i (&out)[8]) {
  for (std::size_t i = 0; i < 4; ++i) {
    out[2 * i] = _mm256_unpacklo_epi16(in[i], in[i + 4]);
    out[2 * i + 1] = _mm256_unpackhi_epi16(in[i], in[i + 4]);
  }
}

CASVIT_AVX2 inline void transpose(__m256i (&row)[8]) {
  __m256i other[8];
  interleave(row, other);
  interleave(other, row);
  interleave(row, other);
  for (int i = 0; i < 8; ++i) row[i] = other[i];
}

CASVIT_AVX2 inline __m256i load_two(const std::int16_t* first, const std::int16_t* second) {
  return _mm256_inserti128_si256(
      _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(first))),
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(second)), 1);
}

/// Blocks `first` and `second` as dequantized rows, after the first pass.
CASVIT_AVX2 inline void first_pass(const Block& first, const Block& second,
                                   const std::uint16_t* quantization, __m256i (&row)[8]) {
  __m256i below = _mm256_setzero_si256();
  for (std::size_t y = 0; y < 8; ++y) {
    row[y] = load_two(first + y * 8, second + y * 8);
    if (y > 0) below = _mm256_or_si256(below, row[y]);
    const __m128i factor = _mm_loadu_si128(reinterpret_cast<const __m128i*>(quantization + y * 8));
    row[y] = _mm256_mullo_epi16(row[y], _mm256_broadcastsi128_si256(factor));
  }
  // libjpeg-turbo's shortcut for blocks with a first row alone, which wraps where the transform
  // would saturate.
  const __m256i shifted = _mm256_slli_epi16(row[0], kFirstPassBits);
  const __m128i below_first = _mm256_castsi256_si128(below);
  const __m128i below_second = _mm256_extracti128_si256(below, 1);
  const bool flat_first = _mm_testz_si128(below_first, below_first) != 0;
  const bool flat_second = _mm_testz_si128(below_second, below_second) != 0;
  if (flat_first && flat_second) {
    for (__m256i& r : row) r = shifted;
    return;
  }
  transform<kConstantBits - kFirstPassBits>(row);
  if (flat_first) {
    for (__m256i& r : row) r = _mm256_blend_epi32(r, shifted, 0x0F);
  } else if (flat_second) {
    for (__m256i& r : row) r = _mm256_blend_epi32(r, shifted, 0xF0);
  }
}

CASVIT_AVX2 inline void two_blocks(const Block& first, const Block& second,
                                   const std::uint16_t* quantization, std::uint8_t* out,
                                   std::size_t stride, bool store_second) {
  __m256i row[8];
  first_pass(first, second, quantization, row);
  transpose(row);
  transform<kConstantBits + kFirstPassBits + 3>(row);
  transpose(row);
  const __m256i centre = _mm256_set1_epi8(static_cast<char>(0x80));
  for (int y = 0; y < 8; y += 2) {
    // Each half: row y of its block, then row y + 1.
    const __m256i bytes = _mm256_add_epi8(_mm256_packs_epi16(row[y], row[y + 1]), centre);
    const __m128i low = _mm256_castsi256_si128(bytes);
    const __m128i high = _mm256_extracti128_si256(bytes, 1);
    std::uint8_t* upper = out + static_cast<std::size_t>(y) * stride;
    std::uint8_t* lower = upper + stride;
    if (store_second) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(upper), _mm_unpacklo_epi64(low, high));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(lower), _mm_unpackhi_epi64(low, high));
    } else {
      _mm_storel_epi64(reinterpret_cast<__m128i*>(upper), low);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(lower), _mm_unpackhi_epi64(low, low));
    }
  }
}

}  // namespace

CASVIT_AVX2 void inverse_dct_avx2(const Block* coefficients, const std::uint16_t* quantization,
                                  std::size_t blocks, std::uint8_t* out, std::size_t stride) {
  std::size_t i = 0;
  for (; i + 2 <= blocks; i += 2, out += 16) {
    two_blocks(coefficients[i], coefficients[i + 1], quantization, out, stride, true);
  }
  if (i < blocks) two_blocks(coefficients[i], coefficients[i], quantization, out, stride, false);
}

}  // namespace casvit::dataio::jpeg

#endif
