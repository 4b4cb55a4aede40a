#include "trainer/kernels/fast_path.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

namespace casvit::trainer::kernels {

bool on_fast_path(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat &&
         !at::autocast::is_autocast_enabled(at::kCPU) &&
         (x.dim() != 4 || x.is_contiguous(at::MemoryFormat::ChannelsLast));
}

at::Tensor as_matrix(const at::Tensor& x) {
  // A gradient may arrive in another layout, or expanded: it is copied then.
  return x.permute({0, 2, 3, 1}).reshape({-1, x.size(1)}).contiguous();
}

at::Tensor as_image(const at::Tensor& matrix, const at::Tensor& like) {
  return matrix.view({like.size(0), like.size(2), like.size(3), matrix.size(1)})
      .permute({0, 3, 1, 2});
}

ImageExtents extents_of(const at::Tensor& x) {
  return {x.size(0), x.size(2), x.size(3), x.size(1)};
}

}  // namespace casvit::trainer::kernels
