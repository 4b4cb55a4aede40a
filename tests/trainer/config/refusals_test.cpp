// What the configuration refuses, and what it says: place, key, fault, and what would do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "trainer/config/config.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string refusal(const std::string& yaml, const std::vector<Override>& overrides = {}) {
  try {
    parse_config(yaml, "recipe.yaml", overrides);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "(accepted)";
}

struct Case {
  std::string yaml;
  std::string message;  ///< all of it
};

class FileRefusal : public ::testing::TestWithParam<Case> {};

TEST_P(FileRefusal, SaysWhereWhatAndWhatWouldDo) {
  EXPECT_EQ(refusal(GetParam().yaml), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    UnknownKeys, FileRefusal,
    ::testing::Values(
        Case{"optimizer:\n  lerning_rate: 1e-3\n",
             "recipe.yaml:2: unknown key optimizer.lerning_rate; did you mean "
             "optimizer.learning_rate?"},
        Case{"train:\n  epochs: 3\n\n# a comment\nmixup:\n  porb: 0.5\n",
             "recipe.yaml:6: unknown key mixup.porb; did you mean mixup.prob?"},
        Case{"optimiser:\n  learning_rate: 1e-3\n",
             "recipe.yaml:1: unknown section optimiser; did you mean optimizer?"},
        Case{"train:\n  learning_rate: 1e-3\n",
             "recipe.yaml:2: unknown key train.learning_rate; did you mean "
             "optimizer.learning_rate?"},
        Case{"train:\n  batch_size: 64\n",
             "recipe.yaml:2: unknown key train.batch_size; did you mean batch.shard_size?"},
        Case{"lr: 1e-3\n", "recipe.yaml:1: unknown key lr; did you mean optimizer.learning_rate?"},
        Case{"devise: cpu\n", "recipe.yaml:1: unknown key devise; did you mean device?"},
        Case{"train.epochs: 3\n",
             "recipe.yaml:1: a key with a dot is for --set; in a file write\ntrain:\n  epochs: "
             "..."},
        Case{"? [a, b]\n: 3\n", "recipe.yaml:1: a key must be a name such as train.epochs"}));

INSTANTIATE_TEST_SUITE_P(
    WrongTypes, FileRefusal,
    ::testing::Values(
        Case{"train:\n  epochs: forty\n",
             "recipe.yaml:2: train.epochs needs a whole number, but has \"forty\""},
        Case{"train:\n  epochs: \"40\"\n",
             "recipe.yaml:2: train.epochs needs a whole number, but has the text \"40\""},
        Case{"train:\n  epochs: 2.5\n",
             "recipe.yaml:2: train.epochs needs a whole number, but has \"2.5\""},
        Case{"train:\n  epochs: 1e2\n",
             "recipe.yaml:2: train.epochs needs a whole number, but has \"1e2\""},
        Case{"train:\n  epochs:\n",
             "recipe.yaml:2: train.epochs needs a whole number, but has nothing"},
        Case{"train:\n  epochs: [1, 2]\n",
             "recipe.yaml:2: train.epochs needs a whole number, but has a list of 2"},
        Case{"train:\n  epochs: {a: 1}\n",
             "recipe.yaml:2: train.epochs needs a whole number, but has a section"},
        Case{"train:\n  epochs: 99999999999\n",
             "recipe.yaml:2: train.epochs is 99999999999, too large a number to be held"},
        Case{"train:\n  seed: -1\n", "recipe.yaml:2: train.seed is -1; it must be at least 0"},
        Case{"train:\n  seed: 18446744073709551616\n",
             "recipe.yaml:2: train.seed is 18446744073709551616, too large a number to be held"},
        Case{"optimizer:\n  learning_rate: fast\n",
             "recipe.yaml:2: optimizer.learning_rate needs a number, but has \"fast\""},
        Case{"optimizer:\n  learning_rate: nan\n",
             "recipe.yaml:2: optimizer.learning_rate needs a finite number, but has \"nan\""},
        Case{"optimizer:\n  learning_rate: 1e999\n",
             "recipe.yaml:2: optimizer.learning_rate is 1e999, beyond what a double can hold"},
        Case{"ema:\n  warmup: yes\n",
             "recipe.yaml:2: ema.warmup needs true or false, but has \"yes\""},
        Case{"model:\n  name: [rcvit_xs]\n",
             "recipe.yaml:2: model.name needs a text, but has a list of 1"},
        Case{"data:\n  train:\n    - a.h5\n    - [b.h5]\n",
             "recipe.yaml:2: data.train needs a text in each place of its list, but has a "
             "list of 1"},
        Case{"data:\n  train: {a: b}\n",
             "recipe.yaml:2: data.train needs a text or a list of texts, but has a section"},
        Case{"augment:\n  crop_scale: 0.4\n",
             "recipe.yaml:2: augment.crop_scale needs a list of 2 numbers such as [0.08, 1], but "
             "has \"0.4\""},
        Case{"data:\n  mean: [0.5, 0.5]\n",
             "recipe.yaml:2: data.mean needs a list of 3 numbers such as [0.485, 0.456, 0.406], "
             "but has a list of 2"},
        Case{"data:\n  mean: [0.5, 0.5, x]\n",
             "recipe.yaml:2: data.mean needs a number, but has \"x\""}));

INSTANTIATE_TEST_SUITE_P(
    ImpossibleValues, FileRefusal,
    ::testing::Values(
        Case{"train:\n  epochs: 0\n",
             "recipe.yaml:2: train.epochs is 0; it must be at least 1 and at most 16777216"},
        Case{"optimizer:\n  learning_rate: 0\n",
             "recipe.yaml:2: optimizer.learning_rate is 0; it must be above 0"},
        Case{"optimizer:\n  betas: [0.9, 1]\n",
             "recipe.yaml:2: optimizer.betas is [0.9, 1]; each number must be at least 0 and below "
             "1"},
        Case{"model:\n  name: rcvit_l\n",
             "recipe.yaml:2: model.name is rcvit_l; it must be rcvit_xs, rcvit_s, rcvit_m or "
             "rcvit_t"},
        Case{"model:\n  image_size: 31\n",
             "recipe.yaml:2: model.image_size is 31; it must be at least 32 and at most 4096"},
        Case{"precision:\n  amp: fp8\n",
             "recipe.yaml:2: precision.amp is fp8; it must be auto, off, bf16 or fp16"},
        Case{"augment:\n  eval_crop_ratio: 1.2\n",
             "recipe.yaml:2: augment.eval_crop_ratio is 1.2; it must be above 0 and at most 1"},
        Case{"augment:\n  hue: 0.6\n",
             "recipe.yaml:2: augment.hue is 0.6; it must be at least 0 and at most 0.5"},
        Case{"augment:\n  rand_augment: rand-x9\n",
             "recipe.yaml:2: augment.rand_augment is rand-x9; it must be timm's string, e.g. "
             "rand-m9-mstd0.5-inc1, or empty for none"},
        Case{"device: gpu\n", "recipe.yaml:1: device is gpu; it must be auto, cpu or cuda"}));

INSTANTIATE_TEST_SUITE_P(
    Recipes, FileRefusal,
    ::testing::Values(
        Case{"clip:\n  norm: 5\n  agc: 0.01\n",
             "recipe.yaml:2: clip.norm is 5, clip.value is 0 (default), clip.agc is 0.01 "
             "(recipe.yaml:3); gradients are clipped in one way: set the others to 0"},
        Case{"schedule:\n  warmup_epochs: 2\n  warmup_steps: 100\n",
             "recipe.yaml:2: schedule.warmup_epochs is 2, schedule.warmup_steps is 100 "
             "(recipe.yaml:3); they say the same: give one of them"},
        Case{"model:\n  drop_path_schedule: late\n",
             "recipe.yaml:2: model.drop_path_schedule is late, model.drop_path_epochs is 0 "
             "(default); say for how many epochs, e.g. model.drop_path_epochs: 50"},
        Case{"loss:\n  name: bce\n  class_weights: balanced\n",
             "recipe.yaml:2: loss.name is bce, loss.class_weights is balanced (recipe.yaml:3); bce "
             "asks about every class of every picture: it takes no class weights"},
        Case{"optimizer:\n  base_batch_size: 6400000\n",
             "schedule.minimum is 1e-06 (default), optimizer.learning_rate is 0.001 (default); the "
             "minimum must not be above the learning rate (after scaling by "
             "optimizer.base_batch_size)"},
        Case{"optimizer:\n  weight_decay_end: some\n",
             "recipe.yaml:2: optimizer.weight_decay_end needs a number, but has \"some\""},
        Case{"train:\n  patience: 3\n",
             "recipe.yaml:2: train.patience is 3, data.val is [] (default); it counts evaluations: "
             "name validation data in data.val"}));

INSTANTIATE_TEST_SUITE_P(
    Combinations, FileRefusal,
    ::testing::Values(
        Case{"batch:\n  shard_size: 33\nmixup:\n  mixup_alpha: 0.8\n",
             "recipe.yaml:2: batch.shard_size is 33, mixup.mixup_alpha is 0.8 (recipe.yaml:4); "
             "mixup pairs the pictures of a shard, so that batch.shard_size must be even"},
        Case{"mixup:\n  cutmix_minmax: [0.8, 0.2]\n",
             "recipe.yaml:2: mixup.cutmix_minmax is [0.8, 0.2], model.image_size is 224 (default); "
             "the first must be the smaller, by a pixel at least"},
        Case{"augment:\n  crop_scale: [1, 0.4]\n",
             "recipe.yaml:2: augment.crop_scale is [1, 0.4]; the first must not be above the "
             "second"},
        Case{"augment:\n  cutout_holes: 1\n",
             "recipe.yaml:2: augment.cutout_holes is 1, augment.cutout_length is 0 (default); give "
             "the side of a hole in pixels too, e.g. augment.cutout_length: 16"},
        Case{"augment:\n  cutout_length: 16\n",
             "recipe.yaml:2: augment.cutout_length is 16, augment.cutout_holes is 0 (default); "
             "give the number of holes too, e.g. augment.cutout_holes: 1"},
        Case{"augment:\n  three_augment: true\n  rand_augment: rand-m9\n",
             "recipe.yaml:2: augment.three_augment is true, augment.rand_augment is rand-m9 "
             "(recipe.yaml:3); they are alternatives: turn one of them off"},
        Case{"augment:\n  erase_area: [0.4, 0.3]\n",
             "recipe.yaml:2: augment.erase_area is [0.4, 0.3]; the first must not be above the "
             "second"},
        Case{"augment:\n  erase_aspect: [2, 1]\n",
             "recipe.yaml:2: augment.erase_aspect is [2, 1]; the first must not be above the "
             "second"},
        Case{"multi_scale:\n  rule: pixels\n  min_size: 200\n  max_size: 220\n",
             "recipe.yaml:3: multi_scale.min_size is 200, multi_scale.max_size is 220 "
             "(recipe.yaml:4), multi_scale.divisor is 32 (default); no image size lies between the "
             "two"},
        Case{"augment: {cutout_holes: 1, cutout_length: 200}\nmulti_scale: {rule: published}\n",
             "recipe.yaml:1: augment.cutout_length is 200, multi_scale.min_size is 160 (default); "
             "a hole must not be larger than the smallest picture"},
        Case{"device: cpu\nprecision:\n  amp: fp16\n",
             "recipe.yaml:3: precision.amp is fp16, device is cpu (recipe.yaml:1); fp16 needs a "
             "GPU; on a CPU use bf16, off or auto"},
        Case{"train:\n  epochs: 3\nschedule:\n  warmup_epochs: 3\n",
             "recipe.yaml:4: schedule.warmup_epochs is 3, train.epochs is 3 (recipe.yaml:2); the "
             "warm-up must be shorter than the training"},
        Case{"schedule:\n  minimum: 0.1\n",
             "recipe.yaml:2: schedule.minimum is 0.1, optimizer.learning_rate is 0.001 (default); "
             "the minimum must not be above the learning rate"},
        Case{"parallel:\n  reproducible: true\n  transport: bfloat16\n",
             "recipe.yaml:2: parallel.reproducible is true, parallel.transport is bfloat16 "
             "(recipe.yaml:3); what is rounded on its way between ranks depends on how many there "
             "are; use parallel.transport: float32"},
        Case{"launch:\n  expect_ranks: 3\nbatch:\n  shards: 4\n",
             "recipe.yaml:2: launch.expect_ranks is 3, batch.shards is 4 (recipe.yaml:4); the "
             "number of ranks must divide the number of shards"},
        Case{"launch:\n  expect_hosts: 3\n  expect_ranks: 2\nbatch:\n  shards: 4\n",
             "recipe.yaml:2: launch.expect_hosts is 3, launch.expect_ranks is 2 (recipe.yaml:3); "
             "every host has a rank at least"}));

INSTANTIATE_TEST_SUITE_P(
    Shape, FileRefusal,
    ::testing::Values(
        Case{"train:\n  epochs: 3\n  seed: 1\n  epochs: 4\n",
             "recipe.yaml:4: train.epochs is given twice, first at recipe.yaml:2; keep one"},
        Case{"train:\n  epochs: 3\nmodel:\n  name: rcvit_s\ntrain:\n  seed: 4\n",
             "recipe.yaml:5: train is given twice, first at recipe.yaml:1; keep one"},
        Case{"train: 40\n",
             "recipe.yaml:1: train is a section: put its keys below it, indented, e.g. "
             "train.epochs"},
        Case{"- train\n- model\n",
             "recipe.yaml:1: a configuration is made of sections such as\nmodel:\n  name: "
             "rcvit_xs"},
        Case{"train:\n  epochs: 3\n---\ntrain:\n  epochs: 4\n",
             "recipe.yaml:4: a second YAML document begins; a configuration is one"}));

TEST(ConfigRefusal, SyntaxErrorsNameFileAndLine) {
  EXPECT_THAT(refusal("train:\n  epochs: 3\n\tseed: 1\n"),
              AllOf(HasSubstr("recipe.yaml:3: not valid YAML"), HasSubstr("spaces")));
  EXPECT_THAT(refusal("data:\n  train: *.h5\n"),
              AllOf(HasSubstr("recipe.yaml:2: not valid YAML"), HasSubstr("quote")));
  EXPECT_THAT(refusal("data:\n  train: [a.h5\n"), HasSubstr("not valid YAML"));
}

TEST(ConfigRefusal, OverridesAreNamedAsTheyWereWritten) {
  EXPECT_EQ(refusal("", {{"optimizer.lr", "1"}}),
            "--set optimizer.lr=1: unknown key optimizer.lr; did you mean "
            "optimizer.learning_rate?");
  EXPECT_EQ(refusal("", {{"train.epochs", "many"}}),
            "--set train.epochs=many: train.epochs needs a whole number, but has \"many\"");
  EXPECT_EQ(refusal("", {{"clip.norm", "-1"}}),
            "--set clip.norm=-1: clip.norm is -1; it must be at least 0");
  EXPECT_EQ(
      refusal("", {{"mixup", "{prob: 0.5}"}}),
      "--set mixup={prob: 0.5}: mixup is a section; set one of its keys, e.g. mixup.mixup_alpha");
  EXPECT_THAT(refusal("", {{"augment.crop_scale", "[0.4, 1"}}),
              HasSubstr("--set augment.crop_scale=[0.4, 1: not a YAML value"));
  EXPECT_EQ(refusal("batch:\n  shard_size: 32\n",
                    {{"mixup.cutmix_alpha", "1"}, {"batch.shard_size", "31"}}),
            "--set batch.shard_size=31: batch.shard_size is 31, mixup.cutmix_alpha is 1 (--set "
            "mixup.cutmix_alpha=1); mixup pairs the pictures of a shard, so that batch.shard_size "
            "must be even");
}

TEST(ConfigRefusal, OverridesAreKeyEqualsValue) {
  EXPECT_EQ(parse_override("a.b=c=d").key, "a.b");
  EXPECT_EQ(parse_override("a.b=c=d").value, "c=d");
  EXPECT_EQ(parse_override("model.init=").value, "");
  EXPECT_THROW(parse_override("train.epochs"), ConfigError);
  EXPECT_THROW(parse_override("=3"), ConfigError);
}

TEST(ConfigRefusal, MissingFileAndFolderAreNamed) {
  const auto refusal_of = [](const std::string& path) -> std::string {
    try {
      load_config(path, {});
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "(accepted)";
  };
  EXPECT_THAT(refusal_of("no/such/recipe.yaml"),
              AllOf(HasSubstr("no/such/recipe.yaml"), HasSubstr("No such file")));
  EXPECT_THAT(refusal_of("/tmp"), AllOf(HasSubstr("/tmp"), HasSubstr("directory")));
}

}  // namespace
}  // namespace casvit::trainer
