#include "dataio/augment/affine.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numbers>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "dataio/augment/flip.h"

namespace casvit::dataio {
namespace {

int floor_to_int(double value) {
  return value < 0.0 ? static_cast<int>(std::floor(value)) : static_cast<int>(value);
}

/// Weights along one direction around a point, as Pillow's BICUBIC and BILINEAR macros.
double interpolate2(double v1, double v2, double d) { return v1 + (v2 - v1) * d; }

double interpolate4(double v1, double v2, double v3, double v4, double d) {
  const double p1 = v2;
  const double p2 = -v1 + v3;
  const double p3 = 2 * (v1 - v2) + v3 - v4;
  const double p4 = -v1 + v2 - v3 + v4;
  return p1 + d * (p2 + d * (p3 + d * p4));
}

/// Where a result pixel comes from: neighbours and the fractions between them.
struct Sample {
  int x, y;  ///< the neighbour left and above
  double dx, dy;
};

Sample locate(double x, double y) {
  x -= 0.5;
  y -= 0.5;
  Sample sample{floor_to_int(x), floor_to_int(y), 0, 0};
  sample.dx = x - sample.x;
  sample.dy = y - sample.y;
  return sample;
}

int clamp_column(const Image& image, int x) { return std::clamp(x, 0, image.width - 1) * 3; }

const std::uint8_t* clamp_row(const Image& image, int y) {
  return image.row(std::clamp(y, 0, image.height - 1));
}

void sample_bilinear(const Image& image, double x, double y, std::uint8_t* out) {
  const Sample at = locate(x, y);
  const int x0 = clamp_column(image, at.x);
  const int x1 = clamp_column(image, at.x + 1);
  const std::uint8_t* above = clamp_row(image, at.y);
  // At the lower border Pillow repeats the row above, which clamping comes to as well.
  const std::uint8_t* below = clamp_row(image, at.y + 1);
  for (int c = 0; c < 3; ++c) {
    const double v1 = interpolate2(above[x0 + c], above[x1 + c], at.dx);
    const double v2 = interpolate2(below[x0 + c], below[x1 + c], at.dx);
    out[c] = static_cast<std::uint8_t>(interpolate2(v1, v2, at.dy));
  }
}

void sample_bicubic(const Image& image, double x, double y, std::uint8_t* out) {
  const Sample at = locate(x, y);
  int columns[4];
  const std::uint8_t* rows[4];
  for (int i = 0; i < 4; ++i) {
    columns[i] = clamp_column(image, at.x - 1 + i);
    rows[i] = clamp_row(image, at.y - 1 + i);
  }
  // Where nothing is interpolated along an axis, the cubic is its second value, exactly.
  const bool moves_down = at.dy != 0.0;
  const bool moves_right = at.dx != 0.0;
  for (int c = 0; c < 3; ++c) {
    const auto along_row = [&](int i) -> double {
      const std::uint8_t* row = rows[i] + c;
      if (!moves_right) return row[columns[1]];
      return interpolate4(row[columns[0]], row[columns[1]], row[columns[2]], row[columns[3]],
                          at.dx);
    };
    const double value =
        moves_down ? interpolate4(along_row(0), along_row(1), along_row(2), along_row(3), at.dy)
                   : along_row(1);
    out[c] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
  }
}

#if defined(__x86_64__)

#define CASVIT_AVX2 __attribute__((target("avx2")))

/// A pixel's three channels and a fourth that is nobody's, so that four bytes are read.
CASVIT_AVX2 inline __m256d pixel_at(const std::uint8_t* bytes) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  const __m128i levels = _mm_cvtepu8_epi32(_mm_cvtsi32_si128(static_cast<int>(word)));
  return _mm256_cvtepi32_pd(levels);
}

/// interpolate4 of each channel, in the same order of operations.
CASVIT_AVX2 inline __m256d interpolate4(__m256d v1, __m256d v2, __m256d v3, __m256d v4, __m256d d) {
  const __m256d p2 = _mm256_sub_pd(v3, v1);
  const __m256d twice = _mm256_mul_pd(_mm256_set1_pd(2.0), _mm256_sub_pd(v1, v2));
  const __m256d p3 = _mm256_sub_pd(_mm256_add_pd(twice, v3), v4);
  const __m256d p4 = _mm256_add_pd(_mm256_sub_pd(_mm256_sub_pd(v2, v1), v3), v4);
  const __m256d inner = _mm256_add_pd(p3, _mm256_mul_pd(d, p4));
  return _mm256_add_pd(v2, _mm256_mul_pd(d, _mm256_add_pd(p2, _mm256_mul_pd(d, inner))));
}

CASVIT_AVX2 inline __m256d cubic_along_row(const std::uint8_t* row, const int* columns,
                                           const Sample& at) {
  if (at.dx == 0.0) return pixel_at(row + columns[1]);
  return interpolate4(pixel_at(row + columns[0]), pixel_at(row + columns[1]),
                      pixel_at(row + columns[2]), pixel_at(row + columns[3]),
                      _mm256_set1_pd(at.dx));
}

CASVIT_AVX2 void sample_bicubic_avx2(const Image& image, double x, double y, std::uint8_t* out) {
  const Sample at = locate(x, y);
  // Four bytes of the very last pixel would be one too many.
  if (at.y + 2 >= image.height - 1 && at.x + 2 >= image.width - 1) {
    return sample_bicubic(image, x, y, out);
  }
  int columns[4];
  for (int i = 0; i < 4; ++i) columns[i] = clamp_column(image, at.x - 1 + i);
  const auto row = [&](int i) CASVIT_AVX2 {
    return cubic_along_row(clamp_row(image, at.y - 1 + i), columns, at);
  };
  __m256d value = row(1);
  if (at.dy != 0.0) value = interpolate4(row(0), value, row(2), row(3), _mm256_set1_pd(at.dy));
  value = _mm256_min_pd(_mm256_max_pd(value, _mm256_setzero_pd()), _mm256_set1_pd(255.0));
  const __m128i levels = _mm256_cvttpd_epi32(value);
  const __m128i bytes = _mm_packus_epi16(_mm_packs_epi32(levels, levels), levels);
  const auto word = static_cast<std::uint32_t>(_mm_cvtsi128_si32(bytes));
  std::memcpy(out, &word, 3);
}

#endif

using Sampler = void (*)(const Image& image, double x, double y, std::uint8_t* out);

Sampler sampler(Interpolation interpolation) {
  if (interpolation == Interpolation::kBilinear) return sample_bilinear;
#if defined(__x86_64__)
  static const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;
  if (kHasAvx2) return sample_bicubic_avx2;
#endif
  return sample_bicubic;
}

/// Python's round(value, 15): through decimal, correctly rounded both ways.
double round15(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.15f", value);
  return std::strtod(text, nullptr);
}

/// Python's `degrees % 360.0`: in [0, 360).
double wrap_degrees(double degrees) {
  double wrapped = std::fmod(degrees, 360.0);
  if (wrapped < 0) wrapped += 360.0;
  return wrapped;
}

/// A quarter turn counter-clockwise of a square picture.
Image quarter_turn(const Image& image) {
  Image result = image;
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x) {
      std::copy_n(image.row(x) + static_cast<std::ptrdiff_t>(image.width - 1 - y) * 3, 3,
                  result.row(y) + static_cast<std::ptrdiff_t>(x) * 3);
    }
  }
  return result;
}

Image transformed(const Image& image, const AffineMatrix& matrix, Sampler sample, Colour fill) {
  Image result;
  result.height = image.height;
  result.width = image.width;
  result.pixels.resize(image.pixels.size());
  std::uint8_t* out = result.pixels.data();
  for (int row = 0; row < result.height; ++row) {
    for (int column = 0; column < result.width; ++column, out += 3) {
      const double x = matrix[0] * (column + 0.5) + matrix[1] * (row + 0.5) + matrix[2];
      const double y = matrix[3] * (column + 0.5) + matrix[4] * (row + 0.5) + matrix[5];
      if (x < 0.0 || x >= image.width || y < 0.0 || y >= image.height) {
        std::copy(fill.begin(), fill.end(), out);
      } else {
        sample(image, x, y, out);
      }
    }
  }
  return result;
}

}  // namespace

Image transform_affine(const Image& image, const AffineMatrix& matrix, Interpolation interpolation,
                       Colour fill) {
  return transformed(image, matrix, sampler(interpolation), fill);
}

Image transform_affine_portable(const Image& image, const AffineMatrix& matrix,
                                Interpolation interpolation, Colour fill) {
  const bool is_cubic = interpolation == Interpolation::kBicubic;
  return transformed(image, matrix, is_cubic ? sample_bicubic : sample_bilinear, fill);
}

Image rotate(const Image& image, double degrees, Interpolation interpolation, Colour fill) {
  const double angle = wrap_degrees(degrees);
  const bool square = image.height == image.width;
  if (angle == 0) return image;
  if (angle == 180 || (square && (angle == 90 || angle == 270))) {
    Image result = angle == 180 ? image : quarter_turn(image);
    if (angle != 90) {
      flip_horizontally(result);
      flip_vertically(result);
    }
    return result;
  }
  const double radians = -(angle * (std::numbers::pi / 180.0));
  const double cosine = round15(std::cos(radians));
  const double sine = round15(std::sin(radians));
  AffineMatrix matrix = {cosine, sine, 0.0, round15(-std::sin(radians)), cosine, 0.0};
  const double centre_x = image.width / 2.0;
  const double centre_y = image.height / 2.0;
  matrix[2] = matrix[0] * -centre_x + matrix[1] * -centre_y + matrix[2];
  matrix[5] = matrix[3] * -centre_x + matrix[4] * -centre_y + matrix[5];
  matrix[2] += centre_x;
  matrix[5] += centre_y;
  return transform_affine(image, matrix, interpolation, fill);
}

}  // namespace casvit::dataio
