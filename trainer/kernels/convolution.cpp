#include "trainer/kernels/convolution.h"

#include <ATen/ATen.h>

namespace casvit::trainer::kernels {

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       std::int64_t stride, std::int64_t padding, std::int64_t groups) {
  return at::conv2d(x, weight, bias, stride, padding, /*dilation=*/1, groups);
}

}  // namespace casvit::trainer::kernels
