#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace casvit::trainer {

enum class OptimizerKind {
  kAdamW,  ///< Loshchilov and Hutter, arXiv:1711.05101; torch.optim.AdamW
  kSgd,    ///< with momentum; torch.optim.SGD
  kLion,   ///< Chen et al., arXiv:2302.06675; timm.optim.Lion
};

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kAdamW;
  std::array<double, 2> betas{0.9, 0.999};  ///< AdamW, Lion
  double eps = 1e-8;                        ///< AdamW
  double momentum = 0.9;                    ///< SGD
  bool nesterov = true;                     ///< SGD, where there is momentum
};

/// What an optimizer keeps for each parameter, under PyTorch's names.
std::vector<std::string_view> moment_names(OptimizerKind kind);

/// Tensors that are updated alike: flat, float32, `moments[m][i]` of `parameters[i]`.
struct UpdatedTensors {
  std::vector<at::Tensor> parameters, gradients;
  std::vector<std::vector<at::Tensor>> moments;
};

struct UpdateStep {
  double learning_rate = 0;
  double weight_decay = 0;  ///< SGD adds it to the gradient, the others take it off the parameter
  std::int64_t update = 1;  ///< from 1
};

/// One update with the named library's arithmetic, by LibTorch's fused kernels where it has one.
/// Gradients are left as they are.
void apply_update(const OptimizerOptions& options, UpdatedTensors& tensors, const UpdateStep& step);

}  // namespace casvit::trainer
