#include "trainer/optim/gradient_clipping.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace casvit::trainer {
namespace {

constexpr double kLeastWeight = 1e-3;  ///< timm's eps: units of zero can grow
constexpr double kLeastGradient = 1e-6;

/// `[units, 1, ...]` of a weight, one number of anything else.
at::Tensor unit_norms(const at::Tensor& x) {
  if (x.dim() <= 1) {
    return x.norm(2);
  }
  std::vector<std::int64_t> others(static_cast<std::size_t>(x.dim()) - 1);
  std::iota(others.begin(), others.end(), 1);
  return x.norm(2, others, /*keepdim=*/true);
}

bool is_of_a_head(const std::string& name) {
  return name.starts_with("head.") || name.starts_with("dist_head.");
}

}  // namespace

double clip_factor(double norm, double max_norm) {
  return max_norm > 0 ? std::min(1.0, max_norm / (norm + 1e-6)) : 1.0;
}

void clip_adaptively(const ModelState& state, const Partition& partition,
                     const at::Tensor& gradients, double factor) {
  const at::NoGradGuard no_grad;
  const std::vector<const ModelState::Entry*> entries = state.parameter_entries();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ModelState::Entry& entry = *entries[i];
    if (!partition.owns(i) || is_of_a_head(entry.name)) {
      continue;
    }
    at::Tensor gradient =
        gradients.narrow(0, entry.offset, entry.tensor.numel()).view(entry.tensor.sizes());
    const at::Tensor most = unit_norms(entry.tensor).clamp_min_(kLeastWeight).mul_(factor);
    const at::Tensor norm = unit_norms(gradient);
    gradient.mul_(
        at::where(norm < most, at::ones_like(norm), most / norm.clamp_min(kLeastGradient)));
  }
}

}  // namespace casvit::trainer
