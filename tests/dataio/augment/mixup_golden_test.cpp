// Mixup and CutMix against timm: golden/mixup.json holds what timm drew and what it made of it.
#include <gtest/gtest.h>

#include "dataio/augment/mixup_draw.h"
#include "tests/dataio/golden_data.h"

namespace casvit::dataio {
namespace {

using nlohmann::json;

/// The pictures that golden/make_mixup.py makes.
std::vector<float> source_images(int samples, int size) {
  std::vector<float> images;
  for (int n = 0; n < samples; ++n) {
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x) {
        for (int c = 0; c < 3; ++c) {
          const int value = (n * 7919 + y * 131 + x * 17 + c * 3) % 257;
          images.push_back(static_cast<float>(value) / 257.0F - 0.5F);
        }
      }
    }
  }
  return images;
}

MixupOptions options_of(const json& expected, int classes) {
  MixupOptions options;
  const json& given = expected["options"];
  options.mixup_alpha = given.value("mixup_alpha", 1.0);
  options.cutmix_alpha = given.value("cutmix_alpha", 0.0);
  if (given.contains("cutmix_minmax")) {
    options.cutmix_minmax = given["cutmix_minmax"].get<std::array<double, 2>>();
  }
  options.correct_lam = given.value("correct_lam", true);
  options.label_smoothing = given.value("label_smoothing", 0.1);
  options.num_classes = classes;
  const std::string mode = expected["mode"];
  options.mode = mode == "batch"  ? MixupMode::kBatch
                 : mode == "pair" ? MixupMode::kPair
                                  : MixupMode::kElem;
  return options;
}

/// timm's draw, its box and lambda recomputed here from what timm drew.
MixupUnit unit_of(const json& given, const MixupOptions& options, int size) {
  const bool single = options.mode != MixupMode::kBatch;
  MixupUnit unit;
  unit.lambda = given["drawn"];
  unit.cutmix = given["cutmix"];
  unit.mixed = unit.lambda != 1.0;
  if (!unit.mixed || !unit.cutmix) return unit;
  const auto box = given["box"].get<std::array<int, 4>>();
  unit.box = {box[0], box[1], box[2], box[3]};
  if (!options.cutmix_minmax) {
    EXPECT_EQ(cutmix_box(size, unit.lambda, given["centre"][0], given["centre"][1], single),
              unit.box)
        << given.dump();
  }
  unit.lambda = corrected_lambda(unit.lambda, unit.box, size, options);
  EXPECT_EQ(unit.lambda, given["lambda"].get<double>()) << given.dump();
  if (single) unit.lambda = static_cast<float>(unit.lambda);
  return unit;
}

TEST(MixupGolden, EqualsTimmToTheBit) {
  const json golden = testing::read_golden("mixup.json");
  const int samples = golden["samples"];
  const int size = golden["size"];
  const int classes = golden["classes"];
  const auto labels = golden["labels"].get<std::vector<std::int32_t>>();
  int cut = 0;
  int blended = 0;
  int untouched = 0;
  for (const json& expected : golden["cases"]) {
    const MixupOptions options = options_of(expected, classes);
    std::vector<MixupUnit> units;
    for (const json& unit : expected["units"]) units.push_back(unit_of(unit, options, size));
    ASSERT_EQ(static_cast<int>(units.size()), mixup_units(options.mode, samples));
    for (const MixupUnit& unit : units) ++(!unit.mixed ? untouched : unit.cutmix ? cut : blended);

    std::vector<float> images = source_images(samples, size);
    std::vector<float> targets(static_cast<std::size_t>(samples * classes));
    apply_mixup_draw(images, samples, size, labels, options, units, targets);
    EXPECT_EQ(testing::xxh3(images), expected["images"]) << expected.dump();
    EXPECT_EQ(targets, expected["targets"].get<std::vector<float>>()) << expected.dump();
  }
  EXPECT_GT(cut, 20);
  EXPECT_GT(blended, 20);
  EXPECT_GT(untouched, 5);
}

}  // namespace
}  // namespace casvit::dataio
