#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataio/augment/affine.h"
#include "dataio/image/image.h"
#include "dataio/image/resize.h"
#include "dataio/random/counter_rng.h"

namespace casvit::dataio {

/// timm's operations (timm.data.auto_augment), those that a `rand-...` string can reach.
enum class AugmentOperation {
  kAutoContrast,
  kEqualize,
  kInvert,
  kRotate,
  kPosterize,
  kPosterizeIncreasing,
  kSolarize,
  kSolarizeIncreasing,
  kSolarizeAdd,
  kColor,
  kColorIncreasing,
  kContrast,
  kContrastIncreasing,
  kBrightness,
  kBrightnessIncreasing,
  kSharpness,
  kSharpnessIncreasing,
  kShearX,
  kShearY,
  kTranslateXRel,
  kTranslateYRel,
  kDesaturate,
  kGaussianBlur,
};

/// timm's name of an operation, e.g. "SolarizeIncreasing".
std::string_view operation_name(AugmentOperation operation);
/// The operation of that name, if there is one.
std::optional<AugmentOperation> operation_named(std::string_view name);

/// What a string such as "rand-m9-mstd0.5-inc1" says.
struct RandAugmentConfig {
  std::vector<AugmentOperation> operations;
  std::vector<double> weights;  ///< of the operations; empty: all alike, drawn with replacement
  int layers = 2;               ///< n: operations a picture
  int magnitude = 10;           ///< m
  double magnitude_std = 0;     ///< mstd: normal noise; infinite: uniform in [0, magnitude]
  double magnitude_max = 10;    ///< mmax: magnitudes are clamped to [0, magnitude_max]
  double probability = 0.5;     ///< p: of each operation to be applied
};

/// Parses timm's configuration string: `rand` and, in any order behind dashes, m, n, p, mstd (over
/// 100 means infinite), mmax, inc (0 or 1) and t (weights, 3a, 3aw). Unlike timm, which overlooks
/// sections that it cannot read, every one must be known. @throws UsageError naming the section.
RandAugmentConfig parse_rand_augment(std::string_view text);

/// One operation to be applied.
struct RandAugmentStep {
  AugmentOperation operation = AugmentOperation::kAutoContrast;
  double magnitude = 0;  ///< noise added, clamped
  bool negate = false;   ///< for operations that go both ways
};

/// Draws the operations of one picture: `layers` of them, less those that `probability` skips.
std::vector<RandAugmentStep> draw_rand_augment(const RandAugmentConfig& config, CounterRng& rng);

/// How geometric operations fill and interpolate.
struct RandAugmentStyle {
  Interpolation interpolation = Interpolation::kBicubic;
  Colour fill{128, 128, 128};
};

/// Applies one operation in place, equal bit for bit to timm's on Pillow 13.0.0 given the same
/// magnitude and sign.
void apply_rand_augment(Image& image, const RandAugmentStep& step, const RandAugmentStyle& style);

}  // namespace casvit::dataio
