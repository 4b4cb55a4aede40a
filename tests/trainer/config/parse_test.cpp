// What a configuration may look like, and what comes out of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "trainer/config/config.h"
#include "trainer/config/field.h"
#include "trainer/config/nearest_key.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using ::testing::ElementsAre;

TEST(ConfigParse, FileOverDefaultsThenOverridesInOrder) {
  const Config config = parse_config("train: {epochs: 7, seed: 3}\nmodel:\n  name: rcvit_m\n", "f",
                                     {{"train.epochs", "8"}, {"train.epochs", "9"}});
  EXPECT_EQ(config.train.epochs, 9);
  EXPECT_EQ(config.train.seed, 3U);
  EXPECT_EQ(config.model.name, "rcvit_m");
  EXPECT_EQ(config.batch.shard_size, Config{}.batch.shard_size);
}

TEST(ConfigParse, FilesAreOneOrAList) {
  EXPECT_THAT(parse_config("data: {train: a.h5}", "f", {}).data.train, ElementsAre("a.h5"));
  EXPECT_THAT(parse_config("data:\n  train:\n  - a.h5\n  - 'b *.h5'\n", "f", {}).data.train,
              ElementsAre("a.h5", "b *.h5"));
  EXPECT_THAT(parse_config("", "f", {{"data.train", "[a.h5, b.h5]"}}).data.train,
              ElementsAre("a.h5", "b.h5"));
}

TEST(ConfigParse, OverridesTakeGlobsAndOddNamesAsTheyAre) {
  EXPECT_THAT(parse_config("", "f", {{"data.train", "*.h5"}}).data.train, ElementsAre("*.h5"));
  EXPECT_THAT(parse_config("", "f", {{"data.train", "a: b #c.h5"}}).data.train,
              ElementsAre("a: b #c.h5"));
  EXPECT_EQ(parse_config("model: {init: a.safetensors}", "f", {{"model.init", ""}}).model.init, "");
  EXPECT_EQ(parse_config("", "f", {{"model.init", "null"}}).model.init, "");
}

TEST(ConfigParse, NullTakesAnOptionalValueBack) {
  const std::string yaml = "data: {mean: [0.1, 0.2, 0.3]}";
  const std::array<double, 3> mean{0.1, 0.2, 0.3};
  EXPECT_EQ(parse_config(yaml, "f", {}).data.mean, mean);
  EXPECT_EQ(parse_config(yaml, "f", {{"data.mean", "null"}}).data.mean, std::nullopt);
}

TEST(ConfigParse, AnEmptySectionChangesNothing) {
  EXPECT_TRUE(
      differences(Config{}, parse_config("mixup:\n  # prob: 1\ntrain:\n", "f", {})).empty());
}

TEST(ConfigParse, WholeRangeOfEachIntegerIsRead) {
  EXPECT_EQ(parse_config("train: {seed: 18446744073709551615}", "f", {}).train.seed, ~0ULL);
  EXPECT_EQ(parse_config("train: {max_steps: 9223372036854775807}", "f", {}).train.max_steps,
            9223372036854775807LL);
}

TEST(ConfigParse, EveryFieldHasItsOwnKeyAndADescription) {
  std::vector<std::string_view> keys;
  for (const Field& field : fields()) {
    EXPECT_GT(field.description.size(), 8U) << field.key;
    keys.push_back(field.key);
  }
  std::ranges::sort(keys);
  EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());
  EXPECT_EQ(find_field("model.image_size")->key, "model.image_size");
  EXPECT_EQ(find_field("model"), nullptr);
  EXPECT_TRUE(is_section("model"));
  EXPECT_FALSE(is_section("device"));
}

TEST(ConfigParse, ReferenceHasARowForEveryKey) {
  const std::string reference = config_reference();
  for (const Field& field : fields()) {
    EXPECT_NE(reference.find("| `" + std::string(field.key) + "` | "), std::string::npos);
  }
  EXPECT_EQ(std::ranges::count(reference, '\n'), static_cast<long>(fields().size()) + 2);
}

TEST(NearestKey, EditDistanceCountsSwapsAsOne) {
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("porb", "prob"), 1);
  EXPECT_EQ(edit_distance("same", "same"), 0);
}

TEST(NearestKey, NamesOfOtherProgramsAreKnown) {
  EXPECT_EQ(nearest_key("smoothing"), "loss.label_smoothing");
  EXPECT_EQ(nearest_key("optimizer.wd"), "optimizer.weight_decay");
  EXPECT_EQ(nearest_key("augment.cutout"), "augment.cutout_holes");
  for (const char* other : {"aa", "lr", "input_size", "nb_classes", "workers", "update_freq",
                            "reprob", "three_aug", "multi_scale_sampler"}) {
    EXPECT_NE(find_field(nearest_key(other)), nullptr) << other;
  }
}

TEST(ConfigParse, RandAugmentIsWhatTheAugmentationReads) {
  for (const char* good : {"", "rand", "rand-m9-mstd0.5-inc1", "rand-m7-n3-p0.5", "rand-m14-mmax20",
                           "rand-m9-t3a", "rand-tweights"}) {
    EXPECT_EQ(parse_config("", "f", {{"augment.rand_augment", good}}).augment.rand_augment, good);
  }
  for (const char* bad : {"rnd-m9", "rand-", "rand-m", "rand-m9-", "rand-m1.5", "rand-mstd",
                          "rand-x3", "rand-w0", "augmix-m9", "rand-m-9", "rand m9"}) {
    EXPECT_THROW(parse_config("", "f", {{"augment.rand_augment", bad}}), ConfigError) << bad;
  }
}

}  // namespace
}  // namespace casvit::trainer
