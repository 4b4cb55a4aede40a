#include "trainer/parallel/synchronized_batch_norm.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <array>
#include <cstdint>
#include <string>
#include <tuple>

#include "trainer/kernels/batch_norm.h"

namespace casvit::trainer {
namespace {

/// `[2C]` float64, summed over ranks: float64, so that a sum of squares loses nothing that float32
/// had, and the number of ranks does not show.
void sum_over_ranks(at::Tensor& sums, launch::Communicator& communicator, const char* purpose) {
  const bool moves = !communicator.on_device() && !sums.is_cpu();
  const at::Tensor exchanged = moves ? sums.cpu() : sums;
  communicator.announce(purpose);
  communicator
      .all_reduce(exchanged.mutable_data_ptr(), static_cast<std::size_t>(exchanged.numel()),
                  launch::ElementType::kFloat64, launch::ReduceOp::kSum)
      .wait();
  if (moves) {
    sums.copy_(exchanged);
  }
}

/// `[C]` as `[1, C, 1, 1]`.
at::Tensor by_channel(const at::Tensor& values) { return values.view({1, -1, 1, 1}); }

struct Statistics {
  at::Tensor mean, biased_variance;  ///< `[C]` float64
  double count = 0;                  ///< pixels of all ranks
};

Statistics statistics_over_ranks(const at::Tensor& x, launch::Communicator& communicator) {
  const double here = static_cast<double>(x.numel()) / static_cast<double>(x.size(1));
  const auto [mean, variance] = at::batch_norm_update_stats(x, {}, {}, /*momentum=*/0.0);
  const at::Tensor mean64 = mean.to(at::kDouble);
  const at::Tensor square = variance.to(at::kDouble) + mean64.square();
  at::Tensor sums = at::cat({mean64, square}).mul_(here);
  sum_over_ranks(sums, communicator, "synchronized batch norm, forward");
  const double count = here * communicator.size();
  sums.div_(count);
  const std::int64_t channels = x.size(1);
  Statistics all;
  all.mean = sums.narrow(0, 0, channels);
  all.biased_variance = (sums.narrow(0, channels, channels) - all.mean.square()).clamp_min_(0);
  all.count = count;
  return all;
}

struct SynchronizedBatchNorm : torch::autograd::Function<SynchronizedBatchNorm> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const at::Tensor& bias,
                            const at::Tensor& mean_sum, const at::Tensor& variance_sum,
                            launch::Communicator* communicator) {
    const Statistics all = statistics_over_ranks(x, *communicator);
    mean_sum.add_(all.mean);
    variance_sum.add_(all.biased_variance, all.count > 1 ? all.count / (all.count - 1) : 1.0);
    const at::Tensor mean = all.mean.to(at::kFloat);
    const at::Tensor variance = all.biased_variance.to(at::kFloat);
    const at::Tensor inverse_std =
        all.biased_variance.add(kernels::kBatchNormEpsilon).rsqrt_().to(at::kFloat);
    const at::Tensor y = std::get<0>(at::native_batch_norm(
        x, weight, bias, mean, variance, /*training=*/false, 0.0, kernels::kBatchNormEpsilon));
    context->save_for_backward({x, weight, mean, inverse_std});
    context->saved_data["communicator"] = reinterpret_cast<std::int64_t>(communicator);
    context->saved_data["count"] = all.count;
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const torch::autograd::variable_list saved = context->get_saved_variables();
    const auto& [x, weight, mean, inverse_std] = std::tie(saved[0], saved[1], saved[2], saved[3]);
    auto& communicator =
        *reinterpret_cast<launch::Communicator*>(context->saved_data["communicator"].toInt());
    const at::Tensor gy = gradients[0].contiguous(x.suggest_memory_format());
    // With these statistics in place of the batch's own, the kernel's sums are what is needed:
    // those of gy * (x - mean) / std and of gy.
    const auto [unused, weight_gradient, bias_gradient] = at::native_batch_norm_backward(
        gy, x, weight, {}, {}, mean, inverse_std, /*train=*/true, kernels::kBatchNormEpsilon,
        std::array<bool, 3>{false, true, true});
    at::Tensor sums = at::cat({weight_gradient, bias_gradient}).to(at::kDouble);
    sum_over_ranks(sums, communicator, "synchronized batch norm, backward");
    sums.div_(context->saved_data["count"].toDouble());
    const std::int64_t channels = x.size(1);
    const at::Tensor projection = sums.narrow(0, 0, channels);
    const at::Tensor average = sums.narrow(0, channels, channels);

    // gx = weight / std * (gy - average - (x - mean) / std * projection), by channel a line.
    const at::Tensor scale = weight.to(at::kDouble) * inverse_std.to(at::kDouble);
    const at::Tensor slope = (scale * inverse_std * projection).neg_();
    const at::Tensor offset = (scale * average).neg_().sub_(slope * mean);
    const at::Tensor line = at::addcmul(by_channel(offset.to(at::kFloat)), x.to(at::kFloat),
                                        by_channel(slope.to(at::kFloat)));
    const at::Tensor gx =
        at::addcmul(line, gy.to(at::kFloat), by_channel(scale.to(at::kFloat))).to(x.scalar_type());
    return {gx, weight_gradient, bias_gradient, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor synchronized_batch_norm(const at::Tensor& x, const at::Tensor& weight,
                                   const at::Tensor& bias, at::Tensor mean_sum,
                                   at::Tensor variance_sum, launch::Communicator& communicator) {
  return SynchronizedBatchNorm::apply(x, weight, bias, mean_sum, variance_sum, &communicator);
}

}  // namespace casvit::trainer
