#include <cmath>
#include <cstdint>
#include <string>

#include "dataio/augment/transform.h"
#include "dataio/augment/transform_scratch.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

/// From this size on pictures are warped to the square (the published trainer).
constexpr int kWarpFrom = 384;

struct Size {
  int height, width;
};

/// torchvision's Resize of the short side: the long side is cut to whole pixels.
Size resized(const PictureSource& image, int short_side) {
  const auto scaled = [&](int longer, int shorter) {
    const auto product = static_cast<std::int64_t>(short_side) * longer;
    return static_cast<int>(static_cast<double>(product) / shorter);
  };
  if (image.width <= image.height) return {scaled(image.height, image.width), short_side};
  return {short_side, scaled(image.width, image.height)};
}

/// torchvision's center_crop: halves are rounded to the even number.
int centre_offset(int outer, int inner) {
  return static_cast<int>(std::nearbyint((outer - inner) / 2.0));
}

/// Where a view lies in the resized picture as it is stored: what is cut from a mirrored picture
/// lies on the other side of this one.
PixelBox box_of(const EvalView& view, Size picture, int side) {
  using Place = EvalView::Place;
  const int bottom = picture.height - side;
  const int right = picture.width - side;
  PixelBox box{centre_offset(picture.height, side), centre_offset(picture.width, side), side, side};
  if (view.place != Place::kCentre) {
    const bool low = view.place == Place::kBottomLeft || view.place == Place::kBottomRight;
    const bool far = view.place == Place::kTopRight || view.place == Place::kBottomRight;
    box.top = low ? bottom : 0;
    box.left = far ? right : 0;
  }
  if (view.upside_down) box.top = bottom - box.top;
  if (view.mirrored) box.left = right - box.left;
  return box;
}

/// All views of a picture that is resized to `size`.
void cut_views(const PictureSource& source, const EvalTransformOptions& options, Size size,
               TransformScratch::Buffers& buffers, float* out) {
  const int side = options.image_size;
  const ResizePlan whole =
      whole_resize(source.height, source.width, size.height, size.width, options.interpolation);
  resize_into(source, whole, {}, buffers.resampler, buffers.picture);
  for (const EvalView& view : options.views) {
    const PixelBox box = box_of(view, size, side);
    normalize(ImageView(buffers.picture).crop(box.top, box.left, side, side), buffers.normalizer,
              {view.mirrored, view.upside_down}, out);
    out += static_cast<std::ptrdiff_t>(side) * side * 3;
  }
}

}  // namespace

void validate(const EvalTransformOptions& options) {
  if (options.image_size < 1) throw UsageError("image_size must be at least 1");
  if (!(options.crop_ratio > 0 && options.crop_ratio <= 1)) {
    throw UsageError("crop_ratio must be in (0, 1], not " + std::to_string(options.crop_ratio));
  }
  if (options.image_size / options.crop_ratio > INT16_MAX) {
    throw UsageError("crop_ratio " + std::to_string(options.crop_ratio) +
                     " makes evaluation resize to more than 32767 pixels");
  }
  for (const EvalView& view : options.views) {
    if (view.place != EvalView::Place::kCentre && options.image_size >= kWarpFrom) {
      throw UsageError("there are no corners to cut at image_size " +
                       std::to_string(options.image_size) + ": from " + std::to_string(kWarpFrom) +
                       " pixels on the whole picture is used");
    }
  }
  validate(options.normalization);
}

void eval_transform(const PictureSource& source, const EvalTransformOptions& options,
                    TransformScratch& scratch, float* out) {
  const int side = options.image_size;
  const Size size = side >= kWarpFrom
                        ? Size{side, side}
                        : resized(source, static_cast<int>(std::floor(side / options.crop_ratio)));
  if (!options.views.empty()) {
    return cut_views(source, options, size, scratch.buffers(options.normalization), out);
  }
  ResizePlan plan =
      whole_resize(source.height, source.width, size.height, size.width, options.interpolation);
  plan.wanted = {centre_offset(size.height, side), centre_offset(size.width, side), side, side};
  resize_and_normalize(source, plan, {}, scratch.buffers(options.normalization), out);
}

void eval_transform(const Image& image, const EvalTransformOptions& options, float* out) {
  TransformScratch scratch;
  eval_transform(source_of(image), options, scratch, out);
}

}  // namespace casvit::dataio
