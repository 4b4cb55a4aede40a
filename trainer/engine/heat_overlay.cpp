#include "trainer/engine/heat_overlay.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "trainer/report/heat_colors.h"

namespace casvit::trainer {
namespace {

constexpr double kShareOfColor = 0.6;

/// ITU-R BT.601, as Pillow's mode L.
double grey_of(const std::uint8_t* pixel) {
  return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
}

}  // namespace

dataio::Image heat_overlay(const dataio::Image& picture, const at::Tensor& map, double lowest,
                           double highest) {
  const at::NoGradGuard no_grad;
  const at::Tensor values =
      at::_upsample_bilinear2d_aa(map.to(at::kCPU, at::kFloat).unsqueeze(0).unsqueeze(0),
                                  {picture.height, picture.width}, /*align_corners=*/false)
          .contiguous();
  const double scale = highest > lowest ? 255 / (highest - lowest) : 0;
  const auto* value = values.const_data_ptr<float>();
  dataio::Image overlay = picture;
  for (std::size_t i = 0; i < overlay.pixels.size(); i += 3, ++value) {
    const double place = (static_cast<double>(*value) - lowest) * scale;
    const double step = place > 0 ? std::min(place, 255.0) : 0;  // NaN compares as false
    const Rgb& color = heat_colors()[static_cast<std::size_t>(std::lround(step))];
    const double grey = grey_of(&picture.pixels[i]);
    for (std::size_t c = 0; c < 3; ++c) {
      overlay.pixels[i + c] = static_cast<std::uint8_t>(
          std::lround(kShareOfColor * color[c] + (1 - kShareOfColor) * grey));
    }
  }
  return overlay;
}

}  // namespace casvit::trainer
