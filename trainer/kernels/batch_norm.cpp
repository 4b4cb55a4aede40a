#include "trainer/kernels/batch_norm.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <tuple>

namespace casvit::trainer::kernels {

at::Tensor batch_norm_training(const at::Tensor& x, const at::Tensor& weight,
                               const at::Tensor& bias, at::Tensor mean_sum,
                               at::Tensor variance_sum) {
  const double count = static_cast<double>(x.numel()) / static_cast<double>(x.size(1));
  auto [y, mean, inverse_std] =
      at::native_batch_norm(x, weight, bias, /*running_mean=*/{}, /*running_var=*/{},
                            /*training=*/true, /*momentum=*/0.0, kBatchNormEpsilon);
  const at::NoGradGuard no_grad;
  mean_sum.add_(mean.detach());
  const at::Tensor biased = inverse_std.detach().pow(-2).sub_(kBatchNormEpsilon);
  variance_sum.add_(biased, count > 1 ? count / (count - 1) : 1.0);
  return y;
}

at::Tensor batch_norm_inference(const at::Tensor& x, const at::Tensor& weight,
                                const at::Tensor& bias, const at::Tensor& running_mean,
                                const at::Tensor& running_var) {
  return at::batch_norm(x, weight, bias, running_mean, running_var, /*training=*/false,
                        /*momentum=*/0.0, kBatchNormEpsilon, /*cudnn_enabled=*/true);
}

}  // namespace casvit::trainer::kernels
