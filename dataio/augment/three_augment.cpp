#include "dataio/augment/three_augment.h"

#include "dataio/augment/blur.h"
#include "dataio/augment/enhance.h"
#include "dataio/augment/lookup_table.h"

namespace casvit::dataio {
namespace {

constexpr double kSmallestRadius = 0.1;
constexpr double kLargestRadius = 2.0;
/// Pillow's ImageOps.solarize where it is given none.
constexpr int kSolarizeThreshold = 128;

}  // namespace

ThreeAugmentDraw draw_three_augment(CounterRng& rng) {
  ThreeAugmentDraw draw;
  draw.operation = static_cast<ThreeAugmentOperation>(rng.below(3));
  if (draw.operation == ThreeAugmentOperation::kBlur) {
    draw.blur_radius = rng.uniform(kSmallestRadius, kLargestRadius);
  }
  return draw;
}

void apply_three_augment(Image& image, const ThreeAugmentDraw& draw) {
  switch (draw.operation) {
    case ThreeAugmentOperation::kGrey:
      return adjust_saturation(image, 0);
    case ThreeAugmentOperation::kSolarize:
      return solarize(image, kSolarizeThreshold);
    case ThreeAugmentOperation::kBlur:
      return gaussian_blur(image, draw.blur_radius);
  }
}

}  // namespace casvit::dataio
