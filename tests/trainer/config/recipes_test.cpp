// The recipes that are shipped say what they are meant to say.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "trainer/config/config.h"

namespace casvit::trainer {
namespace {

// Tests run in tests/.
std::filesystem::path configs() { return "../configs"; }

TEST(Recipes, EveryShippedFileLoadsAndBeginsWithAComment) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(configs())) {
    if (entry.path().extension() != ".yaml") continue;
    ++files;
    Config config;
    ASSERT_NO_THROW(config = load_config(entry.path(), {})) << entry.path();
    EXPECT_FALSE(config.data.train.empty()) << entry.path();
    EXPECT_FALSE(config.data.val.empty()) << entry.path();
    EXPECT_FALSE(differences(Config{}, config).empty()) << entry.path();
  }
  EXPECT_EQ(files, 7);
}

TEST(Recipes, ImageNetFollowsThePublishedRecipe) {
  for (const std::string size : {"xs", "s", "m", "t"}) {
    const Config config = load_config(configs() / ("imagenet-" + size + ".yaml"), {});
    EXPECT_EQ(config.model.name, "rcvit_" + size);
    EXPECT_EQ(config.model.image_size, 224);
    EXPECT_EQ(config.model.drop_path, 0.1);
    EXPECT_EQ(config.batch.shards * config.batch.shard_size, 4096);
    EXPECT_EQ(config.train.epochs, 300);
    EXPECT_EQ(config.optimizer.learning_rate, 6e-3);
    EXPECT_EQ(config.optimizer.weight_decay, 0.05);
    EXPECT_EQ(config.schedule.warmup_epochs, 20);
    EXPECT_EQ(config.schedule.minimum, 1e-6);
    EXPECT_EQ(config.loss.label_smoothing, 0.1);
    EXPECT_EQ(config.ema.decay, 0.9995);
    EXPECT_EQ(config.multi_scale.rule, "published");
    EXPECT_EQ(config.multi_scale.min_size, 160);
    EXPECT_EQ(config.multi_scale.max_size, 320);
    EXPECT_EQ(config.augment.rand_augment, "rand-m9-mstd0.5-inc1");
    EXPECT_EQ(config.augment.eval_crop_ratio, 224.0 / 256.0);
    EXPECT_EQ(config.augment.brightness + config.augment.contrast + config.augment.saturation, 0)
        << "the published trainer drops its colour jitter where RandAugment is on";
  }
}

TEST(Recipes, SeedlingsXsIsTheRunOfTheDocs) {
  const Config config = load_config(configs() / "seedlings-xs-128.yaml", {});
  EXPECT_EQ(config.model.name, "rcvit_xs");
  EXPECT_EQ(config.model.image_size, 128);
  EXPECT_EQ(config.batch.shards * config.batch.shard_size, 32);
  EXPECT_EQ(config.train.epochs, 80);
  EXPECT_EQ(config.train.seed, 1);
  EXPECT_EQ(config.optimizer.learning_rate, 1.5e-3);
  EXPECT_EQ(config.mixup.off_epoch, 65);
  EXPECT_EQ(config.ema.decay, 0.999);
  EXPECT_TRUE(config.ema.warmup);
  EXPECT_EQ(config.data.mean, std::nullopt) << "as stored in the data";
}

TEST(Recipes, SeedlingsTIsTheTutorialsRecipe) {
  const Config config = load_config(configs() / "seedlings-t-224.yaml", {});
  EXPECT_EQ(config.model.name, "rcvit_t");
  EXPECT_EQ(config.model.image_size, 224);
  EXPECT_GT(config.augment.cutout_holes, 0);
  EXPECT_EQ(config.mixup.mixup_alpha, 0.8);
  EXPECT_EQ(config.mixup.cutmix_alpha, 1.0);
  EXPECT_EQ(config.mixup.prob, 0.1);
  EXPECT_EQ(config.mixup.switch_prob, 0.5);
  EXPECT_EQ(config.ema.decay, 0.9999);
}

}  // namespace
}  // namespace casvit::trainer
