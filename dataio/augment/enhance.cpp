#include "dataio/augment/enhance.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace casvit::dataio {
namespace {

/// ImagingBlend's arithmetic for one byte: float32, cut towards zero. Both of its branches agree
/// with clamping: between 0 and 1 nothing leaves the range.
std::uint8_t blend(int degenerate, int value, float factor) {
  const float mixed =
      static_cast<float>(degenerate) + factor * static_cast<float>(value - degenerate);
  return static_cast<std::uint8_t>(std::clamp(mixed, 0.0F, 255.0F));
}

/// Blends every byte with a constant: there are only 256 results.
void blend_with_constant(Image& image, int degenerate, float factor) {
  std::uint8_t table[256];
  for (int value = 0; value < 256; ++value) table[value] = blend(degenerate, value, factor);
  for (std::uint8_t& byte : image.pixels) byte = table[byte];
}

/// ITU-R 601-2 luma in Pillow's fixed point.
int luma(const std::uint8_t* pixel) {
  return (pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16;
}

int mean_luma(const Image& image) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    sum += static_cast<std::uint64_t>(luma(image.pixels.data() + i));
  }
  const std::size_t pixels = image.pixels.size() / 3;
  return static_cast<int>(std::floor(static_cast<double>(sum) / static_cast<double>(pixels) + 0.5));
}

/// ImageFilter.SMOOTH at one byte; rows are three apart in y, neighbours three bytes apart in x.
/// Pillow divides the kernel first and adds row sums from below upwards, all in float32.
std::uint8_t smooth(const std::uint8_t* above, const std::uint8_t* here,
                    const std::uint8_t* below) {
  constexpr float kSide = 1.0F / 13.0F;
  constexpr float kCentre = 5.0F / 13.0F;
  const auto row_sum = [](const std::uint8_t* at, float centre) {
    return static_cast<float>(at[-3]) * kSide + static_cast<float>(at[0]) * centre +
           static_cast<float>(at[3]) * kSide;
  };
  float sum = 0.5F;
  sum += row_sum(below, kSide);
  sum += row_sum(here, kCentre);
  sum += row_sum(above, kSide);
  return static_cast<std::uint8_t>(std::clamp(sum, 0.0F, 255.0F));
}

}  // namespace

void adjust_brightness(Image& image, double factor) {
  blend_with_constant(image, 0, static_cast<float>(factor));
}

void adjust_contrast(Image& image, double factor) {
  blend_with_constant(image, mean_luma(image), static_cast<float>(factor));
}

void adjust_saturation(Image& image, double factor) {
  const auto alpha = static_cast<float>(factor);
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    std::uint8_t* pixel = image.pixels.data() + i;
    const int grey = luma(pixel);
    for (int c = 0; c < 3; ++c) pixel[c] = blend(grey, pixel[c], alpha);
  }
}

void adjust_sharpness(Image& image, double factor) {
  // Borders are copied by the filter, and so is a picture smaller than it: blending changes
  // nothing.
  if (image.height < 3 || image.width < 3) return;
  const auto alpha = static_cast<float>(factor);
  const std::size_t row_bytes = image.row_bytes();
  std::vector<std::uint8_t> above(image.row(0), image.row(0) + row_bytes);
  std::vector<std::uint8_t> here(row_bytes);
  for (int y = 1; y + 1 < image.height; ++y) {
    std::uint8_t* row = image.row(y);
    std::memcpy(here.data(), row, row_bytes);
    const std::uint8_t* below = image.row(y + 1);
    for (std::size_t i = 3; i + 3 < row_bytes; ++i) {
      row[i] = blend(smooth(&above[i], &here[i], below + i), here[i], alpha);
    }
    above.swap(here);
  }
}

}  // namespace casvit::dataio
