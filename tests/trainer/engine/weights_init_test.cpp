// Weights to start from: what fits is taken, heads of other classes start anew, the rest is
// refused.

#include "trainer/engine/weights_init.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/trainer/checkpoint/scratch_folder.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/error.h"
#include "trainer/model/rcvit.h"

namespace casvit::trainer {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

Rcvit model(int classes, bool distillation, std::uint64_t seed,
            const std::string& name = "rcvit_xs") {
  RcvitOptions options = rcvit_options(name);
  options.num_classes = classes;
  options.distillation = distillation;
  Rcvit result(options, at::kFloat, at::kCPU);
  result.initialise(seed);
  return result;
}

std::vector<NamedTensor> tensors_of(const Rcvit& model, const std::string& prefix = "") {
  std::vector<NamedTensor> tensors;
  for (const ModelState::Entry& entry : model.state().entries()) {
    tensors.push_back({prefix + entry.name, entry.tensor});
  }
  return tensors;
}

bool has_tensor(const Rcvit& one, const Rcvit& other, const std::string& name) {
  return at::equal(one.state().entry(name).tensor, other.state().entry(name).tensor);
}

class WeightsInit : public testing::Test {
 protected:
  LoadedWeights load(Rcvit& target, HeadPolicy heads = HeadPolicy::kMayDiffer) {
    return load_weights(path(), WeightsChoice::kAuto, target.state(), heads);
  }
  void write(const Rcvit& source) { write_safetensors(path(), tensors_of(source), {}); }
  std::string refusal(Rcvit& target, HeadPolicy heads = HeadPolicy::kMayDiffer) {
    return message_of<CheckpointError>([&] { load(target, heads); });
  }
  std::string path() const { return folder_ / "w.safetensors"; }

 private:
  ScratchFolder folder_;
};

TEST_F(WeightsInit, WhatFitsIsTakenWhole) {
  const Rcvit source = model(5, true, 1);
  write(source);
  Rcvit target = model(5, true, 2);
  const LoadedWeights loaded = load(target);
  EXPECT_FALSE(loaded.is_ema);
  EXPECT_THAT(loaded.notes, ElementsAre(AllOf(HasSubstr(path()), HasSubstr("weights:"))));
  for (const ModelState::Entry& entry : source.state().entries()) {
    EXPECT_TRUE(has_tensor(target, source, entry.name)) << entry.name;
  }
}

TEST_F(WeightsInit, HeadOfOtherClassesStartsAnewAndItIsSaid) {
  const Rcvit source = model(5, false, 1);
  write(source);
  Rcvit target = model(3, false, 2);
  EXPECT_THAT(
      load(target).notes,
      ElementsAre(HasSubstr("tensors from"),
                  HasSubstr("head: the file's has 5 classes, the model 3; it starts from")));
  const Rcvit fresh = model(3, false, 2);
  EXPECT_TRUE(has_tensor(target, fresh, "head.weight"));
  EXPECT_TRUE(has_tensor(target, fresh, "head.bias"));
  EXPECT_TRUE(has_tensor(target, source, "norm.running_mean"));
  EXPECT_TRUE(has_tensor(target, source, "patch_embed.0.weight"));
}

TEST_F(WeightsInit, SecondHeadsThatOnlyOneHasAreSaid) {
  const Rcvit one_head = model(5, false, 1);
  write(one_head);
  Rcvit two_heads = model(5, true, 2);
  EXPECT_THAT(load(two_heads).notes,
              ElementsAre(testing::_, HasSubstr("dist_head: not in the file")));
  EXPECT_TRUE(has_tensor(two_heads, one_head, "head.weight"));
  EXPECT_TRUE(has_tensor(two_heads, model(5, true, 2), "dist_head.weight"));

  write(model(5, true, 1));
  Rcvit target = model(3, false, 2);
  EXPECT_THAT(load(target).notes,
              ElementsAre(testing::_, HasSubstr("head: the file's has 5 classes"),
                          HasSubstr("dist_head: left out, for model.distillation is off")));
}

TEST_F(WeightsInit, WithoutTheChoiceHeadsMustFit) {
  write(model(5, false, 1));
  Rcvit target = model(3, false, 2);
  EXPECT_THAT(
      refusal(target, HeadPolicy::kMustFit),
      AllOf(HasSubstr("head.weight [5, 220] for [3, 220]"), HasSubstr("model.num_classes")));
}

TEST_F(WeightsInit, OtherDifferencesAreListedAndNothingIsTaken) {
  write(model(5, false, 1, "rcvit_s"));
  Rcvit target = model(5, false, 2);
  EXPECT_THAT(
      refusal(target),
      AllOf(HasSubstr("does not fit the model"), HasSubstr("not of this model: network.0.2"),
            HasSubstr("of another shape: head.weight [5, 256] for [5, 220]")));
  for (const ModelState::Entry& entry : target.state().entries()) {
    EXPECT_TRUE(has_tensor(target, model(5, false, 2), entry.name)) << entry.name;
    break;
  }

  std::vector<NamedTensor> half_a_head = tensors_of(model(3, false, 1));
  half_a_head.back().tensor = at::zeros({5});  // head.bias
  write_safetensors(path(), half_a_head, {});
  EXPECT_THAT(refusal(target), HasSubstr("head.weight [3, 220] for [5, 220]"));
}

TEST_F(WeightsInit, OfOurCheckpointsTheEmaIsTaken) {
  const Rcvit source = model(5, false, 1);
  const Rcvit average = model(5, false, 3);
  std::vector<NamedTensor> tensors = tensors_of(source, "model.");
  for (NamedTensor& entry : tensors_of(average, "ema.")) tensors.push_back(entry);
  write_checkpoint(path(), {CheckpointInfo{}, tensors});
  Rcvit target = model(4, false, 2);
  const LoadedWeights loaded = load(target);
  EXPECT_TRUE(loaded.is_ema);
  EXPECT_THAT(loaded.notes.front(), HasSubstr("(EMA)"));
  EXPECT_TRUE(has_tensor(target, average, "norm.weight"));
  EXPECT_TRUE(has_tensor(target, average, "patch_embed.0.weight"));
}

TEST_F(WeightsInit, FilesOfTorchSaveNameTheCommandThatConvertsThem) {
  Rcvit target = model(5, false, 2);
  for (const char* form : {"zip", "legacy", "protocol4"}) {
    const std::string file = std::string("trainer/import/golden/trainer.") + form + ".pth";
    EXPECT_THAT(message_of<CheckpointError>(
                    [&] { load_weights(file, WeightsChoice::kAuto, target.state()); }),
                HasSubstr("casvit_dist import " + file + " -o OUT.safetensors"));
  }
}

}  // namespace
}  // namespace casvit::trainer
