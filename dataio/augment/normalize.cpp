#include "dataio/augment/normalize.h"

#include <bit>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace casvit::dataio {
namespace {

#if defined(__x86_64__)

#define CASVIT_AVX2_FMA __attribute__((target("avx2,fma")))

/// Note "Division by a constant": x / d is x * high + x * low, fused, where high is 1 / d rounded
/// and low what that rounding lost. The sum before its one rounding is within 2^-46 of the
/// quotient, so that it rounds as the quotient does, unless that lies within 2^-22 of an ulp from a
/// tie: the constructor looks at all 768 values that there are.
struct Reciprocal {
  float high;
  float low;
};

Reciprocal reciprocal(float divisor) {
  const double exact = 1.0 / static_cast<double>(divisor);
  const auto high = static_cast<float>(exact);
  return {high, static_cast<float>(exact - static_cast<double>(high))};
}

constexpr std::size_t kFloats = Normalizer::kStepFloats;  // and bytes, of a step

CASVIT_AVX2_FMA inline __m256 normalized(__m128i bytes, const Normalizer::StepConstants& step,
                                         std::size_t at, Reciprocal scale) {
  const __m256 value = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes));
  const __m256 scaled = _mm256_fmadd_ps(value, _mm256_set1_ps(scale.high),
                                        _mm256_mul_ps(value, _mm256_set1_ps(scale.low)));
  const __m256 centred = _mm256_sub_ps(scaled, _mm256_loadu_ps(step.mean + at));
  return _mm256_fmadd_ps(centred, _mm256_loadu_ps(step.high + at),
                         _mm256_mul_ps(centred, _mm256_loadu_ps(step.low + at)));
}

template <bool kStreaming>
CASVIT_AVX2_FMA inline void store(float* out, __m256 values) {
  if constexpr (kStreaming) {
    _mm256_stream_ps(out, values);
  } else {
    _mm256_storeu_ps(out, values);
  }
}

/// `steps` steps of 8 pixels, forwards from `in`.
template <bool kStreaming>
CASVIT_AVX2_FMA void normalize_steps(const std::uint8_t* in, std::size_t steps,
                                     const Normalizer::StepConstants& step, float* out) {
  const Reciprocal scale = reciprocal(255.0F);
  for (std::size_t i = 0; i < steps; ++i, in += kFloats, out += kFloats) {
    for (std::size_t part = 0; part < kFloats; part += 8) {
      const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(in + part));
      store<kStreaming>(out + part, normalized(bytes, step, part, scale));
    }
  }
}

/// `steps` steps of 8 pixels, each mirrored, backwards from the end `in`.
template <bool kStreaming>
CASVIT_AVX2_FMA void normalize_mirrored_steps(const std::uint8_t* in, std::size_t steps,
                                              const Normalizer::StepConstants& step, float* out) {
  const Reciprocal scale = reciprocal(255.0F);
  // Pixel 7 comes first: bytes 21 22 23 18 ... 3 4 5 0 1 2, eight from each of three loads.
  const __m128i first = _mm_setr_epi8(13, 14, 15, 10, 11, 12, 7, 8, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m128i middle = _mm_setr_epi8(13, 8, 9, 10, 5, 6, 7, 2, -1, -1, -1, -1, -1, -1, -1, -1);
  const __m128i last = _mm_setr_epi8(7, 8, 3, 4, 5, 0, 1, 2, -1, -1, -1, -1, -1, -1, -1, -1);
  for (std::size_t i = 0; i < steps; ++i, out += kFloats) {
    in -= kFloats;
    const auto pick = [in](std::size_t at, __m128i order) CASVIT_AVX2_FMA {
      return _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(in + at)), order);
    };
    store<kStreaming>(out, normalized(pick(8, first), step, 0, scale));
    store<kStreaming>(out + 8, normalized(pick(4, middle), step, 8, scale));
    store<kStreaming>(out + 16, normalized(pick(0, last), step, 16, scale));
  }
}

bool has_fma() {
  static const bool kHas =
      __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  return kHas;
}

#endif

}  // namespace

Normalizer::Normalizer(const Normalization& normalization) : normalization_(normalization) {
  for (std::size_t c = 0; c < 3; ++c) {
    for (int value = 0; value < 256; ++value) {
      const float scaled = static_cast<float>(value) / 255.0F;
      table_[c][value] = (scaled - normalization.mean[c]) / normalization.std[c];
    }
  }
#if defined(__x86_64__)
  if (!has_fma()) return;
  for (std::size_t c = 0; c < 3; ++c) {
    const Reciprocal inverse = reciprocal(normalization.std[c]);
    for (std::size_t i = c; i < kStepFloats; i += 3) {
      step_.mean[i] = normalization.mean[c];
      step_.high[i] = inverse.high;
      step_.low[i] = inverse.low;
    }
  }
  std::uint8_t pixels[256 * 3];
  float results[256 * 3];
  for (std::size_t i = 0; i < sizeof pixels; ++i) pixels[i] = static_cast<std::uint8_t>(i / 3);
  row_vectorised(pixels, 256, false, results);
  vectorised_ = true;
  for (std::size_t i = 0; i < sizeof pixels; ++i) {
    vectorised_ &= std::bit_cast<std::uint32_t>(results[i]) ==
                   std::bit_cast<std::uint32_t>(table_[i % 3][i / 3]);
  }
#endif
}

void Normalizer::row(const std::uint8_t* in, std::size_t pixels, bool mirrored, float* out) const {
  if (vectorised_) {
    row_vectorised(in, pixels, mirrored, out);
  } else {
    row_portable(in, pixels, mirrored, out);
  }
}

void Normalizer::row_portable(const std::uint8_t* in, std::size_t pixels, bool mirrored,
                              float* out) const {
  const std::ptrdiff_t step = mirrored ? -3 : 3;
  if (mirrored && pixels > 0) in += (pixels - 1) * 3;
  for (std::size_t x = 0; x < pixels; ++x, in += step, out += 3) {
    out[0] = table_[0][in[0]];
    out[1] = table_[1][in[1]];
    out[2] = table_[2][in[2]];
  }
}

void Normalizer::row_vectorised(const std::uint8_t* in, std::size_t pixels, bool mirrored,
                                float* out) const {
#if defined(__x86_64__)
  const std::size_t steps = pixels / kStepPixels;
  const std::size_t done = steps * kStepPixels;
  const bool aligned = reinterpret_cast<std::uintptr_t>(out) % 32 == 0;
  if (mirrored) {
    const std::uint8_t* end = in + pixels * 3;
    (aligned ? normalize_mirrored_steps<true> : normalize_mirrored_steps<false>)(end, steps, step_,
                                                                                 out);
    row_portable(in, pixels - done, true, out + done * 3);
  } else {
    (aligned ? normalize_steps<true> : normalize_steps<false>)(in, steps, step_, out);
    row_portable(in + done * 3, pixels - done, false, out + done * 3);
  }
#else
  row_portable(in, pixels, mirrored, out);
#endif
}

void Normalizer::finish() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}

void normalize(const ImageView& image, const Normalizer& normalizer, Mirror mirror, float* out) {
  const auto width = static_cast<std::size_t>(image.width);
  for (int y = 0; y < image.height; ++y, out += width * 3) {
    normalizer.row(image.row(mirror.vertically ? image.height - 1 - y : y), width,
                   mirror.horizontally, out);
  }
  Normalizer::finish();
}

void normalize(const ImageView& image, const Normalization& normalization, Mirror mirror,
               float* out) {
  normalize(image, Normalizer(normalization), mirror, out);
}

}  // namespace casvit::dataio
