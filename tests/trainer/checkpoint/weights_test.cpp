#include "trainer/checkpoint/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/trainer/checkpoint/example_tensors.h"
#include "tests/trainer/checkpoint/scratch_folder.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::UnorderedElementsAre;

std::vector<NamedTensor> both() {
  return {{"model.head.weight", counting({2})},
          {"model.norm.bias", counting({3})},
          {"ema.head.weight", counting({2}).add(1)},
          {"ema.norm.bias", counting({3}).add(1)},
          {"optimizer.exp_avg.head.weight", counting({2})}};
}
std::vector<NamedTensor> model_only() {
  return {{"model.head.weight", counting({2})}, {"scaler.scale", counting({})}};
}
std::vector<NamedTensor> plain() {
  return {{"head.weight", counting({2})}, {"patch_embed.0.weight", counting({1})}};
}

TEST(Weights, AutoTakesTheEmaWhereThereIsOne) {
  const Weights weights = select_weights(both(), WeightsChoice::kAuto, "f");
  EXPECT_TRUE(weights.is_ema);
  EXPECT_THAT(weights.tensors, UnorderedElementsAre(Key("head.weight"), Key("norm.bias")));
  EXPECT_TRUE(same_bytes(weights.tensors.at("head.weight"), counting({2}).add(1)));
}

TEST(Weights, AutoTakesTheModelElse) {
  const Weights weights = select_weights(model_only(), WeightsChoice::kAuto, "f");
  EXPECT_FALSE(weights.is_ema);
  EXPECT_THAT(weights.tensors, UnorderedElementsAre(Key("head.weight")));
}

TEST(Weights, ModelAndEmaCanBeAskedFor) {
  const Weights model = select_weights(both(), WeightsChoice::kModel, "f");
  EXPECT_FALSE(model.is_ema);
  EXPECT_TRUE(same_bytes(model.tensors.at("head.weight"), counting({2})));
  EXPECT_TRUE(select_weights(both(), WeightsChoice::kEma, "f").is_ema);
}

TEST(Weights, PlainFileIsTakenWhole) {
  for (const WeightsChoice choice : {WeightsChoice::kAuto, WeightsChoice::kModel}) {
    const Weights weights = select_weights(plain(), choice, "f");
    EXPECT_FALSE(weights.is_ema);
    EXPECT_THAT(weights.tensors,
                UnorderedElementsAre(Key("head.weight"), Key("patch_embed.0.weight")));
  }
}

TEST(Weights, WhatIsNotThereIsRefused) {
  const auto refusal = [](const std::vector<NamedTensor>& tensors, WeightsChoice choice) {
    return message_of<CheckpointError>([&] { select_weights(tensors, choice, "f.safetensors"); });
  };
  EXPECT_THAT(refusal(model_only(), WeightsChoice::kEma),
              AllOf(HasSubstr("f.safetensors"), HasSubstr("no EMA weights")));
  EXPECT_THAT(refusal(plain(), WeightsChoice::kEma), HasSubstr("no EMA weights"));
  EXPECT_THAT(refusal({{"ema.head.weight", counting({2})}}, WeightsChoice::kModel),
              HasSubstr("EMA weights only"));
  EXPECT_THAT(refusal({}, WeightsChoice::kAuto), HasSubstr("no tensors"));
}

TEST(Weights, AreReadFromPlainFilesAndCheckpoints) {
  const ScratchFolder folder;
  write_safetensors(folder / "plain.safetensors", plain(), {{"format", "pt"}});
  EXPECT_EQ(read_weights(folder / "plain.safetensors", WeightsChoice::kAuto).tensors.size(), 2U);
  const std::string path = folder / "checkpoint.safetensors";
  write_checkpoint(path, {CheckpointInfo{}, both()});
  EXPECT_TRUE(read_weights(path, WeightsChoice::kAuto).is_ema);
  std::string bytes = read_bytes(path);
  bytes.back() ^= 1;
  write_bytes(path, bytes);
  EXPECT_THAT(message_of<CheckpointError>([&] { read_weights(path, WeightsChoice::kAuto); }),
              HasSubstr("\"optimizer.exp_avg.head.weight\""));
}

TEST(WeightsMatch, ListsEveryDifference) {
  const std::map<std::string, at::Tensor> expected{{"head.weight", counting({12, 256})},
                                                   {"norm.bias", counting({3})},
                                                   {"norm.weight", counting({3})}};
  const std::map<std::string, at::Tensor> weights{{"head.weight", counting({1000, 256})},
                                                  {"norm.bias", counting({3}, at::kDouble)},
                                                  {"dist_head.bias", counting({3})}};
  const WeightsMatch match = match_weights(weights, expected);
  EXPECT_THAT(match.missing, ElementsAre("norm.weight"));
  EXPECT_THAT(match.unexpected, ElementsAre("dist_head.bias"));
  EXPECT_THAT(match.mismatched, ElementsAre("head.weight [1000, 256] for [12, 256]"));
  EXPECT_FALSE(match.is_exact());
  EXPECT_TRUE(match_weights(expected, expected).is_exact());
}

}  // namespace
}  // namespace casvit::trainer
