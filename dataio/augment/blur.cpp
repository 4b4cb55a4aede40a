#include "dataio/augment/blur.h"

#include <algorithm>
#include <cmath>
#include <utility>
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

std::uint8_t weigh(const ExtendedBox& box, std::uint32_t sum, std::uint32_t edges) {
  return static_cast<std::uint8_t>((sum * box.full + edges * box.edge + (1U << 23)) >> 24);
}

/// Blurs rows. Beyond its ends a row repeats its end pixels.
class RowBlur {
 public:
  RowBlur(int width, const ExtendedBox& box)
      : box_(box),
        width_(width),
        reach_(box.radius + 1),
        padded_(static_cast<std::size_t>(width + 2 * reach_) * 3) {}

  void blur(std::uint8_t* row) {
    for (int pass = 0; pass < kPasses; ++pass) {
      pad(row);
      pass_over(row);
    }
  }

 private:
  std::uint8_t* padded(int x) {
    return padded_.data() + static_cast<std::ptrdiff_t>(x + reach_) * 3;
  }

  void pad(const std::uint8_t* row) {
    const std::uint8_t* last = row + static_cast<std::ptrdiff_t>(width_ - 1) * 3;
    std::copy_n(row, static_cast<std::size_t>(width_) * 3, padded(0));
    for (int i = 0; i < reach_; ++i) {
      std::copy_n(row, 3, padded(-1 - i));
      std::copy_n(last, 3, padded(width_ + i));
    }
  }

  void pass_over(std::uint8_t* row) {
    const std::ptrdiff_t reach = static_cast<std::ptrdiff_t>(reach_) * 3;
    std::uint32_t sum[3] = {};  // the box around -1
    for (const std::uint8_t* in = padded(-reach_); in < padded(reach_ - 1); in += 3) {
      for (int c = 0; c < 3; ++c) sum[c] += in[c];
    }
    const std::uint8_t* in = padded(0);
    for (int x = 0; x < width_; ++x, in += 3, row += 3) {
      for (int c = 0; c < 3; ++c) {
        const std::uint32_t left = in[c - reach];
        sum[c] += in[c + reach - 3] - left;
        row[c] = weigh(box_, sum[c], left + in[c + reach]);
      }
    }
  }

  ExtendedBox box_;
  int width_;
  int reach_;
  std::vector<std::uint8_t> padded_;
};

/// One pass over all columns at once, row by row.
void blur_columns(const Image& image, const ExtendedBox& box, std::vector<std::uint32_t>& sums,
                  Image& out) {
  const std::size_t bytes = image.row_bytes();
  const auto row = [&image](int y) { return image.row(std::clamp(y, 0, image.height - 1)); };
  sums.assign(bytes, 0);
  for (int y = -box.radius - 1; y < box.radius; ++y) {  // the box around -1
    const std::uint8_t* in = row(y);
    for (std::size_t x = 0; x < bytes; ++x) sums[x] += in[x];
  }
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* above = row(y - box.radius - 1);
    const std::uint8_t* last = row(y + box.radius);
    const std::uint8_t* below = row(y + box.radius + 1);
    std::uint8_t* to = out.row(y);
    for (std::size_t x = 0; x < bytes; ++x) {
      const std::uint32_t left = above[x];
      sums[x] += last[x] - left;
      to[x] = weigh(box, sums[x], left + below[x]);
    }
  }
}

}  // namespace

void gaussian_blur(Image& image, double radius) {
  const float box_side = box_radius(static_cast<float>(radius));
  if (box_side <= 0) return;
  const ExtendedBox box = extended_box(box_side);
  RowBlur rows(image.width, box);
  for (int y = 0; y < image.height; ++y) rows.blur(image.row(y));
  Image blurred = image;
  std::vector<std::uint32_t> sums;
  for (int pass = 0; pass < kPasses; ++pass) {
    blur_columns(image, box, sums, blurred);
    std::swap(image.pixels, blurred.pixels);
  }
}

}  // namespace casvit::dataio
