// Whole training transforms against timm's create_transform, 3-Augment against DeiT III's calls and
// Random Erasing against timm's: golden/transform.json holds what they drew and the hashes of what
// they made.
#include <gtest/gtest.h>

#include <algorithm>

#include "dataio/augment/color_jitter.h"
#include "dataio/augment/flip.h"
#include "dataio/augment/normalize.h"
#include "dataio/augment/rand_augment.h"
#include "dataio/augment/random_erasing.h"
#include "dataio/augment/three_augment.h"
#include "tests/dataio/golden_data.h"
#include "tests/dataio/synthetic_picture.h"

namespace casvit::dataio {
namespace {

using nlohmann::json;
using testing::synthetic_picture;

const json& golden() {
  static const json file = testing::read_golden("transform.json");
  return file;
}

Interpolation interpolation_of(const json& name) {
  return name == "bicubic" ? Interpolation::kBicubic : Interpolation::kBilinear;
}

TEST(TransformGolden, ThreeAugmentEqualsThePublishedCode) {
  ASSERT_EQ(golden()["three_augments"].size(), 24U);
  for (const json& expected : golden()["three_augments"]) {
    Image image = synthetic_picture(expected["size"][0], expected["size"][1], expected["seed"]);
    apply_three_augment(image,
                        {static_cast<ThreeAugmentOperation>(expected["operation"].get<int>()),
                         expected["radius"].get<double>()});
    EXPECT_EQ(testing::xxh3(image.pixels), expected["xxh3"]) << expected.dump();
  }
}

/// The boxes that timm's tries came to, through our erased_box_of.
std::vector<ErasedBox> boxes_of(const json& expected) {
  std::vector<ErasedBox> boxes;
  for (const json& attempt : expected["tries"]) {
    auto box = erased_box_of(expected["size"], attempt["area"], attempt["aspect"]);
    EXPECT_EQ(box.has_value(), attempt["fits"].get<bool>()) << attempt.dump();
    if (!box) continue;
    box->top = attempt["place"][0];
    box->left = attempt["place"][1];
    boxes.push_back(*box);
  }
  return boxes;
}

TEST(TransformGolden, RandomErasingEqualsTimm) {
  ASSERT_EQ(golden()["erasings"].size(), 36U);
  int failed_tries = 0;
  for (const json& expected : golden()["erasings"]) {
    const int size = expected["size"];
    const Image image = synthetic_picture(size, size, expected["seed"]);
    std::vector<float> pixels(image.pixels.size());
    std::ranges::transform(image.pixels, pixels.begin(),
                           [](std::uint8_t value) { return static_cast<float>(value) / 255.0F; });
    const std::vector<ErasedBox> boxes = boxes_of(expected);
    ASSERT_EQ(boxes.size(), expected["values"].size()) << expected.dump();
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      const auto values = expected["values"][i].get<std::vector<float>>();
      erase_box(pixels.data(), size, boxes[i], values);
    }
    failed_tries += static_cast<int>(expected["tries"].size() - boxes.size());
    EXPECT_EQ(testing::xxh3(pixels), expected["xxh3"]) << expected["mode"] << " " << size;
  }
  EXPECT_GT(failed_tries, 10) << "tries that do not fit are not covered";
}

ColorJitterDraw jitter_of(const json& drawn) {
  ColorJitterDraw draw;
  draw.order = drawn["order"].get<std::array<int, 4>>();
  const auto factor = [&](std::size_t i) -> std::optional<double> {
    const json& value = drawn["factors"][i];
    return value.is_null() ? std::nullopt : std::optional<double>(value.get<double>());
  };
  draw.brightness = factor(0);
  draw.contrast = factor(1);
  draw.saturation = factor(2);
  draw.hue = factor(3);
  return draw;
}

TEST(TransformGolden, WholeTransformsEqualTimms) {
  ASSERT_EQ(golden()["pipelines"].size(), 36U);
  std::size_t steps = 0;
  for (const json& expected : golden()["pipelines"]) {
    const Image source =
        synthetic_picture(expected["source"][0], expected["source"][1], expected["seed"]);
    const int size = expected["image_size"];
    const auto crop = expected["crop"].get<std::array<int, 4>>();
    Image image;
    resize(ImageView(source).crop(crop[0], crop[1], crop[2], crop[3]), size, size,
           interpolation_of(expected["interpolation"]), image);
    if (expected.value("mirrored", false)) flip_horizontally(image);
    if (expected.value("upended", false)) flip_vertically(image);
    for (const json& step : expected["steps"]) {
      const auto operation = operation_named(step["operation"].get<std::string>());
      ASSERT_TRUE(operation) << step.dump();
      apply_rand_augment(image, {*operation, step["magnitude"], step["negate"]},
                         {interpolation_of(step["interpolation"]), {124, 116, 104}});
      ++steps;
    }
    if (expected.contains("jitter")) apply_color_jitter(image, jitter_of(expected["jitter"]));
    std::vector<float> out(image.pixels.size());
    normalize(image, Normalization{}, {}, out.data());
    for (std::size_t i = 0; i < expected.value("boxes", json::array()).size(); ++i) {
      const auto box = expected["boxes"][i].get<std::array<int, 4>>();
      erase_box(out.data(), size, {box[0], box[1], box[2], box[3]},
                expected["values"][i].get<std::vector<float>>());
    }
    EXPECT_EQ(testing::xxh3(out), expected["xxh3"]) << expected["options"].dump();
  }
  EXPECT_GT(steps, 40U);
}

}  // namespace
}  // namespace casvit::dataio
