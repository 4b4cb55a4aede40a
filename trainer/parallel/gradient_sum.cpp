#include "trainer/parallel/gradient_sum.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <chrono>

namespace casvit::trainer {

GradientSum::GradientSum(const ModelState& state) {
  const std::int64_t parameters = state.parameters().numel();
  const std::int64_t buffers = state.buffers().numel();
  sums_ = at::zeros({parameters + buffers + 1}, state.parameters().options());
  gradients_ = sums_.narrow(0, 0, parameters);
  statistics_ = sums_.narrow(0, parameters, buffers);
  loss_ = sums_.narrow(0, parameters + buffers, 1);
}

void GradientSum::clear() { sums_.zero_(); }

void GradientSum::add_loss(const at::Tensor& loss) {
  const at::NoGradGuard no_grad;
  loss_.add_(loss.detach());
}

double GradientSum::all_reduce(launch::Communicator& communicator) {
  if (communicator.size() == 1) {
    return 0;
  }
  const auto start = std::chrono::steady_clock::now();
  at::Tensor exchanged = sums_;
  if (!sums_.is_cpu()) {
    if (!host_.defined()) {
      host_ = at::empty(sums_.sizes(), sums_.options().device(at::kCPU).pinned_memory(true));
    }
    exchanged = host_.copy_(sums_);
  }
  communicator
      .all_reduce(exchanged.mutable_data_ptr<float>(), static_cast<std::size_t>(exchanged.numel()),
                  launch::ElementType::kFloat32, launch::ReduceOp::kSum)
      .wait();
  if (!sums_.is_cpu()) {
    sums_.copy_(host_);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

float GradientSum::loss_sum() const { return loss_.item<float>(); }

}  // namespace casvit::trainer
