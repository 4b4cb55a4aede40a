// Histograms of weights and gradients against counting one by one.

#include "trainer/engine/parameter_distributions.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace casvit::trainer {
namespace {

ModelState two_groups() {
  ModelState model({{"network.3.proj.weight", {40, 3}, TensorRole::kDecayed},
                    {"network.3.norm.running_mean", {40}, TensorRole::kRunningMean},
                    {"network.3.norm.weight", {40}, TensorRole::kPlain},
                    {"head.bias", {7}, TensorRole::kPlain}},
                   at::kFloat, at::kCPU);
  const at::NoGradGuard no_grad;
  for (const char* name : {"network.3.proj.weight", "network.3.norm.weight"}) {
    const at::Tensor& tensor = model.entry(name).tensor;
    tensor.copy_(at::arange(tensor.numel(), at::kFloat).mul_(0.37).sin_().view(tensor.sizes()));
  }
  model.entry("network.3.norm.running_mean").tensor.fill_(1000);
  model.entry("head.bias").tensor.fill_(0.25);
  return model;
}

std::vector<double> values_of(const ModelState& model) {
  std::vector<double> values;
  for (const char* name : {"network.3.proj.weight", "network.3.norm.weight"}) {
    const at::Tensor tensor = model.entry(name).tensor.contiguous().to(at::kDouble);
    values.insert(values.end(), tensor.data_ptr<double>(),
                  tensor.data_ptr<double>() + tensor.numel());
  }
  return values;
}

TEST(ParameterDistributions, CountEveryNumberOfAGroupOnce) {
  const ModelState model = two_groups();
  const std::vector<Distribution> found = weight_distributions(model);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].group, "network.3");
  EXPECT_EQ(found[0].elements, 160);
  const std::vector<double> values = values_of(model);
  double squares = 0;
  for (const double value : values) squares += value * value;
  EXPECT_NEAR(found[0].norm, std::sqrt(squares), 1e-5);
  const std::vector<HistogramBin>& bins = found[0].bins;
  ASSERT_EQ(bins.size(), 30U);
  EXPECT_EQ(bins.front().left, std::ranges::min(values));
  EXPECT_EQ(bins.back().right, std::ranges::max(values));
  double total = 0;
  for (const HistogramBin& bin : bins) {
    total += bin.count;
    const auto inside = std::ranges::count_if(
        values, [&](double value) { return bin.left <= value && value < bin.right; });
    EXPECT_NEAR(bin.count, static_cast<double>(inside), 1);  // one may lie on a border
  }
  EXPECT_EQ(total, 160);
}

TEST(ParameterDistributions, EqualNumbersAreInTheLastBin) {
  const Distribution head = weight_distributions(two_groups())[1];
  EXPECT_EQ(head.group, "head");
  EXPECT_EQ(head.bins.back().count, 7);
  EXPECT_EQ(head.bins.back().left, 0.25);
  EXPECT_EQ(head.bins.back().right, 0.25);
  EXPECT_EQ(head.bins.front().count, 0);
}

TEST(ParameterDistributions, AGroupThatIsNotFiniteIsLeftOut) {
  for (const double wrong :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    const ModelState model = two_groups();
    model.entry("head.bias").tensor[3] = wrong;
    const std::vector<Distribution> found = weight_distributions(model);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].group, "network.3");
  }
}

TEST(ParameterDistributions, GradientsAreThoseThatThereAre) {
  const ModelState model = two_groups();
  EXPECT_TRUE(gradient_distributions(model).empty());
  for (const char* name : {"network.3.proj.weight", "network.3.norm.weight", "head.bias"}) {
    at::Tensor tensor = model.entry(name).tensor;
    tensor.requires_grad_(true);
    tensor.mutable_grad() = at::zeros_like(tensor);
  }
  EXPECT_TRUE(gradient_distributions(model).empty());  // laid out anew, no step since
  model.entry("head.bias").tensor.mutable_grad()[2] = 3;
  std::vector<Distribution> found = gradient_distributions(model);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].norm, 3);
  EXPECT_EQ(found[1].bins.back().count, 1);
  EXPECT_EQ(found[1].bins.front().count, 6);
  model.entry("network.3.norm.weight").tensor.requires_grad_(false);  // frozen
  found = gradient_distributions(model);
  EXPECT_EQ(found[0].elements, 120);
}

}  // namespace
}  // namespace casvit::trainer
