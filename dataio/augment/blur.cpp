#include "dataio/augment/blur.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace casvit::dataio {
namespace {

constexpr int kPasses = 3;

/// _gaussian_blur_radius of Pillow: the radius, whole and fraction, of the box (float32
/// throughout).
float box_radius(float radius) {
  const float variance = radius * radius / static_cast<float>(kPasses);
  const auto length = static_cast<float>(std::sqrt(12.0 * variance + 1.0));
  const auto whole = static_cast<float>(std::floor((length - 1.0) / 2.0));
  float fraction = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
  fraction /= 6 * (variance - (whole + 1) * (whole + 1));
  return whole + fraction;
}

/// An extended box: `radius` pixels to each side in full, one more with less weight. Weights are in
/// 8.24 fixed point.
struct ExtendedBox {
  int radius;
  std::uint32_t full, edge;
};

ExtendedBox extended_box(float radius) {
  ExtendedBox box{};
  box.radius = static_cast<int>(radius);
  box.full = static_cast<std::uint32_t>(static_cast<float>(1U << 24) / (radius * 2 + 1));
  box.edge = ((1U << 24) - static_cast<std::uint32_t>(box.radius * 2 + 1) * box.full) / 2;
  return box;
}

/// Blurs one line of `count` values into `out`; beyond its ends the line repeats its end values.
void blur_line(const std::uint8_t* in, int count, const ExtendedBox& box, std::uint8_t* out) {
  const auto at = [&](int i) { return std::uint32_t{in[std::clamp(i, 0, count - 1)]}; };
  std::uint32_t sum = 0;
  for (int i = -box.radius - 1; i < box.radius; ++i) sum += at(i);  // the box around -1
  for (int i = 0; i < count; ++i) {
    const std::uint32_t left = at(i - box.radius - 1);
    sum += at(i + box.radius) - left;
    const std::uint32_t weighted = sum * box.full + (left + at(i + box.radius + 1)) * box.edge;
    out[i] = static_cast<std::uint8_t>((weighted + (1U << 23)) >> 24);
  }
}

}  // namespace

void gaussian_blur(Image& image, double radius) {
  const float box_side = box_radius(static_cast<float>(radius));
  if (box_side <= 0) return;
  const ExtendedBox box = extended_box(box_side);
  const int longest = std::max(image.height, image.width);
  std::vector<std::uint8_t> line(static_cast<std::size_t>(longest));
  std::vector<std::uint8_t> blurred(line.size());
  const auto blur_strided = [&](std::uint8_t* first, int count, std::size_t step) {
    const auto size = static_cast<std::size_t>(count);
    for (std::size_t i = 0; i < size; ++i) line[i] = first[i * step];
    for (int pass = 0; pass < kPasses; ++pass) {
      blur_line(line.data(), count, box, blurred.data());
      line.swap(blurred);
    }
    for (std::size_t i = 0; i < size; ++i) first[i * step] = line[i];
  };
  for (int y = 0; y < image.height; ++y) {
    for (std::size_t c = 0; c < 3; ++c) blur_strided(image.row(y) + c, image.width, 3);
  }
  for (std::size_t x = 0; x < image.row_bytes(); ++x) {
    blur_strided(image.pixels.data() + x, image.height, image.row_bytes());
  }
}

}  // namespace casvit::dataio
