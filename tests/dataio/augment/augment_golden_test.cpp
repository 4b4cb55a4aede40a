// Augmentation against timm and torchvision on Pillow: golden/augment.json holds their draws and
// the hashes of what they made.
#include <gtest/gtest.h>

#include "dataio/augment/color_jitter.h"
#include "dataio/augment/hue.h"
#include "dataio/augment/rand_augment.h"
#include "dataio/augment/random_resized_crop.h"
#include "dataio/augment/transform.h"
#include "tests/dataio/golden_data.h"
#include "tests/dataio/synthetic_picture.h"

namespace casvit::dataio {
namespace {

using nlohmann::json;
using testing::synthetic_picture;

const json& golden() {
  static const json file = testing::read_golden("augment.json");
  return file;
}

Image source_of(const json& expected) {
  return synthetic_picture(expected["size"][0], expected["size"][1],
                           expected["seed"].get<std::uint32_t>());
}

Interpolation interpolation_of(const json& expected) {
  return expected["interpolation"] == "bicubic" ? Interpolation::kBicubic
                                                : Interpolation::kBilinear;
}

TEST(AugmentGolden, EveryRandAugmentOperationEqualsTimm) {
  RandAugmentStyle style;
  style.fill = golden()["fill"].get<Colour>();
  ASSERT_EQ(golden()["operations"].size(), 230U);
  for (const json& expected : golden()["operations"]) {
    Image image = source_of(expected);
    style.interpolation = interpolation_of(expected);
    apply_rand_augment(image,
                       {operation_named(expected["operation"].get<std::string>()).value(),
                        expected["magnitude"], expected["negate"]},
                       style);
    EXPECT_EQ(testing::xxh3(image.pixels), expected["xxh3"]) << expected.dump();
  }
}

TEST(AugmentGolden, ColorJitterEqualsTorchvision) {
  ASSERT_GE(golden()["jitters"].size(), 30U);
  for (const json& expected : golden()["jitters"]) {
    ColorJitterDraw draw;
    draw.order = expected["order"].get<std::array<int, 4>>();
    const auto factor = [&](std::size_t i) -> std::optional<double> {
      const json& value = expected["factors"][i];
      return value.is_null() ? std::nullopt : std::optional<double>(value.get<double>());
    };
    draw.brightness = factor(0);
    draw.contrast = factor(1);
    draw.saturation = factor(2);
    draw.hue = factor(3);
    Image image = source_of(expected);
    apply_color_jitter(image, draw);
    EXPECT_EQ(testing::xxh3(image.pixels), expected["xxh3"]) << expected.dump();
  }
}

TEST(AugmentGolden, HueOfWholePlanesOfColoursEqualsTorchvision) {
  for (const json& expected : golden()["hues"]) {
    Image image;
    image.height = image.width = 256;
    for (int green = 0; green < 256; ++green) {
      for (int blue = 0; blue < 256; ++blue) {
        for (const int value : {expected["red"].get<int>(), green, blue}) {
          image.pixels.push_back(static_cast<std::uint8_t>(value));
        }
      }
    }
    adjust_hue(image, expected["shift"]);
    EXPECT_EQ(testing::xxh3(image.pixels), expected["xxh3"]) << expected.dump();
  }
}

TEST(AugmentGolden, CentralCropEqualsTorchvisions) {
  for (const json& expected : golden()["central_crops"]) {
    const CropBox crop = central_crop(expected["size"][0], expected["size"][1],
                                      expected["ratio"].get<std::array<double, 2>>());
    const json box = {crop.top, crop.left, crop.height, crop.width};
    EXPECT_EQ(box, expected["box"]) << expected.dump();
  }
}

TEST(AugmentGolden, EvaluationEqualsTorchvisionToTheBit) {
  for (const json& expected : golden()["evaluations"]) {
    EvalTransformOptions options;
    options.image_size = expected["image_size"];
    options.crop_ratio = expected["crop_ratio"];
    options.interpolation = interpolation_of(expected);
    validate(options);
    const Image image =
        synthetic_picture(expected["source"][0], expected["source"][1], expected["seed"]);
    std::vector<float> out(static_cast<std::size_t>(options.image_size) *
                           static_cast<std::size_t>(options.image_size) * 3);
    eval_transform(image, options, out.data());
    EXPECT_EQ(testing::xxh3(out), expected["xxh3"]) << expected.dump();
  }
}

}  // namespace
}  // namespace casvit::dataio
