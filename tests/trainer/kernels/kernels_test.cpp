// Our float32 kernels against LibTorch's operators in float64, values and gradients, at sizes that
// leave tails in every vector width and at pictures of one pixel.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "trainer/kernels/activation.h"
#include "trainer/kernels/convolution.h"
#include "trainer/kernels/gate.h"
#include "trainer/kernels/mlp.h"

namespace casvit::trainer::kernels {
namespace {

using Operation = std::function<at::Tensor(const std::vector<at::Tensor>&)>;

at::Tensor leaf(const at::Tensor& values, at::ScalarType type) {
  at::Tensor copy = values.to(type).clone();
  if (copy.dim() == 4) {
    copy = copy.contiguous(at::MemoryFormat::ChannelsLast);
  }
  return copy.detach().requires_grad_(true);
}

/// Runs `ours` in float32 and `reference` in float64 on the same inputs, and compares the result
/// and the gradient of every input.
void expect_same(const std::vector<at::Tensor>& inputs, const Operation& ours,
                 const Operation& reference) {
  const at::AutoGradMode with_gradients(true);
  std::vector<at::Tensor> mine;
  std::vector<at::Tensor> theirs;
  for (const at::Tensor& input : inputs) {
    mine.push_back(leaf(input, at::kFloat));
    theirs.push_back(leaf(input, at::kDouble));
  }
  const at::Tensor y = ours(mine);
  const at::Tensor expected = reference(theirs);
  ASSERT_EQ(y.sizes(), expected.sizes());
  const auto close = [](const at::Tensor& a, const at::Tensor& b) {
    const double scale = std::max(1e-3, b.abs().max().item<double>());
    return (a.to(at::kDouble) - b).abs().max().item<double>() / scale;
  };
  EXPECT_LT(close(y.detach(), expected.detach()), 3e-6);
  const at::Tensor weights = at::randn(expected.sizes(), at::kDouble);
  (y * weights.to(at::kFloat)).sum().backward();
  (expected * weights).sum().backward();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_LT(close(mine[i].grad(), theirs[i].grad()), 2e-5) << "gradient of input " << i;
  }
}

struct Extent {
  std::int64_t images, channels, height, width;
};

const std::vector<Extent> kExtents{
    {1, 1, 1, 1}, {2, 8, 1, 5}, {3, 13, 4, 1}, {2, 48, 7, 5}, {2, 220, 4, 4}};

at::Tensor image(const Extent& e) {
  return at::randn({e.images, e.channels, e.height, e.width}, at::kDouble);
}

TEST(Kernels, GeluEqualsErfFormFarIntoTheTails) {
  const at::Tensor x = at::linspace(-12, 12, 4099, at::kDouble);
  expect_same(
      {x}, [](const auto& in) { return kernels::gelu(in[0]); },
      [](const auto& in) { return at::gelu(in[0]); });
}

TEST(Kernels, DepthwiseConvolutionEqualsTheReference) {
  for (const Extent& e : kExtents) {
    SCOPED_TRACE(e.channels);
    if (e.channels == 1) continue;  // one group is an ordinary convolution
    const auto call = [&](const std::vector<at::Tensor>& in) {
      return convolution(in[0], in[1], in[2], 1, 1, e.channels);
    };
    expect_same(
        {image(e), at::randn({e.channels, 1, 3, 3}, at::kDouble),
         at::randn({e.channels}, at::kDouble)},
        call, [&](const auto& in) { return at::conv2d(in[0], in[1], in[2], 1, 1, 1, e.channels); });
  }
}

TEST(Kernels, PointwiseConvolutionsEqualTheReference) {
  for (const Extent& e : kExtents) {
    SCOPED_TRACE(e.channels);
    expect_same(
        {image(e), at::randn({7, e.channels, 1, 1}, at::kDouble), at::randn({7}, at::kDouble)},
        [](const auto& in) { return convolution(in[0], in[1], in[2], 1, 0, 1); },
        [](const auto& in) { return at::conv2d(in[0], in[1], in[2]); });
    expect_same(
        {image(e), at::randn({3 * e.channels, e.channels, 1, 1}, at::kDouble)},
        [](const auto& in) { return at::cat(pointwise_in_three(in[0], in[1]), 1); },
        [](const auto& in) { return at::conv2d(in[0], in[1]); });
  }
}

TEST(Kernels, MlpEqualsTheReferenceAcrossBlocks) {
  for (const Extent& e : {Extent{1, 1, 1, 1}, Extent{2, 48, 7, 5}, Extent{2, 220, 40, 30}}) {
    SCOPED_TRACE(e.channels);
    const std::int64_t hidden = 4 * e.channels;
    expect_same(
        {image(e), at::randn({hidden, e.channels, 1, 1}, at::kDouble) * 0.1,
         at::randn({hidden}, at::kDouble), at::randn({e.channels, hidden, 1, 1}, at::kDouble) * 0.1,
         at::randn({e.channels}, at::kDouble)},
        [](const auto& in) { return kernels::mlp(in[0], in[1], in[2], in[3], in[4]); },
        [](const auto& in) {
          return at::conv2d(at::gelu(at::conv2d(in[0], in[1], in[2])), in[3], in[4]);
        });
  }
}

TEST(Kernels, GateEqualsTheReference) {
  for (const Extent& e : kExtents) {
    SCOPED_TRACE(e.channels);
    expect_same(
        {image(e), image(e), at::randn({1, e.channels, 1, 1}, at::kDouble) * 0.3,
         at::randn({e.channels, e.channels, 1, 1}, at::kDouble) * 0.3},
        [](const auto& in) { return kernels::gate(in[0], in[1], in[2], in[3]); },
        [](const auto& in) {
          const at::Tensor focused = in[0] * at::sigmoid(at::conv2d(at::relu(in[1]), in[2]));
          return focused * at::sigmoid(at::conv2d(focused.mean({2, 3}, true), in[3]));
        });
  }
}

TEST(Kernels, NotANumberStaysNotANumber) {
  const at::Tensor x =
      at::full({1, 8, 2, 2}, std::nan("")).contiguous(at::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(kernels::gelu(x).isnan().all().item<bool>());
}

}  // namespace
}  // namespace casvit::trainer::kernels
