// One step and several of everything that the recipe can ask for, against PyTorch, timm,
// scikit-learn and the published trainer (golden/README.md).

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "launch/single_communicator.h"
#include "tests/trainer/model/hashed_values.h"
#include "trainer/optim/ema.h"
#include "trainer/optim/gradient_clipping.h"
#include "trainer/optim/gradient_norm.h"
#include "trainer/optim/loss.h"
#include "trainer/optim/optimizer.h"
#include "trainer/optim/schedule.h"

namespace casvit::trainer {
namespace {

using nlohmann::json;

const json& expected_values() {
  static const json kGolden = json::parse(std::ifstream(CASVIT_RECIPE_GOLDEN));
  return kGolden;
}

at::Tensor filled(const std::string& name, const std::vector<std::int64_t>& shape, double scale) {
  at::Tensor values = at::empty(shape, at::kDouble);
  auto* data = values.mutable_data_ptr<double>();
  for (std::size_t i = 0; i < static_cast<std::size_t>(values.numel()); ++i) {
    data[i] = scale * 2 * (golden::hashed_uniform(name, i) - 0.5);
  }
  return values.to(at::kFloat);
}

std::vector<double> numbers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().to(at::kDouble).contiguous().view(-1);
  const auto* data = flat.const_data_ptr<double>();
  return {data, data + flat.numel()};
}

void expect_equal(const at::Tensor& found, const json& expected, const std::string& what) {
  const auto wanted = expected.get<std::vector<double>>();
  const std::vector<double> values = numbers(found);
  ASSERT_EQ(values.size(), wanted.size()) << what;
  double scale = 1;
  for (const double value : wanted) scale = std::max(scale, std::abs(value));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NEAR(values[i], wanted[i], 1e-6 * scale) << what << " [" << i << "]";
  }
}

ModelState model() {
  std::vector<TensorSpec> specs;
  for (const auto& [name, shape] : expected_values()["shapes"].items()) {
    const auto dimensions = shape.get<std::vector<std::int64_t>>();
    specs.push_back(
        {name, dimensions, dimensions.size() > 1 ? TensorRole::kDecayed : TensorRole::kPlain});
  }
  ModelState state(specs, at::kFloat, at::kCPU);
  for (const ModelState::Entry& entry : state.entries()) {
    at::Tensor tensor = entry.tensor;
    tensor.copy_(filled(entry.name, tensor.sizes().vec(), 1));
  }
  return state;
}

at::Tensor gradients_of(const ModelState& state, int step, double scale) {
  at::Tensor gradients = at::zeros_like(state.parameters());
  for (const ModelState::Entry& entry : state.entries()) {
    gradients.narrow(0, entry.offset, entry.tensor.numel())
        .copy_(filled("gradient " + std::to_string(step) + " " + entry.name,
                      entry.tensor.sizes().vec(), scale)
                   .view(-1));
  }
  return gradients;
}

OptimizerOptions optimizer_options(OptimizerKind kind, const json& given) {
  OptimizerOptions options;
  options.kind = kind;
  if (given.contains("betas")) options.betas = given["betas"].get<std::array<double, 2>>();
  options.eps = given.value("eps", options.eps);
  options.momentum = given.value("momentum", options.momentum);
  options.nesterov = given.value("nesterov", options.nesterov);
  return options;
}

void expect_optimizer(OptimizerKind kind, const char* name) {
  for (const json& expected : expected_values()["optimizers"][name]) {
    ModelState state = model();
    Optimizer optimizer(state, optimizer_options(kind, expected["options"]), {});
    for (int step = 0; step < expected_values()["steps"].get<int>(); ++step) {
      optimizer.step(gradients_of(state, step, 1),
                     {0.01 * (step + 1), expected["weight_decay"].get<double>()}, step + 1);
    }
    for (const ModelState::Entry& entry : state.entries()) {
      expect_equal(entry.tensor, expected["parameters"][entry.name],
                   name + expected["options"].dump() + " " + entry.name);
    }
  }
}

TEST(RecipeGolden, AdamWIsPyTorchs) { expect_optimizer(OptimizerKind::kAdamW, "adamw"); }
TEST(RecipeGolden, SgdIsPyTorchs) { expect_optimizer(OptimizerKind::kSgd, "sgd"); }
TEST(RecipeGolden, LionIsTimms) { expect_optimizer(OptimizerKind::kLion, "lion"); }

void expect_clipped(const ModelState& state, const at::Tensor& gradients, const json& expected,
                    const std::string& what) {
  for (const ModelState::Entry& entry : state.entries()) {
    expect_equal(gradients.narrow(0, entry.offset, entry.tensor.numel()),
                 expected["gradients"][entry.name], what + " " + entry.name);
  }
}

TEST(RecipeGolden, ClippingByNormAndValueIsPyTorchs) {
  const ModelState state = model();
  launch::SingleCommunicator alone;
  const Partition whole = Partition::unsharded(state);
  for (const json& expected : expected_values()["clipping"]["norm"]) {
    const at::Tensor gradients = gradients_of(state, 0, 1);
    gradients.mul_(
        clip_factor(global_gradient_norm(state, whole, gradients, alone), expected["limit"]));
    expect_clipped(state, gradients, expected, "norm");
  }
}

TEST(RecipeGolden, AdaptiveClippingIsTimms) {
  const ModelState state = model();
  for (const json& expected : expected_values()["clipping"]["agc"]) {
    const at::Tensor gradients = gradients_of(state, 0, expected["scale"]);
    clip_adaptively(state, Partition::unsharded(state), gradients, expected["limit"]);
    expect_clipped(state, gradients, expected, "agc");
  }
}

void expect_schedule(ScheduleKind kind, const char* name) {
  const json& expected = expected_values()["schedules"][name];
  ScheduleOptions options;
  options.kind = kind;
  options.peak = expected["peak"];
  options.minimum = expected["minimum"];
  options.warmup_start = expected["warmup_start"];
  options.warmup_steps = expected["warmup_steps"];
  options.total_steps = expected["total_steps"];
  options.fall_factor = expected.value("fall_factor", 0.1);
  options.falls = expected.value("falls", std::vector<std::int64_t>());
  const auto values = expected["values"].get<std::vector<double>>();
  ASSERT_EQ(values.size(), static_cast<std::size_t>(options.total_steps)) << name;
  for (std::size_t step = 0; step < values.size(); ++step) {
    EXPECT_NEAR(schedule_value(options, static_cast<std::int64_t>(step)), values[step], 1e-12)
        << name << " step " << step;
  }
}

TEST(RecipeGolden, CosineIsThePublishedOne) { expect_schedule(ScheduleKind::kCosine, "cosine"); }
TEST(RecipeGolden, WeightDecayRisesAsThePublishedOne) {
  expect_schedule(ScheduleKind::kCosine, "weight_decay");
}
TEST(RecipeGolden, LineIsPyTorchs) { expect_schedule(ScheduleKind::kLinear, "linear"); }
TEST(RecipeGolden, StepsAreTimms) { expect_schedule(ScheduleKind::kStep, "step"); }

at::Tensor soft_targets() {
  at::Tensor targets = at::empty({6, 4}, at::kDouble);
  auto* data = targets.mutable_data_ptr<double>();
  for (std::size_t i = 0; i < 24; ++i) data[i] = golden::hashed_uniform("targets", i);
  return (targets / targets.sum(1, true)).to(at::kFloat);
}

template <typename Loss>
void expect_loss(const json& expected, Loss loss, const std::string& what) {
  const at::Tensor logits = filled("logits", {6, 4}, 3).requires_grad_(true);
  const at::Tensor value = loss(logits);
  value.backward();
  const auto wanted = expected["value"].get<double>();
  EXPECT_NEAR(value.item<double>(), wanted, 1e-6 * std::max(1.0, wanted)) << what;
  expect_equal(logits.grad(), expected["gradient"], what);
}

TEST(RecipeGolden, LossesAreTheirs) {
  const json& losses = expected_values()["losses"];
  const at::Tensor balanced =
      at::tensor(losses["balanced"].get<std::vector<double>>()).to(at::kFloat);
  for (const json& expected : losses["cross_entropy"]) {
    LossOptions options;
    if (expected["weighted"].get<bool>()) options.class_weights = balanced;
    expect_loss(
        expected,
        [&](const at::Tensor& x) { return classification_loss(x, soft_targets(), options); },
        "cross entropy");
  }
  for (const json& expected : losses["bce"]) {
    LossOptions options;
    options.kind = LossKind::kBinaryCrossEntropy;
    options.bce_threshold = expected["threshold"];
    expect_loss(
        expected,
        [&](const at::Tensor& x) { return classification_loss(x, soft_targets(), options); },
        "bce");
  }
  for (const json& expected : losses["focal"]) {
    LossOptions options;
    options.kind = LossKind::kFocal;
    options.focal_gamma = expected["gamma"];
    if (expected["weighted"].get<bool>()) options.class_weights = balanced;
    expect_loss(
        expected,
        [&](const at::Tensor& x) { return classification_loss(x, soft_targets(), options); },
        "focal");
  }
}

TEST(RecipeGolden, DistillationIsThePublishedOne) {
  const at::Tensor teacher = filled("teacher", {6, 4}, 2);
  const at::Tensor first = filled("second", {6, 4}, 3);
  for (const json& expected : expected_values()["losses"]["distillation"]) {
    const DistillationOptions options{
        expected["kind"] == "hard" ? DistillationKind::kHard : DistillationKind::kSoft,
        expected["alpha"], expected["tau"]};
    expect_loss(
        expected,
        [&](const at::Tensor& x) {
          return soft_target_cross_entropy(first, soft_targets(), {}) * (1 - options.alpha) +
                 distillation_loss(x, teacher, options) * options.alpha;
        },
        expected["kind"].get<std::string>());
  }
}

TEST(RecipeGolden, ClassWeightsAreScikitLearnsAndThePapers) {
  const json& losses = expected_values()["losses"];
  const auto counts = losses["counts"].get<std::vector<std::uint64_t>>();
  expect_equal(at::tensor(balanced_class_weights(counts)), losses["balanced"], "balanced");
  expect_equal(at::tensor(effective_class_weights(counts, losses["beta"])), losses["effective"],
               "effective");
}

TEST(RecipeGolden, AverageIsTimms) {
  ModelState state({{"layer.weight", {2, 3}, TensorRole::kDecayed},
                    {"layer.bias", {2}, TensorRole::kPlain},
                    {"norm.weight", {2}, TensorRole::kPlain},
                    {"norm.bias", {2}, TensorRole::kPlain},
                    {"norm.running_mean", {2}, TensorRole::kRunningMean},
                    {"norm.running_var", {2}, TensorRole::kRunningVariance}},
                   at::kFloat, at::kCPU);
  const auto fill = [&](int step) {
    for (const ModelState::Entry& entry : state.entries()) {
      at::Tensor tensor = entry.tensor;
      tensor.copy_(
          filled("ema " + std::to_string(step) + " " + entry.name, tensor.sizes().vec(), 1));
    }
  };
  fill(0);
  Ema average(state);
  for (int step = 1; step <= expected_values()["steps"].get<int>(); ++step) {
    fill(step);
    average.update(state, {.decay = expected_values()["ema"]["decay"], .warmup = false}, step - 1);
  }
  for (const ModelState::Entry& entry : state.entries()) {
    const at::Tensor& whole = entry.is_parameter() ? average.own_parameters() : average.buffers();
    expect_equal(whole.narrow(0, entry.offset, entry.tensor.numel()),
                 expected_values()["ema"]["values"][entry.name], entry.name);
  }
}

}  // namespace
}  // namespace casvit::trainer
