#include "dataio/augment/rand_augment.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "dataio/augment/blur.h"
#include "dataio/augment/enhance.h"
#include "dataio/augment/lookup_table.h"

namespace casvit::dataio {
namespace {

using Operation = AugmentOperation;

/// timm's _LEVEL_DENOM: magnitudes are tenths of an operation's full strength.
constexpr double kFullMagnitude = 10.0;

/// Draws an index by weight and takes it out of the draw.
std::size_t take_weighted(std::vector<double>& weights, CounterRng& rng) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  double left = rng.uniform() * total;
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    chosen = i;  // also the last one, should rounding leave a rest
    if (left < weights[i]) break;
    left -= weights[i];
  }
  weights[chosen] = 0;
  return chosen;
}

double draw_magnitude(const RandAugmentConfig& config, CounterRng& rng) {
  double magnitude = config.magnitude;
  if (std::isinf(config.magnitude_std)) {
    magnitude = rng.uniform(0, magnitude);
  } else if (config.magnitude_std > 0) {
    magnitude += config.magnitude_std * rng.normal();
  }
  return std::clamp(magnitude, 0.0, config.magnitude_max);
}

/// Factor of the enhancements that go both ways from 1, at least 0.1.
double increasing_factor(const RandAugmentStep& step) {
  const double level = step.magnitude / kFullMagnitude * .9;
  return std::max(0.1, 1.0 + (step.negate ? -level : level));
}

/// Factor of the enhancements from 0.1 to 1.9.
double plain_factor(const RandAugmentStep& step) {
  return step.magnitude / kFullMagnitude * 1.8 + 0.1;
}

double signed_level(const RandAugmentStep& step, double full) {
  const double level = step.magnitude / kFullMagnitude * full;
  return step.negate ? -level : level;
}

/// timm's _minmax_level_to_arg.
double level_between(const RandAugmentStep& step, double low, double high) {
  return std::clamp(low + (high - low) * (step.magnitude / kFullMagnitude), low, high);
}

int whole_level(const RandAugmentStep& step, int full) {
  return static_cast<int>(step.magnitude / kFullMagnitude * full);
}

/// Translations as a share of the side.
constexpr double kTranslateShare = 0.45;

void transform(Image& image, const AffineMatrix& matrix, const RandAugmentStyle& style) {
  image = transform_affine(image, matrix, style.interpolation, style.fill);
}

}  // namespace

std::vector<RandAugmentStep> draw_rand_augment(const RandAugmentConfig& config, CounterRng& rng) {
  std::vector<RandAugmentStep> steps;
  std::vector<double> weights = config.weights;
  for (int layer = 0; layer < config.layers; ++layer) {
    const std::size_t chosen =
        weights.empty() ? rng.below(config.operations.size()) : take_weighted(weights, rng);
    if (config.probability < 1.0 && rng.uniform() > config.probability) continue;
    RandAugmentStep step;
    step.operation = config.operations[chosen];
    step.magnitude = draw_magnitude(config, rng);
    step.negate = rng.uniform() > 0.5;
    steps.push_back(step);
  }
  return steps;
}

void apply_rand_augment(Image& image, const RandAugmentStep& step, const RandAugmentStyle& style) {
  switch (step.operation) {
    case Operation::kAutoContrast:
      return auto_contrast(image);
    case Operation::kEqualize:
      return equalize(image);
    case Operation::kInvert:
      return invert(image);
    case Operation::kRotate:
      image = rotate(image, signed_level(step, 30.), style.interpolation, style.fill);
      return;
    case Operation::kPosterize:
      return posterize(image, std::min(whole_level(step, 4), 8));
    case Operation::kPosterizeIncreasing:
      return posterize(image, std::max(4 - whole_level(step, 4), 0));
    case Operation::kSolarize:
      return solarize(image, std::min(256, whole_level(step, 256)));
    case Operation::kSolarizeIncreasing:
      return solarize(image, 256 - std::min(256, whole_level(step, 256)));
    case Operation::kSolarizeAdd:
      return solarize_add(image, std::min(128, whole_level(step, 110)));
    case Operation::kColor:
      return adjust_saturation(image, plain_factor(step));
    case Operation::kColorIncreasing:
      return adjust_saturation(image, increasing_factor(step));
    case Operation::kContrast:
      return adjust_contrast(image, plain_factor(step));
    case Operation::kContrastIncreasing:
      return adjust_contrast(image, increasing_factor(step));
    case Operation::kBrightness:
      return adjust_brightness(image, plain_factor(step));
    case Operation::kBrightnessIncreasing:
      return adjust_brightness(image, increasing_factor(step));
    case Operation::kSharpness:
      return adjust_sharpness(image, plain_factor(step));
    case Operation::kSharpnessIncreasing:
      return adjust_sharpness(image, increasing_factor(step));
    case Operation::kShearX:
      return transform(image, {1, signed_level(step, 0.3), 0, 0, 1, 0}, style);
    case Operation::kShearY:
      return transform(image, {1, 0, 0, signed_level(step, 0.3), 1, 0}, style);
    case Operation::kTranslateXRel:
      return transform(image, {1, 0, signed_level(step, kTranslateShare) * image.width, 0, 1, 0},
                       style);
    case Operation::kTranslateYRel:
      return transform(image, {1, 0, 0, 0, 1, signed_level(step, kTranslateShare) * image.height},
                       style);
    case Operation::kDesaturate:
      return adjust_saturation(image, std::clamp(1. - level_between(step, 0.5, 1.0), 0., 1.));
    case Operation::kGaussianBlur:
      return gaussian_blur(image, level_between(step, 0.1, 2.0));
  }
}

}  // namespace casvit::dataio
