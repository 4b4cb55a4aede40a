// Views in evaluation: those of torchvision's five_crop and ten_crop.
#include <gtest/gtest.h>

#include <cmath>

#include "dataio/augment/flip.h"
#include "dataio/augment/normalize.h"
#include "dataio/augment/transform.h"
#include "dataio/error.h"
#include "dataio/image/resize.h"
#include "tests/dataio/synthetic_picture.h"

namespace casvit::dataio {
namespace {

using Place = EvalView::Place;
using testing::synthetic_picture;

constexpr int kSide = 28;

EvalTransformOptions options_with(const std::vector<EvalView>& views) {
  EvalTransformOptions options;
  options.image_size = kSide;
  options.views = views;
  return options;
}

std::vector<float> transformed(const Image& image, const EvalTransformOptions& options) {
  std::vector<float> out(static_cast<std::size_t>(options.view_count()) * kSide * kSide * 3);
  eval_transform(image, options, out.data());
  return out;
}

/// torchvision.transforms.functional: resize, then vflip and hflip, then five_crop's part.
std::vector<float> as_torchvision_does(const Image& image, const EvalView& view) {
  const int shorter = 32;  // 28 / 0.875
  const double scale = static_cast<double>(shorter) / std::min(image.height, image.width);
  Image resized;
  resize(image, image.height <= image.width ? shorter : static_cast<int>(image.height * scale),
         image.width <= image.height ? shorter : static_cast<int>(image.width * scale),
         Interpolation::kBicubic, resized);
  if (view.upside_down) flip_vertically(resized);
  if (view.mirrored) flip_horizontally(resized);
  const int bottom = resized.height - kSide;
  const int right = resized.width - kSide;
  int top = 0;
  int left = 0;
  switch (view.place) {
    case Place::kCentre:
      top = static_cast<int>(std::nearbyint(bottom / 2.0));
      left = static_cast<int>(std::nearbyint(right / 2.0));
      break;
    case Place::kTopLeft:
      break;
    case Place::kTopRight:
      left = right;
      break;
    case Place::kBottomLeft:
      top = bottom;
      break;
    case Place::kBottomRight:
      top = bottom;
      left = right;
      break;
  }
  std::vector<float> out(std::size_t{kSide} * kSide * 3);
  normalize(ImageView(resized).crop(top, left, kSide, kSide), Normalization{}, {}, out.data());
  return out;
}

TEST(EvalViews, AreThoseOfTorchvision) {
  // Wide, high, square, and with an odd number of pixels beside the centre.
  for (const auto& [height, width] :
       {std::pair{50, 91}, std::pair{83, 40}, std::pair{60, 60}, std::pair{64, 74}}) {
    const Image image = synthetic_picture(height, width, 2);
    for (const Place place : {Place::kCentre, Place::kTopLeft, Place::kTopRight, Place::kBottomLeft,
                              Place::kBottomRight}) {
      for (int flips = 0; flips < 4; ++flips) {
        const EvalView view{place, (flips & 1) != 0, (flips & 2) != 0};
        EXPECT_EQ(transformed(image, options_with({view})), as_torchvision_does(image, view))
            << height << " x " << width << ", place " << static_cast<int>(place) << ", flips "
            << flips;
      }
    }
  }
}

TEST(EvalViews, TheCentreAloneIsThePlainTransform) {
  const Image image = synthetic_picture(61, 90, 2);
  EXPECT_EQ(transformed(image, options_with({EvalView{}})), transformed(image, options_with({})));
}

TEST(EvalViews, LieOneAfterAnother) {
  const Image image = synthetic_picture(61, 90, 2);
  const EvalView corner{Place::kBottomRight, true, false};
  const std::vector<float> both = transformed(image, options_with({EvalView{}, corner}));
  const auto half = both.begin() + static_cast<std::ptrdiff_t>(both.size() / 2);
  EXPECT_EQ(std::vector<float>(both.begin(), half), transformed(image, options_with({})));
  EXPECT_EQ(std::vector<float>(half, both.end()), transformed(image, options_with({corner})));
}

TEST(EvalViews, ThereAreNoCornersWhereTheWholePictureIsUsed) {
  EvalTransformOptions options = options_with({{Place::kTopLeft, false, false}});
  options.image_size = 383;
  EXPECT_NO_THROW(validate(options));
  options.image_size = 384;
  EXPECT_THROW(validate(options), UsageError);
  options.views = {{Place::kCentre, true, false}};
  EXPECT_NO_THROW(validate(options));
}

}  // namespace
}  // namespace casvit::dataio
