#include <algorithm>
#include <cmath>
#include <string>

#include "dataio/augment/color_jitter.h"
#include "dataio/augment/cutout.h"
#include "dataio/augment/rand_augment.h"
#include "dataio/augment/random_resized_crop.h"
#include "dataio/augment/three_augment.h"
#include "dataio/augment/transform.h"
#include "dataio/augment/transform_scratch.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

bool has_color_jitter(const TrainTransformOptions& options) {
  return options.brightness != 0 || options.contrast != 0 || options.saturation != 0 ||
         options.hue != 0;
}

/// Whether anything happens between resize and normalisation but mirroring.
bool changes_pixels(const TrainTransformOptions& options) {
  return !options.rand_augment.empty() || options.three_augment || has_color_jitter(options);
}

CounterRng stream(const AugmentKey& key, RandomUse use) {
  return {key.seed, use, key.epoch, key.sample};
}

bool happens(double probability, const AugmentKey& key, RandomUse use) {
  return probability > 0 && stream(key, use).uniform() < probability;
}

/// timm fills with the mean colour of the data: min(255, round(255 * mean)).
Colour mean_colour(const Normalization& normalization) {
  Colour colour{};
  for (std::size_t c = 0; c < 3; ++c) {
    const double level = std::nearbyint(255.0 * static_cast<double>(normalization.mean[c]));
    colour[c] = static_cast<std::uint8_t>(std::clamp(level, 0.0, 255.0));
  }
  return colour;
}

/// The fixed interpolation, or timm's random choice.
Interpolation next_interpolation(const TrainTransformOptions& options, CounterRng& rng) {
  if (!options.random_interpolation) return options.interpolation;
  return rng.below(2) == 0 ? Interpolation::kBilinear : Interpolation::kBicubic;
}

void rand_augment(Image& image, const TrainTransformOptions& options, const AugmentKey& key,
                  CounterRng& interpolation_rng) {
  CounterRng rng = stream(key, RandomUse::kRandAugment);
  RandAugmentStyle style = {options.interpolation, mean_colour(options.normalization)};
  for (const RandAugmentStep& step :
       draw_rand_augment(parse_rand_augment(options.rand_augment), rng)) {
    style.interpolation = next_interpolation(options, interpolation_rng);
    apply_rand_augment(image, step, style);
  }
}

void three_augment(Image& image, const AugmentKey& key) {
  CounterRng rng = stream(key, RandomUse::kThreeAugment);
  apply_three_augment(image, draw_three_augment(rng));
}

void random_erasing(float* image, const TrainTransformOptions& options, const AugmentKey& key) {
  CounterRng rng = stream(key, RandomUse::kRandomErasing);
  for (const ErasedBox& box : draw_random_erasing(options.erasing, options.image_size, rng)) {
    erase_box(image, options.image_size, box, draw_erased_values(options.erasing.mode, box, rng));
  }
}

void require(bool holds, const std::string& what) {
  if (!holds) throw UsageError(what);
}

// Comparisons are written so that a NaN fails them.
void require_probability(double value, const std::string& name) {
  require(value >= 0 && value <= 1,
          name + " is a probability: " + std::to_string(value) + " is not in [0, 1]");
}

void require_strength(double value, const std::string& name) {
  require(value >= 0 && std::isfinite(value),
          name + " must not be negative: " + std::to_string(value));
}

}  // namespace

void validate(const Normalization& normalization) {
  for (std::size_t c = 0; c < 3; ++c) {
    require(std::isfinite(normalization.mean[c]), "the normalization's mean must be finite");
    require(std::isfinite(normalization.std[c]) && normalization.std[c] > 0,
            "the normalization's std must be above 0");
  }
}

void validate(const RandomErasingOptions& options) {
  require_probability(options.probability, "erasing.probability");
  require(options.max_count >= 1, "erasing.max_count must be at least 1");
  const auto& area = options.area;
  require(area[0] > 0 && area[0] <= area[1] && area[1] <= 1,
          "erasing.area must be two shares of the area, in (0, 1], the smaller first");
  const auto& aspect = options.aspect;
  require(aspect[0] > 0 && aspect[0] <= aspect[1] && std::isfinite(aspect[1]),
          "erasing.aspect must be two ratios height / width above 0, the smaller first");
}

void validate(const TrainTransformOptions& options) {
  require(options.image_size >= 1, "image_size must be at least 1");
  const auto& scale = options.crop_scale;
  require(scale[0] > 0 && scale[0] <= scale[1] && scale[1] <= 1,
          "crop_scale must be two shares of the area, in (0, 1], the smaller first");
  const auto& ratio = options.crop_ratio;
  require(ratio[0] > 0 && ratio[0] <= ratio[1] && std::isfinite(ratio[1]),
          "crop_ratio must be two ratios width / height above 0, the smaller first");
  require_probability(options.horizontal_flip, "horizontal_flip");
  require_probability(options.vertical_flip, "vertical_flip");
  if (!options.rand_augment.empty()) parse_rand_augment(options.rand_augment);
  require_strength(options.brightness, "brightness");
  require_strength(options.contrast, "contrast");
  require_strength(options.saturation, "saturation");
  require(options.hue >= 0 && options.hue <= 0.5, "hue must be in [0, 0.5]");
  require(!options.three_augment || options.rand_augment.empty(),
          "three_augment and rand_augment are alternatives: turn one of them off");
  validate(options.erasing);
  require(options.cutout_holes >= 0, "cutout_holes must not be negative");
  require(options.cutout_length >= 0, "cutout_length must not be negative");
  validate(options.normalization);
}

void train_transform(const PictureSource& source, const TrainTransformOptions& options,
                     const AugmentKey& key, TransformScratch& scratch, float* out) {
  TransformScratch::Buffers& buffers = scratch.buffers(options.normalization);
  CounterRng crop_rng = stream(key, RandomUse::kRandomResizedCrop);
  const CropBox crop = draw_random_resized_crop(source.height, source.width, options.crop_scale,
                                                options.crop_ratio, crop_rng);
  const PictureSource cropped = {
      crop.height, crop.width, [&](const PixelBox& box) {
        return source.decode({crop.top + box.top, crop.left + box.left, box.height, box.width});
      }};
  CounterRng interpolation_rng = stream(key, RandomUse::kInterpolation);
  const ResizePlan plan =
      whole_resize(crop.height, crop.width, options.image_size, options.image_size,
                   next_interpolation(options, interpolation_rng));
  Mirror mirror;
  mirror.horizontally = happens(options.horizontal_flip, key, RandomUse::kHorizontalFlip);
  mirror.vertically = happens(options.vertical_flip, key, RandomUse::kVerticalFlip);
  if (changes_pixels(options)) {
    Image& picture = buffers.picture;
    resize_into(cropped, plan, mirror, buffers.resampler, picture);
    if (!options.rand_augment.empty()) rand_augment(picture, options, key, interpolation_rng);
    if (options.three_augment) three_augment(picture, key);
    if (has_color_jitter(options)) {
      CounterRng rng = stream(key, RandomUse::kColorJitter);
      apply_color_jitter(picture, draw_color_jitter(options, rng));
    }
    normalize(picture, buffers.normalizer, {}, out);
  } else {
    resize_and_normalize(cropped, plan, mirror, buffers, out);
  }

  CounterRng cutout_rng = stream(key, RandomUse::kCutout);
  for (int hole = 0; hole < options.cutout_holes; ++hole) {
    apply_cutout(out, options.image_size,
                 draw_cutout(options.image_size, options.cutout_length, cutout_rng));
  }
  if (options.erasing.probability > 0) random_erasing(out, options, key);
}

void train_transform(const Image& image, const TrainTransformOptions& options,
                     const AugmentKey& key, float* out) {
  TransformScratch scratch;
  train_transform(source_of(image), options, key, scratch, out);
}

}  // namespace casvit::dataio
