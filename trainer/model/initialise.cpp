#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>

#include "dataio/random/counter_rng.h"
#include "trainer/model/rcvit.h"

namespace casvit::trainer {
namespace {

bool ends_with(const std::string& name, const std::string& ending) {
  return name.size() >= ending.size() &&
         name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
}

std::int64_t fan_in(const at::Tensor& weight) { return weight.numel() / weight.size(0); }

}  // namespace

void Rcvit::initialise(std::uint64_t seed) {
  const at::NoGradGuard no_grad;
  double bias_bound = 0;  // of the convolution whose weight came just before
  std::uint64_t place = 0;
  for (const ModelState::Entry& entry : state_.entries()) {
    dataio::CounterRng rng(seed, dataio::RandomUse::kInitialisation, place++, 0);
    at::Tensor values = at::zeros(entry.tensor.sizes(), at::kFloat);
    auto* out = values.mutable_data_ptr<float>();
    const std::int64_t count = values.numel();
    const bool is_weight = ends_with(entry.name, ".weight");
    if (entry.role == TensorRole::kDecayed && entry.tensor.dim() == 4) {
      // torch.nn.Conv2d's default: uniform in +-1 / sqrt(fan_in), weight and bias alike.
      bias_bound = 1.0 / std::sqrt(static_cast<double>(fan_in(entry.tensor)));
      for (std::int64_t i = 0; i < count; ++i) {
        out[i] = static_cast<float>(rng.uniform(-bias_bound, bias_bound));
      }
    } else if (entry.role == TensorRole::kDecayed) {
      bias_bound = 0;
      for (std::int64_t i = 0; i < count; ++i) {
        out[i] = static_cast<float>(0.02 * rng.normal());
      }
    } else if (entry.role == TensorRole::kPlain && is_weight) {  // a batch norm's scale
      bias_bound = 0;
      values.fill_(1);
    } else if (entry.role == TensorRole::kPlain) {
      for (std::int64_t i = 0; i < count; ++i) {
        out[i] = static_cast<float>(rng.uniform(-bias_bound, bias_bound));
      }
    } else if (entry.role == TensorRole::kRunningVariance) {
      values.fill_(1);
    }
    at::Tensor tensor = entry.tensor;
    tensor.copy_(values);
  }
}

}  // namespace casvit::trainer
