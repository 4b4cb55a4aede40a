#include "dataio/image/jpeg/row_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

namespace casvit::dataio::jpeg {
namespace {

#define CASVIT_AVX2 __attribute__((target("avx2")))

constexpr std::size_t kStep = 16;  // samples at once

CASVIT_AVX2 inline __m256i load_bytes(const std::uint8_t* at) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}
CASVIT_AVX2 inline __m256i load_words(const std::uint16_t* at) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
}
CASVIT_AVX2 inline void store(std::uint16_t* at, __m256i words) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), words);
}
CASVIT_AVX2 inline __m256i three_times(__m256i words) {
  return _mm256_add_epi16(words, _mm256_add_epi16(words, words));
}
/// 16 words to bytes, saturated.
CASVIT_AVX2 inline __m128i to_bytes(__m256i words) {
  return _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
}

CASVIT_AVX2 void blend_rows(const std::uint8_t* near, const std::uint8_t* far, std::size_t count,
                            std::uint16_t* out) {
  for (std::size_t i = 0; i < count; i += kStep) {
    store(out + i, _mm256_add_epi16(three_times(load_bytes(near + i)), load_bytes(far + i)));
  }
}

CASVIT_AVX2 void widen(const std::uint8_t* in, std::size_t count, std::uint16_t* out) {
  for (std::size_t i = 0; i < count; i += kStep) store(out + i, load_bytes(in + i));
}

CASVIT_AVX2 void double_columns(const std::uint16_t* in, std::size_t count, int bias_left,
                                int bias_right, int shift, std::uint8_t* out) {
  const __m256i left = _mm256_set1_epi16(static_cast<short>(bias_left));
  const __m256i right = _mm256_set1_epi16(static_cast<short>(bias_right));
  const __m128i places = _mm_cvtsi32_si128(shift);
  for (std::size_t i = 0; i < count; i += kStep, out += 2 * kStep) {
    const __m256i own = three_times(load_words(in + i));
    const __m256i even = _mm256_add_epi16(_mm256_add_epi16(own, load_words(in + i - 1)), left);
    const __m256i odd = _mm256_add_epi16(_mm256_add_epi16(own, load_words(in + i + 1)), right);
    const __m256i bytes = _mm256_or_si256(_mm256_srl_epi16(even, places),
                                          _mm256_slli_epi16(_mm256_srl_epi16(odd, places), 8));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), bytes);
  }
}

CASVIT_AVX2 void narrow(const std::uint16_t* in, std::size_t count, int bias, std::uint8_t* out) {
  const __m256i add = _mm256_set1_epi16(static_cast<short>(bias));
  for (std::size_t i = 0; i < count; i += kStep) {
    const __m256i words = _mm256_srli_epi16(_mm256_add_epi16(load_words(in + i), add), 2);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), to_bytes(words));
  }
}

/// Places 16 red, green and blue bytes in turn: 48 bytes.
CASVIT_AVX2 inline void store_rgb(__m128i red, __m128i green, __m128i blue, std::uint8_t* out) {
  const __m128i red0 = _mm_setr_epi8(0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1, 5);
  const __m128i green0 = _mm_setr_epi8(-1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1);
  const __m128i blue0 = _mm_setr_epi8(-1, -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1);
  const __m128i red1 = _mm_setr_epi8(-1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10, -1);
  const __m128i green1 = _mm_setr_epi8(5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10);
  const __m128i blue1 = _mm_setr_epi8(-1, 5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1);
  const __m128i red2 =
      _mm_setr_epi8(-1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1, -1);
  const __m128i green2 =
      _mm_setr_epi8(-1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1);
  const __m128i blue2 =
      _mm_setr_epi8(10, -1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15);
  const auto place = [&](std::size_t at, __m128i r, __m128i g, __m128i b) CASVIT_AVX2 {
    const __m128i bytes =
        _mm_or_si128(_mm_or_si128(_mm_shuffle_epi8(red, r), _mm_shuffle_epi8(green, g)),
                     _mm_shuffle_epi8(blue, b));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + at), bytes);
  };
  place(0, red0, green0, blue0);
  place(16, red1, green1, blue1);
  place(32, red2, green2, blue2);
}

/// `count` pixels in steps; the last goes through a buffer where the row ends within it.
template <typename Step>
CASVIT_AVX2 inline void each_step(std::size_t count, std::uint8_t* rgb, const Step& step) {
  std::size_t i = 0;
  for (; i + kStep <= count; i += kStep) step(i, rgb + i * 3);
  if (i < count) {
    std::uint8_t last[kStep * 3];
    step(i, last);
    std::memcpy(rgb + i * 3, last, (count - i) * 3);
  }
}

/// x * factor / 2^16, rounded, for |x| <= 128: twice that, halved with rounding, is the same.
CASVIT_AVX2 inline __m256i scaled(__m256i twice_x, int factor) {
  const __m256i product =
      _mm256_mulhi_epi16(twice_x, _mm256_set1_epi16(static_cast<short>(factor)));
  return _mm256_srai_epi16(_mm256_add_epi16(product, _mm256_set1_epi16(1)), 1);
}

CASVIT_AVX2 void ycc_to_rgb(const std::uint8_t* y, const std::uint8_t* cb, const std::uint8_t* cr,
                            std::size_t count, std::uint8_t* rgb) {
  const __m256i centre = _mm256_set1_epi16(128);
  // Green: -22554 blue + 18734 red, less red itself (46802 = 65536 - 18734).
  const __m256i green_factors = _mm256_set1_epi32((-22554 & 0xFFFF) | (18734 << 16));
  const __m256i half = _mm256_set1_epi32(1 << 15);
  each_step(count, rgb, [&](std::size_t i, std::uint8_t* out) CASVIT_AVX2 {
    const __m256i luma = load_bytes(y + i);
    const __m256i blue = _mm256_sub_epi16(load_bytes(cb + i), centre);
    const __m256i red = _mm256_sub_epi16(load_bytes(cr + i), centre);
    const __m256i blue2 = _mm256_add_epi16(blue, blue);
    const __m256i red2 = _mm256_add_epi16(red, red);
    // 91881 = 65536 + 26345, 116130 = 2 * 65536 - 14942.
    const __m256i r = _mm256_add_epi16(luma, _mm256_add_epi16(red, scaled(red2, 26345)));
    const __m256i b = _mm256_add_epi16(luma, _mm256_add_epi16(blue2, scaled(blue2, -14942)));
    const __m256i low = _mm256_srai_epi32(
        _mm256_add_epi32(_mm256_madd_epi16(_mm256_unpacklo_epi16(blue, red), green_factors), half),
        16);
    const __m256i high = _mm256_srai_epi32(
        _mm256_add_epi32(_mm256_madd_epi16(_mm256_unpackhi_epi16(blue, red), green_factors), half),
        16);
    const __m256i g = _mm256_add_epi16(luma, _mm256_sub_epi16(_mm256_packs_epi32(low, high), red));
    store_rgb(to_bytes(r), to_bytes(g), to_bytes(b), out);
  });
}

CASVIT_AVX2 void grey_to_rgb(const std::uint8_t* y, std::size_t count, std::uint8_t* rgb) {
  each_step(count, rgb, [&](std::size_t i, std::uint8_t* out) CASVIT_AVX2 {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(y + i));
    store_rgb(bytes, bytes, bytes, out);
  });
}

constexpr RowKernels kAvx2 = {blend_rows, widen, double_columns, narrow, ycc_to_rgb, grey_to_rgb};

}  // namespace

const RowKernels& avx2_row_kernels() { return kAvx2; }

}  // namespace casvit::dataio::jpeg

#endif
