#include "trainer/kernels/convolution.h"

#include <ATen/ATen.h>

#include "trainer/kernels/depthwise.h"
#include "trainer/kernels/fast_path.h"
#include "trainer/kernels/pointwise.h"

namespace casvit::trainer::kernels {

at::Tensor convolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       std::int64_t stride, std::int64_t padding, std::int64_t groups) {
  const bool is_pointwise =
      weight.size(2) == 1 && weight.size(3) == 1 && stride == 1 && groups == 1;
  if (is_pointwise && on_fast_path(x)) {
    return pointwise(x, weight, bias);
  }
  const bool is_depthwise = groups == x.size(1) && weight.size(0) == groups &&
                            weight.size(2) == 3 && weight.size(3) == 3 && stride == 1 &&
                            padding == 1 && bias.defined();
  if (is_depthwise && on_fast_path(x)) {
    return depthwise(x, weight, bias);
  }
  return at::conv2d(x, weight, bias, stride, padding, /*dilation=*/1, groups);
}

std::vector<at::Tensor> pointwise_in_three(const at::Tensor& x, const at::Tensor& weight) {
  if (!on_fast_path(x)) {
    return at::conv2d(x, weight).chunk(3, 1);
  }
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : weight.chunk(3, 0)) {
    parts.push_back(pointwise(x, part, {}));
  }
  return parts;
}

}  // namespace casvit::trainer::kernels
