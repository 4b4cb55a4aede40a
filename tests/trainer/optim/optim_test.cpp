// One optimisation step against closed forms.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "launch/single_communicator.h"
#include "trainer/optim/adamw.h"
#include "trainer/optim/ema.h"
#include "trainer/optim/gradient_norm.h"
#include "trainer/optim/loss.h"
#include "trainer/optim/loss_scaler.h"
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

TEST(AdamW, FollowsTheClosedFormAndDecaysOnlyMatrices) {
  ModelState state = two_tensors();
  fill(state, "layer.weight", 0.5);
  fill(state, "layer.bias", 0.5);
  AdamW optimizer(state, {.weight_decay = 0.1, .betas = {0.9, 0.99}, .eps = 1e-8});
  const at::Tensor gradients = at::zeros_like(state.parameters());
  double m = 0;
  double v = 0;
  double weight = 0.5;
  double bias = 0.5;
  for (int step = 1; step <= 5; ++step) {
    const double g = 0.3 * step - 0.7;
    gradients.fill_(g);
    optimizer.step(gradients, 0.01, step);
    m = 0.9 * m + 0.1 * g;
    v = 0.99 * v + 0.01 * g * g;
    const double update =
        0.01 * (m / (1 - std::pow(0.9, step))) / (std::sqrt(v / (1 - std::pow(0.99, step))) + 1e-8);
    weight = weight * (1 - 0.01 * 0.1) - update;
    bias -= update;
    EXPECT_NEAR(state.entry("layer.weight").tensor[1][2].item<double>(), weight, 1e-6);
    EXPECT_NEAR(state.entry("layer.bias").tensor[0].item<double>(), bias, 1e-6);
  }
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
  const CosineScheduleOptions options{
      .peak = 1.0, .minimum = 0.1, .warmup_start = 0.0, .warmup_steps = 5, .total_steps = 25};
  EXPECT_DOUBLE_EQ(cosine_learning_rate(options, 0), 0.0);
  EXPECT_DOUBLE_EQ(cosine_learning_rate(options, 2), 0.5);
  EXPECT_DOUBLE_EQ(cosine_learning_rate(options, 4), 1.0);
  EXPECT_DOUBLE_EQ(cosine_learning_rate(options, 5), 1.0);
  EXPECT_NEAR(cosine_learning_rate(options, 15), 0.55, 1e-12);
  EXPECT_NEAR(cosine_learning_rate(options, 24),
              0.1 + 0.45 * (1 + std::cos(std::acos(-1.0) * 19 / 20)), 1e-12);
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

TEST(LossScaler, HalvesOnOverflowAndDoublesAfterTwoThousandGoodSteps) {
  LossScaler scaler;
  scaler.enabled = true;
  scaler.update(true);
  EXPECT_EQ(scaler.scale, 32768.0);
  for (int i = 0; i < 1999; ++i) scaler.update(false);
  EXPECT_EQ(scaler.scale, 32768.0);
  scaler.update(false);
  EXPECT_EQ(scaler.scale, 65536.0);
}

}  // namespace
}  // namespace casvit::trainer
