// Gates and Grad-CAM against the published PyTorch model, and against what they are by definition.

#include "trainer/model/attention_maps.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/trainer/model/golden_file.h"
#include "trainer/error.h"
#include "trainer/kernels/batch_norm.h"

namespace casvit::trainer {
namespace {

using nlohmann::json;

json golden_values() {
  std::ifstream stream("trainer/model/golden/attention/rcvit_xs_64x96px.json");
  return json::parse(stream);
}

Rcvit filled_model(int classes, bool distillation, at::ScalarType type) {
  RcvitOptions options = rcvit_options("rcvit_xs");
  options.num_classes = classes;
  options.distillation = distillation;
  Rcvit model(options, type, at::kCPU);
  const at::NoGradGuard no_grad;
  for (const ModelState::Entry& entry : model.state().entries()) {
    if (entry.role != TensorRole::kBatchesTracked) {
      at::Tensor tensor = entry.tensor;
      tensor.copy_(golden::fill(entry.name, tensor.sizes().vec(), type));
    }
  }
  return model;
}

at::Tensor pictures(std::int64_t batch, std::int64_t height, std::int64_t width,
                    at::ScalarType type) {
  return golden::fill("input", {batch, 3, height, width}, type)
      .contiguous(at::MemoryFormat::ChannelsLast);
}

std::vector<BlockPlace> last_blocks() { return {{0, 1}, {1, 1}, {2, 3}, {3, 1}}; }

at::Tensor tensor_of(const json& values, at::IntArrayRef shape) {
  const auto numbers = values.get<std::vector<double>>();
  return at::tensor(numbers, at::TensorOptions().dtype(at::kDouble)).view(shape);
}

void expect_near(const at::Tensor& actual, const at::Tensor& expected, double tolerance,
                 const std::string& what) {
  ASSERT_EQ(actual.sizes(), expected.sizes()) << what;
  const at::Tensor exact = expected.to(at::kDouble);
  const auto difference = (actual.detach().to(at::kDouble) - exact).abs().max().item<double>();
  EXPECT_LE(difference, tolerance * exact.abs().max().item<double>()) << what;
}

class AttentionMaps : public testing::TestWithParam<at::ScalarType> {
 protected:
  static double tolerance() { return GetParam() == at::kDouble ? 1e-11 : 1e-5; }
};

TEST_P(AttentionMaps, GatesAndGradCamAreThoseOfThePublishedModel) {
  const json golden = golden_values();
  const int classes = golden.at("num_classes");
  const std::int64_t batch = golden.at("batch");
  const std::int64_t height = golden.at("height");
  const std::int64_t width = golden.at("width");
  const Rcvit model = filled_model(classes, golden.at("distillation"), GetParam());
  const Rcvit::Observation seen =
      model.observe(pictures(batch, height, width, GetParam()), last_blocks());

  expect_near(seen.logits, tensor_of(golden.at("logits"), {batch, classes}), tolerance(), "logits");
  const auto expect_gate = [&](const GateValues& gate, const json& expected,
                               const std::string& what) {
    const auto one = [&](const at::Tensor& actual, const char* name) {
      const json& values = expected.at(name);
      expect_near(
          actual,
          tensor_of(values.at("values"), values.at("shape").get<std::vector<std::int64_t>>()),
          tolerance(), what + " " + name);
    };
    one(gate.spatial, "spatial");
    one(gate.channel, "channel");
  };
  ASSERT_EQ(seen.gates.size(), 4U);
  for (std::size_t stage = 0; stage < 4; ++stage) {
    const json& expected = golden.at("gates").at(stage);
    const std::string what = "stage " + std::to_string(stage);
    expect_gate(seen.gates[stage].query, expected.at("query"), what + " query");
    expect_gate(seen.gates[stage].key, expected.at("key"), what + " key");
  }
  double largest = 0;
  for (int c = 0; c < classes; ++c) {
    const at::Tensor map = grad_cam(seen, at::full({batch}, c, at::kLong));
    const at::Tensor expected =
        tensor_of(golden.at("grad_cam").at(static_cast<std::size_t>(c)), map.sizes());
    expect_near(map, expected, tolerance(), "Grad-CAM of class " + std::to_string(c));
    largest = std::max(largest, expected.max().item<double>());
  }
  EXPECT_GT(largest, 0.01) << "maps that are all zero compare nothing";
}

TEST_P(AttentionMaps, TheGatesMultiplyToWhatTheKernelGives) {
  constexpr std::int64_t kDim = 24;
  std::vector<TensorSpec> specs;
  Gate::describe(specs, "gate", kDim);
  ModelState state(specs, GetParam(), at::kCPU);
  for (const ModelState::Entry& entry : state.entries()) {
    if (entry.role != TensorRole::kBatchesTracked) {
      at::Tensor tensor = entry.tensor;
      tensor.copy_(golden::fill(entry.name, tensor.sizes().vec(), GetParam()));
    }
  }
  const Gate gate(state, "gate", kDim);
  const at::Tensor x =
      golden::fill("input", {3, kDim, 9, 7}, GetParam()).contiguous(at::MemoryFormat::ChannelsLast);
  const GateValues values = gate.values(x);
  expect_near(values.focused, x * values.spatial, tolerance(), "focused");
  expect_near(values.focused * values.channel, gate(x, BatchNormPass{}), tolerance(), "gated");
}

INSTANTIATE_TEST_SUITE_P(Types, AttentionMaps, testing::Values(at::kFloat, at::kDouble),
                         [](const auto& info) {
                           return info.param == at::kDouble ? "float64" : "float32";
                         });

TEST(Observe, ChangesNeitherAnswersNorGradients) {
  Rcvit model = filled_model(4, false, at::kFloat);
  for (const ModelState::Entry* entry : model.state().parameter_entries()) {
    at::Tensor parameter = entry->tensor;
    parameter.requires_grad_(true);
  }
  const at::Tensor images = pictures(2, 64, 64, at::kFloat);
  const Rcvit::Observation seen = model.observe(images, {{2, 0}});
  EXPECT_EQ(seen.gates.size(), 1U);
  EXPECT_FALSE(seen.gates[0].query.spatial.requires_grad());
  EXPECT_TRUE(at::allclose(seen.logits.detach(), model.forward(images), 1e-6, 1e-6));
  grad_cam(seen, at::zeros({2}, at::kLong));
  for (const ModelState::Entry* entry : model.state().parameter_entries()) {
    ASSERT_FALSE(entry->tensor.grad().defined()) << entry->name;
  }
}

TEST(Observe, WorksWhereGradientsAreOff) {
  const Rcvit model = filled_model(4, false, at::kFloat);
  const at::NoGradGuard no_grad;
  const Rcvit::Observation seen = model.observe(pictures(1, 64, 64, at::kFloat), {});
  EXPECT_EQ(grad_cam(seen, at::ones({1}, at::kLong)).sizes(), at::IntArrayRef({1, 2, 2}));
}

TEST(Observe, RefusesABlockThatIsNotThere) {
  const Rcvit model = filled_model(4, false, at::kFloat);
  const at::Tensor images = pictures(1, 32, 32, at::kFloat);
  EXPECT_THROW(model.observe(images, {{4, 0}}), ConfigError);
  EXPECT_THROW(model.observe(images, {{0, 2}}), ConfigError);
  RcvitOptions options = rcvit_options("rcvit_xs");
  options.features_only = true;
  const Rcvit features(options, at::kFloat, at::kCPU);
  EXPECT_THROW(features.observe(images, {}), ConfigError);
}

/// Behind the last stage are a batch norm, the mean over space and a linear layer: the gradient is
/// the same everywhere, w_ck gamma_k / sqrt(var_k + eps) / (H W).
TEST(GradCam, IsItsClosedForm) {
  const Rcvit model = filled_model(4, false, at::kDouble);
  const Rcvit::Observation seen = model.observe(pictures(2, 64, 96, at::kDouble), {});
  const auto tensor = [&](const char* name) { return model.state().entry(name).tensor; };
  const at::Tensor of_norm =
      tensor("norm.weight") / (tensor("norm.running_var") + kernels::kBatchNormEpsilon).sqrt();
  int maps_with_evidence = 0;
  for (std::int64_t c = 0; c < 4; ++c) {
    const at::Tensor map = grad_cam(seen, at::tensor({c, 3 - c}, at::kLong));
    for (std::int64_t n = 0; n < 2; ++n) {
      const at::Tensor alpha = tensor("head.weight")[n == 0 ? c : 3 - c] * of_norm / (2.0 * 3.0);
      const at::Tensor sum = (alpha.view({-1, 1, 1}) * seen.last_stage[n].detach()).sum(0);
      EXPECT_TRUE(at::allclose(map[n], sum.clamp_min(0), 1e-10, 1e-14)) << c << " " << n;
      maps_with_evidence += sum.max().item<double>() > 0 ? 1 : 0;
    }
  }
  EXPECT_GE(maps_with_evidence, 4) << "maps that are all zero compare nothing";
}

TEST(GateMaps, AreWeightedMeansOverQueryAndKey) {
  const auto values = [](double spatial, std::vector<double> focused, std::vector<double> channel) {
    const at::TensorOptions options = at::TensorOptions().dtype(at::kDouble);
    return GateValues{at::full({1, 1, 1, 2}, spatial, options),
                      at::tensor(focused, options).view({1, 2, 1, 2}),
                      at::tensor(channel, options).view({1, 2, 1, 1})};
  };
  // Channel 0 holds (1, -2) and (0, 4), channel 1 holds (3, 0) and (-5, 1).
  const AttentionGates gates{values(0.25, {1, -2, 3, 0}, {0.5, 0.25}),
                             values(0.75, {0, 4, -5, 1}, {0.2, 0.8})};
  EXPECT_TRUE(at::equal(spatial_gate_map(gates), at::full({1, 1, 2}, 0.5, at::kDouble)));
  const double left = ((0.5 * 1 + 0.25 * 3) / 0.75 + (0.2 * 0 + 0.8 * 5) / 1.0) / 2;
  const double right = ((0.5 * 2 + 0.25 * 0) / 0.75 + (0.2 * 4 + 0.8 * 1) / 1.0) / 2;
  expect_near(selected_response_map(gates),
              at::tensor({left, right}, at::TensorOptions().dtype(at::kDouble)).view({1, 1, 2}),
              1e-15, "response");
}

}  // namespace
}  // namespace casvit::trainer
