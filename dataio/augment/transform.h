#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dataio/augment/random_erasing.h"
#include "dataio/image/image.h"
#include "dataio/image/resize.h"

namespace casvit::dataio {

struct Normalization {
  std::array<float, 3> mean{0.485f, 0.456f, 0.406f};  ///< of RGB scaled to [0, 1]
  std::array<float, 3> std{0.229f, 0.224f, 0.225f};

  bool operator==(const Normalization&) const = default;
};

/// Training augmentation, in the order in which it is applied.
struct TrainTransformOptions {
  int image_size = 224;                                ///< side of the square result, pixels
  std::array<double, 2> crop_scale{0.08, 1.0};         ///< RandomResizedCrop: share of the area
  std::array<double, 2> crop_ratio{3.0 / 4, 4.0 / 3};  ///< RandomResizedCrop: width / height
  Interpolation interpolation = Interpolation::kBicubic;
  /// timm's "random": instead, the resize and every geometric operation draw bilinear or bicubic.
  bool random_interpolation = false;
  double horizontal_flip = 0.5;  ///< probability
  double vertical_flip = 0.0;    ///< probability
  /// timm's string, e.g. "rand-m9-mstd0.5-inc1" (see rand_augment.h); empty: off. Geometric
  /// operations interpolate as above and fill with the mean colour, as timm's create_transform.
  std::string rand_augment;
  bool three_augment = false;  ///< 3-Augment of DeiT III (three_augment.h), instead of RandAugment
  double brightness = 0.0;     ///< ColorJitter: factor in [1 - b, 1 + b]
  double contrast = 0.0;
  double saturation = 0.0;
  double hue = 0.0;       ///< shift in [-hue, hue], at most 0.5
  int cutout_holes = 0;   ///< Cutout (DeVries and Taylor, 2017), on the normalised tensor: zeros
  int cutout_length = 0;  ///< side of a hole, pixels
  RandomErasingOptions erasing;
  Normalization normalization;
};

/// One look at a picture in evaluation: a square cut from the resized picture, as torchvision's
/// five_crop and ten_crop do.
struct EvalView {
  enum class Place { kCentre, kTopLeft, kTopRight, kBottomLeft, kBottomRight };

  Place place = Place::kCentre;
  bool mirrored = false;     ///< left and right are swapped before it is cut
  bool upside_down = false;  ///< the same with top and bottom

  bool operator==(const EvalView&) const = default;
};

/// Evaluation: resize the short side to floor(image_size / crop_ratio), centre crop (torchvision's
/// rounding). At image_size >= 384 the picture is warped to the square instead, as the published
/// trainer does.
struct EvalTransformOptions {
  int image_size = 224;
  double crop_ratio = 224.0 / 256.0;
  Interpolation interpolation = Interpolation::kBicubic;
  Normalization normalization;
  std::vector<EvalView> views = {};  ///< empty: the centre alone, as it is

  int view_count() const { return views.empty() ? 1 : static_cast<int>(views.size()); }
  bool operator==(const EvalTransformOptions&) const = default;
};

/// Names the randomness of one augmented sample.
struct AugmentKey {
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;
  std::uint64_t sample = 0;
};

/// @throws UsageError naming the option that cannot be (image_size < 1, scale outside (0, 1], ...).
void validate(const Normalization& normalization);
void validate(const RandomErasingOptions& options);
void validate(const TrainTransformOptions& options);
void validate(const EvalTransformOptions& options);

/// A picture that is decoded as far as a transform asks: the rectangle is known before.
struct PictureSource {
  int height = 0;  ///< pixels
  int width = 0;   ///< pixels
  /// The pixels of a rectangle inside; valid until the next call. Called once by a transform.
  std::function<ImageView(const PixelBox&)> decode;
};

/// Working memory of transforms, reused from picture to picture. One a thread.
class TransformScratch {
 public:
  TransformScratch();
  ~TransformScratch();
  TransformScratch(const TransformScratch&) = delete;
  TransformScratch& operator=(const TransformScratch&) = delete;

  struct Buffers;
  /// Ready for pictures normalised like this.
  Buffers& buffers(const Normalization& normalization);

 private:
  std::unique_ptr<Buffers> buffers_;
};

/// Augments `image` into `out`: `[image_size, image_size, 3] float32`, NHWC. A pure function of its
/// arguments. `options` must be valid.
void train_transform(const Image& image, const TrainTransformOptions& options,
                     const AugmentKey& key, float* out);
void train_transform(const PictureSource& source, const TrainTransformOptions& options,
                     const AugmentKey& key, TransformScratch& scratch, float* out);

/// Evaluation transform into `out`: `[view_count, image_size, image_size, 3] float32`, NHWC. The
/// picture is decoded and resized once, however many views are cut from it.
void eval_transform(const Image& image, const EvalTransformOptions& options, float* out);
void eval_transform(const PictureSource& source, const EvalTransformOptions& options,
                    TransformScratch& scratch, float* out);

}  // namespace casvit::dataio
