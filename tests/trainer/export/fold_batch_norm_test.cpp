// A folded layer computes what the layer and its batch norm do.

#include "trainer/export/fold_batch_norm.h"

#include <gtest/gtest.h>

#include "tests/trainer/export/filled_model.h"
#include "trainer/kernels/batch_norm.h"

namespace casvit::trainer {
namespace {

class FoldBatchNorm : public testing::Test {
 protected:
  at::Tensor tensor(const std::string& name) const {
    return model_.state().entry(name).tensor.to(at::kDouble);
  }
  at::Tensor norm(const std::string& name, const at::Tensor& x) const {
    return at::batch_norm(x, tensor(name + ".weight"), tensor(name + ".bias"),
                          tensor(name + ".running_mean"), tensor(name + ".running_var"), false, 0,
                          kernels::kBatchNormEpsilon, false);
  }
  static at::Tensor pixels(std::int64_t channels) {
    return golden::fill("input", {2, channels, 7, 5}, at::kDouble);
  }
  static void expect_equal(const at::Tensor& actual, const at::Tensor& expected) {
    EXPECT_LT((actual - expected).abs().max().item<double>(),
              1e-13 * expected.abs().max().item<double>());
  }

  Rcvit model_ = filled_model("rcvit_xs", 12, false);
};

TEST_F(FoldBatchNorm, IntoTheConvolutionBeforeAlsoWithPaddingAndGroups) {
  const std::string prefix = "network.0.0.attn.oper_q.0.block.";
  const LayerWeights folded = fold_into_layer_before(layer_weights(model_.state(), prefix + "0"),
                                                     channel_scale(model_.state(), prefix + "1"));
  const at::Tensor x = pixels(48);
  const at::Tensor y =
      at::conv2d(x, tensor(prefix + "0.weight"), tensor(prefix + "0.bias"), 1, 1, 1, 48);
  expect_equal(at::conv2d(x, folded.weight, folded.bias, 1, 1, 1, 48), norm(prefix + "1", y));
}

TEST_F(FoldBatchNorm, IntoThePointwiseConvolutionAfterWithoutBias) {
  const std::string prefix = "network.0.0.";
  ASSERT_EQ(model_.state().find(prefix + "attn.qkv.bias"), nullptr);
  const LayerWeights folded =
      fold_into_layer_after(channel_scale(model_.state(), prefix + "norm1"),
                            layer_weights(model_.state(), prefix + "attn.qkv"));
  const at::Tensor x = pixels(48);
  expect_equal(at::conv2d(x, folded.weight, folded.bias),
               at::conv2d(norm(prefix + "norm1", x), tensor(prefix + "attn.qkv.weight")));
}

TEST_F(FoldBatchNorm, IntoTheHeadAcrossTheMeanOverPixels) {
  const LayerWeights folded = fold_into_layer_after(channel_scale(model_.state(), "norm"),
                                                    layer_weights(model_.state(), "head"));
  const at::Tensor x = pixels(220);
  expect_equal(
      at::linear(x.mean({2, 3}), folded.weight, folded.bias),
      at::linear(norm("norm", x).mean({2, 3}), tensor("head.weight"), tensor("head.bias")));
}

}  // namespace
}  // namespace casvit::trainer
