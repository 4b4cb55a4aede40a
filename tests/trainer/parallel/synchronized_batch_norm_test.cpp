// Batch norm over the ranks' batches against at::batch_norm over all of them at once; under mpirun.

#include "trainer/parallel/synchronized_batch_norm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>

#include "tests/launch/world_main.h"

namespace casvit::trainer {
namespace {

constexpr std::int64_t kSamples = 3;
constexpr std::int64_t kChannels = 20;

/// Drawn alike on every rank. Far from zero: what is lost in a sum of squares would show.
at::Tensor draw(std::mt19937& random, at::IntArrayRef shape, double mean) {
  at::Tensor values = at::empty(shape, at::kFloat);
  auto* const first = values.mutable_data_ptr<float>();
  std::normal_distribution<double> normal(mean, 1.5);
  for (std::int64_t i = 0; i < values.numel(); ++i) first[i] = static_cast<float>(normal(random));
  return values;
}

struct Case {
  at::ScalarType type;
  double mean;
  double tolerance;
};

class SynchronizedBatchNorm : public testing::TestWithParam<Case> {};

TEST_P(SynchronizedBatchNorm, IsThatOfAllRanksBatchesTogether) {
  launch::Communicator& communicator = launch::test_world().communicator();
  const auto [type, mean, tolerance] = GetParam();
  std::mt19937 random(3);
  const std::int64_t all = kSamples * communicator.size();
  const at::Tensor x = draw(random, {all, kChannels, 5, 7}, mean).to(type);
  const at::Tensor gy = draw(random, {all, kChannels, 5, 7}, 0).to(type);
  const at::Tensor weight = draw(random, {kChannels}, 1);
  const at::Tensor bias = draw(random, {kChannels}, 0);

  const at::Tensor whole = x.to(at::kDouble).requires_grad_(true);
  const at::Tensor whole_weight = weight.to(at::kDouble).requires_grad_(true);
  const at::Tensor whole_bias = bias.to(at::kDouble).requires_grad_(true);
  const at::Tensor whole_y =
      at::batch_norm(whole, whole_weight, whole_bias, {}, {}, true, 0, 1e-5, false);
  whole_y.backward(gy.to(at::kDouble));

  const auto mine = [&](const at::Tensor& of_all) {
    return of_all.narrow(0, communicator.rank() * kSamples, kSamples);
  };
  const at::Tensor part =
      mine(x).contiguous(at::MemoryFormat::ChannelsLast).detach().requires_grad_(true);
  const at::Tensor own_weight = weight.clone().requires_grad_(true);
  const at::Tensor own_bias = bias.clone().requires_grad_(true);
  const at::Tensor mean_sum = at::ones({kChannels});
  const at::Tensor variance_sum = at::ones({kChannels});
  const at::Tensor y =
      synchronized_batch_norm(part, own_weight, own_bias, mean_sum, variance_sum, communicator);
  EXPECT_EQ(y.scalar_type(), type);
  y.backward(mine(gy));

  const auto expect_close = [&](const at::Tensor& found, const at::Tensor& expected,
                                const char* what) {
    const at::Tensor difference = (found.to(at::kDouble) - expected).abs().max();
    const double scale = 1 + expected.abs().max().item<double>();
    EXPECT_LE(difference.item<double>(), tolerance * scale) << what;
  };
  expect_close(y, mine(whole_y), "y");
  expect_close(part.grad(), mine(whole.grad()), "gradient of x");
  expect_close(mean_sum - 1, whole.detach().mean({0, 2, 3}), "mean");
  expect_close(variance_sum - 1, whole.detach().var({0, 2, 3}, /*unbiased=*/true), "variance");

  // The reducer sums these over ranks.
  for (const auto& [own, expected, what] :
       {std::tuple{own_weight.grad(), whole_weight.grad(), "gradient of weight"},
        std::tuple{own_bias.grad(), whole_bias.grad(), "gradient of bias"}}) {
    const at::Tensor sum = own.clone();
    communicator
        .all_reduce(sum.mutable_data_ptr(), kChannels, launch::ElementType::kFloat32,
                    launch::ReduceOp::kSum)
        .wait();
    expect_close(sum, expected, what);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, SynchronizedBatchNorm,
                         testing::Values(Case{at::kFloat, 0.5, 2e-6}, Case{at::kFloat, 300, 1e-3},
                                         Case{at::kBFloat16, 0.5, 2e-2}),
                         [](const auto& info) { return "case" + std::to_string(info.index); });

}  // namespace
}  // namespace casvit::trainer
