#include "trainer/kernels/activation.h"

#include <ATen/ATen.h>

namespace casvit::trainer::kernels {

at::Tensor gelu(const at::Tensor& x) { return at::gelu(x); }

}  // namespace casvit::trainer::kernels
