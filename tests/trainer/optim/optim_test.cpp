// One optimisation step against closed forms.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "launch/single_communicator.h"
#include "trainer/optim/ema.h"
#include "trainer/optim/gradient_clipping.h"
#include "trainer/optim/gradient_norm.h"
#include "trainer/optim/loss.h"
#include "trainer/optim/loss_scaler.h"
#include "trainer/optim/optimizer.h"
#include "trainer/optim/schedule.h"

namespace casvit::trainer {
namespace {

ModelState two_tensors() {
  return {{{"layer.weight", {2, 3}, TensorRole::kDecayed},
           {"layer.bias", {3}, TensorRole::kPlain},
           {"norm.running_mean", {2}, TensorRole::kRunningMean},
           {"norm.num_batches_tracked", {}, TensorRole::kBatchesTracked}},
          at::kFloat,
          at::kCPU};
}

void fill(const ModelState& state, const std::string& name, double value) {
  at::Tensor tensor = state.entry(name).tensor;
  tensor.fill_(value);
}

TEST(Optimizer, ScalesRatesAndLeavesFrozenParametersAlone) {
  ModelState state = two_tensors();
  fill(state, "layer.weight", 0.5);
  fill(state, "layer.bias", 0.5);
  OptimizerOptions options;
  options.kind = OptimizerKind::kSgd;
  options.nesterov = false;
  Optimizer optimizer(
      state, options,
      {{.frozen = true, .learning_rate_scale = 1}, {.frozen = false, .learning_rate_scale = 0.25}});
  const at::Tensor gradients = at::ones_like(state.parameters());
  optimizer.step(gradients, {.learning_rate = 0.1, .weight_decay = 0.5}, 1);
  optimizer.step(gradients, {.learning_rate = 0.1, .weight_decay = 0.5}, 2);
  EXPECT_EQ(state.entry("layer.weight").tensor.min().item<float>(), 0.5F);
  // Not decayed, for it has one dimension: 0.025 of 1 and of 1.9.
  EXPECT_FLOAT_EQ(state.entry("layer.bias").tensor[0].item<float>(), 0.5F - 0.0725F);
}

TEST(Ema, AveragesParametersAndBuffersAndCopiesCounters) {
  ModelState model = two_tensors();
  Ema average(model);
  fill(model, "layer.weight", 1.0);
  fill(model, "norm.running_mean", 2.0);
  fill(model, "norm.num_batches_tracked", 7);
  average.update(model, {.decay = 0.75, .warmup = false}, 0);
  EXPECT_FLOAT_EQ(average.own_parameters()[model.entry("layer.weight").offset].item<float>(),
                  0.25F);
  EXPECT_FLOAT_EQ(average.buffers()[model.entry("norm.running_mean").offset].item<float>(), 0.5F);
  EXPECT_EQ(average.counters()[0].item<std::int64_t>(), 7);
}

TEST(Ema, DecayWarmsUp) {
  const EmaOptions warm{.decay = 0.998, .warmup = true};
  EXPECT_DOUBLE_EQ(ema_decay(warm, 0), 0.1);
  EXPECT_DOUBLE_EQ(ema_decay(warm, 89), 90.0 / 99.0);
  EXPECT_DOUBLE_EQ(ema_decay(warm, 1'000'000), 0.998);
  EXPECT_DOUBLE_EQ(ema_decay({.decay = 0.998, .warmup = false}, 0), 0.998);
}

TEST(GradientNorm, IsThatOfAllParametersAndIsClippedToTheLimit) {
  const ModelState state = two_tensors();
  const at::Tensor gradients = at::zeros_like(state.parameters());
  for (const ModelState::Entry& entry : state.entries()) {
    if (entry.is_parameter()) {
      gradients.narrow(0, entry.offset, entry.tensor.numel()).fill_(2.0);
    }
  }
  launch::SingleCommunicator alone;
  const double norm = global_gradient_norm(state, Partition::unsharded(state), gradients, alone);
  EXPECT_NEAR(norm, 6.0, 1e-12);  // nine twos
  EXPECT_EQ(clip_factor(norm, 10.0), 1.0);
  EXPECT_EQ(clip_factor(norm, 0.0), 1.0);
  EXPECT_NEAR(norm * clip_factor(norm, 3.0), 3.0, 1e-5);
}

TEST(Schedule, WarmsUpToThePeakAndFallsToTheMinimum) {
  ScheduleOptions options;
  options.peak = 1.0;
  options.minimum = 0.1;
  options.warmup_steps = 5;
  options.total_steps = 25;
  EXPECT_DOUBLE_EQ(schedule_value(options, 0), 0.0);
  EXPECT_DOUBLE_EQ(schedule_value(options, 2), 0.5);
  EXPECT_DOUBLE_EQ(schedule_value(options, 4), 1.0);
  EXPECT_DOUBLE_EQ(schedule_value(options, 5), 1.0);
  EXPECT_NEAR(schedule_value(options, 15), 0.55, 1e-12);
  EXPECT_NEAR(schedule_value(options, 24), 0.1 + 0.45 * (1 + std::cos(std::acos(-1.0) * 19 / 20)),
              1e-12);
}

TEST(Schedule, ConstantStaysAndStepsStopAtTheMinimum) {
  ScheduleOptions options;
  options.kind = ScheduleKind::kConstant;
  options.peak = 1.0;
  options.minimum = 0.3;
  options.warmup_steps = 2;
  options.total_steps = 10;
  options.falls = {4, 6, 8};
  EXPECT_DOUBLE_EQ(schedule_value(options, 9), 1.0);
  options.kind = ScheduleKind::kStep;
  options.fall_factor = 0.5;
  EXPECT_DOUBLE_EQ(schedule_value(options, 3), 1.0);
  EXPECT_DOUBLE_EQ(schedule_value(options, 4), 0.5);
  EXPECT_DOUBLE_EQ(schedule_value(options, 6), 0.3);
  EXPECT_DOUBLE_EQ(schedule_value(options, 9), 0.3);
}

TEST(Schedule, DropPathIsEarlyOrLate) {
  EXPECT_EQ(drop_path_factor(DropPathSchedule::kConstant, 0, 5), 1);
  EXPECT_EQ(drop_path_factor(DropPathSchedule::kEarly, 5, 4), 1);
  EXPECT_EQ(drop_path_factor(DropPathSchedule::kEarly, 5, 5), 0);
  EXPECT_EQ(drop_path_factor(DropPathSchedule::kLate, 5, 4), 0);
  EXPECT_EQ(drop_path_factor(DropPathSchedule::kLate, 5, 5), 1);
  EXPECT_DOUBLE_EQ(drop_path_factor(DropPathSchedule::kEarlyLinear, 5, 0), 1);
  EXPECT_DOUBLE_EQ(drop_path_factor(DropPathSchedule::kEarlyLinear, 5, 1), 0.75);
  EXPECT_DOUBLE_EQ(drop_path_factor(DropPathSchedule::kEarlyLinear, 5, 4), 0);
  EXPECT_DOUBLE_EQ(drop_path_factor(DropPathSchedule::kEarlyLinear, 5, 9), 0);
}

TEST(Loss, EqualsTheDefinitionWithWeightsAndSoftTargets) {
  const at::Tensor logits = at::tensor({1.0, 2.0, 0.5, -1.0, 0.0, 3.0}, at::kDouble).view({2, 3});
  const at::Tensor targets = at::tensor({0.7, 0.2, 0.1, 0.0, 0.5, 0.5}, at::kDouble).view({2, 3});
  const at::Tensor weights = at::tensor({1.0, 2.0, 0.5}, at::kDouble);
  double expected = 0;
  for (int i = 0; i < 2; ++i) {
    double sum = 0;
    for (int c = 0; c < 3; ++c) sum += std::exp(logits[i][c].item<double>());
    for (int c = 0; c < 3; ++c) {
      expected -= weights[c].item<double>() * targets[i][c].item<double>() *
                  (logits[i][c].item<double>() - std::log(sum)) / 2;
    }
  }
  EXPECT_NEAR(soft_target_cross_entropy(logits, targets, weights).item<double>(), expected, 1e-12);
}

TEST(Loss, BalancedWeightsAverageToOneOverSamples) {
  const std::vector<float> weights = balanced_class_weights({10, 30, 60});
  EXPECT_FLOAT_EQ(weights[0], 100.0F / 30);
  EXPECT_NEAR(10 * weights[0] + 30 * weights[1] + 60 * weights[2], 100.0, 1e-4);
}

/// LibTorch's own update, which torch.amp.GradScaler calls, from the same start.
TEST(LossScaler, FollowsPyTorchsOverManySteps) {
  at::Tensor scale = at::full({}, 65536.0F);
  at::Tensor growth = at::zeros({}, at::kInt);
  LossScaler scaler;
  scaler.enabled = true;
  std::minstd_rand random(1);
  for (int step = 0; step < 300'000; ++step) {
    const bool overflow = step < 100'000 ? random() % 3000 == 0 : step > 290'000;
    at::_amp_update_scale_(scale, growth, at::full({}, overflow ? 1.0F : 0.0F), 2.0, 0.5, 2000);
    scaler.update(overflow);
    ASSERT_EQ(scaler.scale, scale.item<float>()) << "step " << step;
    ASSERT_EQ(scaler.good_steps, growth.item<int>()) << "step " << step;
  }
}

/// What a step makes of scaled gradients is what GradScaler's unscaling makes of them.
TEST(LossScaler, UnscalesAsPyTorchDoes) {
  LossScaler scaler;
  scaler.enabled = true;
  scaler.scale = 1024;
  const at::Tensor gradients = at::randn({100}) * 1e4;
  const at::Tensor expected = gradients.clone();
  at::Tensor found_inf = at::zeros({});
  at::_amp_foreach_non_finite_check_and_unscale_({expected}, found_inf,
                                                 at::full({}, 1.0F / 1024.0F));
  EXPECT_EQ(found_inf.item<float>(), 0);
  EXPECT_TRUE(at::equal(gradients * (1 / scaler.factor()), expected));
}

}  // namespace
}  // namespace casvit::trainer
