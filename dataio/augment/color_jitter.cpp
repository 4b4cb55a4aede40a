#include "dataio/augment/color_jitter.h"

#include <algorithm>
#include <utility>

#include "dataio/augment/enhance.h"
#include "dataio/augment/hue.h"

namespace casvit::dataio {
namespace {

std::optional<double> draw_factor(double strength, CounterRng& rng) {
  if (strength == 0) return std::nullopt;
  return rng.uniform(std::max(0.0, 1.0 - strength), 1.0 + strength);
}

}  // namespace

ColorJitterDraw draw_color_jitter(const TrainTransformOptions& options, CounterRng& rng) {
  ColorJitterDraw draw;
  for (std::size_t i = draw.order.size() - 1; i > 0; --i) {
    std::swap(draw.order[i], draw.order[rng.below(i + 1)]);
  }
  draw.brightness = draw_factor(options.brightness, rng);
  draw.contrast = draw_factor(options.contrast, rng);
  draw.saturation = draw_factor(options.saturation, rng);
  if (options.hue != 0) draw.hue = rng.uniform(-options.hue, options.hue);
  return draw;
}

void apply_color_jitter(Image& image, const ColorJitterDraw& draw) {
  for (const int operation : draw.order) {
    if (operation == 0 && draw.brightness) adjust_brightness(image, *draw.brightness);
    if (operation == 1 && draw.contrast) adjust_contrast(image, *draw.contrast);
    if (operation == 2 && draw.saturation) adjust_saturation(image, *draw.saturation);
    if (operation == 3 && draw.hue) adjust_hue(image, *draw.hue);
  }
}

}  // namespace casvit::dataio
