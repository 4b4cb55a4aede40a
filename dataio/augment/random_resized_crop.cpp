#include "dataio/augment/random_resized_crop.h"

#include <algorithm>
#include <cmath>

namespace casvit::dataio {
namespace {

/// Python's round(): halves go to the even number.
int round_half_even(double value) { return static_cast<int>(std::nearbyint(value)); }

}  // namespace

std::optional<CropBox> crop_of(int height, int width, double area, double aspect_ratio) {
  const double wanted_width = std::nearbyint(std::sqrt(area * aspect_ratio));
  const double wanted_height = std::nearbyint(std::sqrt(area / aspect_ratio));
  const bool fits =
      wanted_width >= 1 && wanted_width <= width && wanted_height >= 1 && wanted_height <= height;
  if (!fits) return std::nullopt;
  return CropBox{0, 0, static_cast<int>(wanted_height), static_cast<int>(wanted_width)};
}

CropBox central_crop(int height, int width, const std::array<double, 2>& ratio) {
  const double narrowest = std::min(ratio[0], ratio[1]);
  const double widest = std::max(ratio[0], ratio[1]);
  const double own = static_cast<double>(width) / height;
  CropBox crop{0, 0, height, width};
  // At least a pixel: torchvision fails on pictures so thin that its rounding gives none.
  if (own < narrowest) crop.height = std::max(1, round_half_even(width / narrowest));
  if (own > widest) crop.width = std::max(1, round_half_even(height * widest));
  crop.top = (height - crop.height) / 2;
  crop.left = (width - crop.width) / 2;
  return crop;
}

CropBox draw_random_resized_crop(int height, int width, const std::array<double, 2>& scale,
                                 const std::array<double, 2>& ratio, CounterRng& rng) {
  const double area = static_cast<double>(height) * width;
  const double log_low = std::log(ratio[0]);
  const double log_high = std::log(ratio[1]);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target = area * rng.uniform(scale[0], scale[1]);
    const double aspect_ratio = std::exp(rng.uniform(log_low, log_high));
    if (auto crop = crop_of(height, width, target, aspect_ratio)) {
      const auto places = [](int outer, int inner) {
        return static_cast<std::uint64_t>(outer - inner) + 1;
      };
      crop->top = static_cast<int>(rng.below(places(height, crop->height)));
      crop->left = static_cast<int>(rng.below(places(width, crop->width)));
      return *crop;
    }
  }
  return central_crop(height, width, ratio);
}

}  // namespace casvit::dataio
