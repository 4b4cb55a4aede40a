#include "trainer/model/layers.h"

#include <ATen/ATen.h>

#include "dataio/random/counter_rng.h"
#include "trainer/kernels/activation.h"
#include "trainer/kernels/batch_norm.h"
#include "trainer/kernels/convolution.h"
#include "trainer/kernels/gate.h"
#include "trainer/kernels/mlp.h"
#include "trainer/parallel/synchronized_batch_norm.h"

namespace casvit::trainer {

struct DropPathDraws::State {
  dataio::CounterRng rng;
};

DropPathDraws::DropPathDraws(std::uint64_t seed, std::uint64_t step, std::uint64_t shard,
                             double factor)
    : state_(std::make_unique<State>(
          State{dataio::CounterRng(seed, dataio::RandomUse::kDropPath, step, shard)})),
      factor_(factor) {}

DropPathDraws::~DropPathDraws() = default;

at::Tensor DropPathDraws::next(std::int64_t samples, double rate, const at::Tensor& like) {
  at::Tensor mask = at::empty({samples, 1, 1, 1}, at::kFloat);
  auto* values = mask.mutable_data_ptr<float>();
  rate *= factor_;
  const auto kept = static_cast<float>(1.0 / (1.0 - rate));
  for (std::int64_t i = 0; i < samples; ++i) {
    values[i] = state_->rng.uniform() < rate ? 0.0F : kept;
  }
  return mask.to(like.options());
}

void Conv2d::describe(std::vector<TensorSpec>& specs, const std::string& prefix, std::int64_t in,
                      std::int64_t out, std::int64_t kernel, std::int64_t groups, bool bias) {
  specs.push_back({prefix + ".weight", {out, in / groups, kernel, kernel}, TensorRole::kDecayed});
  if (bias) {
    specs.push_back({prefix + ".bias", {out}, TensorRole::kPlain});
  }
}

Conv2d::Conv2d(const ModelState& state, const std::string& prefix, std::int64_t stride,
               std::int64_t padding, std::int64_t groups)
    : weight(state.entry(prefix + ".weight").tensor),
      stride(stride),
      padding(padding),
      groups(groups) {
  if (const ModelState::Entry* entry = state.find(prefix + ".bias")) {
    bias = entry->tensor;
  }
}

at::Tensor Conv2d::operator()(const at::Tensor& x) const {
  return kernels::convolution(x, weight, bias, stride, padding, groups);
}

void BatchNorm::describe(std::vector<TensorSpec>& specs, const std::string& prefix,
                         std::int64_t channels) {
  specs.push_back({prefix + ".weight", {channels}, TensorRole::kPlain});
  specs.push_back({prefix + ".bias", {channels}, TensorRole::kPlain});
  specs.push_back({prefix + ".running_mean", {channels}, TensorRole::kRunningMean});
  specs.push_back({prefix + ".running_var", {channels}, TensorRole::kRunningVariance});
  specs.push_back({prefix + ".num_batches_tracked", {}, TensorRole::kBatchesTracked});
}

BatchNorm::BatchNorm(const ModelState& state, const std::string& prefix)
    : weight(state.entry(prefix + ".weight").tensor),
      bias(state.entry(prefix + ".bias").tensor),
      running_mean(state.entry(prefix + ".running_mean").tensor),
      running_var(state.entry(prefix + ".running_var").tensor),
      mean_offset(state.entry(prefix + ".running_mean").offset),
      variance_offset(state.entry(prefix + ".running_var").offset) {}

at::Tensor BatchNorm::operator()(const at::Tensor& x, const BatchNormPass& pass) const {
  if (!pass.training(weight)) {
    return kernels::batch_norm_inference(x, weight, bias, running_mean, running_var);
  }
  const at::Tensor mean_sum = pass.statistics.narrow(0, mean_offset, weight.numel());
  const at::Tensor variance_sum = pass.statistics.narrow(0, variance_offset, weight.numel());
  return pass.ranks != nullptr
             ? synchronized_batch_norm(x, weight, bias, mean_sum, variance_sum, *pass.ranks)
             : kernels::batch_norm_training(x, weight, bias, mean_sum, variance_sum);
}

void Linear::describe(std::vector<TensorSpec>& specs, const std::string& prefix, std::int64_t in,
                      std::int64_t out) {
  specs.push_back({prefix + ".weight", {out, in}, TensorRole::kDecayed});
  specs.push_back({prefix + ".bias", {out}, TensorRole::kPlain});
}

Linear::Linear(const ModelState& state, const std::string& prefix)
    : weight(state.entry(prefix + ".weight").tensor), bias(state.entry(prefix + ".bias").tensor) {}

at::Tensor Linear::operator()(const at::Tensor& x) const { return at::linear(x, weight, bias); }

void Stem::describe(std::vector<TensorSpec>& specs, std::int64_t out) {
  Conv2d::describe(specs, "patch_embed.0", 3, out / 2, 3, 1, true);
  BatchNorm::describe(specs, "patch_embed.1", out / 2);
  Conv2d::describe(specs, "patch_embed.3", out / 2, out, 3, 1, true);
  BatchNorm::describe(specs, "patch_embed.4", out);
}

Stem::Stem(const ModelState& state)
    : conv1(state, "patch_embed.0", 2, 1, 1),
      conv2(state, "patch_embed.3", 2, 1, 1),
      norm1(state, "patch_embed.1"),
      norm2(state, "patch_embed.4") {}

at::Tensor Stem::operator()(const at::Tensor& x, const BatchNormPass& pass) const {
  const at::Tensor half = at::relu(norm1(conv1(x), pass));
  return at::relu(norm2(conv2(half), pass));
}

void Gate::describe(std::vector<TensorSpec>& specs, const std::string& prefix, std::int64_t dim) {
  Conv2d::describe(specs, prefix + ".0.block.0", dim, dim, 3, dim, true);
  BatchNorm::describe(specs, prefix + ".0.block.1", dim);
  Conv2d::describe(specs, prefix + ".0.block.3", dim, 1, 1, 1, false);
  Conv2d::describe(specs, prefix + ".1.block.1", dim, dim, 1, 1, false);
}

Gate::Gate(const ModelState& state, const std::string& prefix, std::int64_t dim)
    : spatial_depthwise(state, prefix + ".0.block.0", 1, 1, dim),
      spatial_project(state, prefix + ".0.block.3", 1, 0, 1),
      channel_project(state, prefix + ".1.block.1", 1, 0, 1),
      spatial_norm(state, prefix + ".0.block.1") {}

at::Tensor Gate::operator()(const at::Tensor& x, const BatchNormPass& pass) const {
  return kernels::gate(x, spatial_norm(spatial_depthwise(x), pass), spatial_project.weight,
                       channel_project.weight);
}

GateValues Gate::values(const at::Tensor& x) const {
  const at::Tensor z = at::relu(spatial_norm(spatial_depthwise(x), BatchNormPass{}));
  const at::Tensor spatial = at::sigmoid(at::conv2d(z, spatial_project.weight));
  const at::Tensor focused = x * spatial;
  const at::Tensor means = focused.mean({2, 3}, /*keepdim=*/true);
  return {spatial, focused, at::sigmoid(at::conv2d(means, channel_project.weight))};
}

void AdditiveTokenMixer::describe(std::vector<TensorSpec>& specs, const std::string& prefix,
                                  std::int64_t dim) {
  Conv2d::describe(specs, prefix + ".qkv", dim, 3 * dim, 1, 1, false);
  Gate::describe(specs, prefix + ".oper_q", dim);
  Gate::describe(specs, prefix + ".oper_k", dim);
  Conv2d::describe(specs, prefix + ".dwc", dim, dim, 3, dim, true);
  Conv2d::describe(specs, prefix + ".proj", dim, dim, 3, dim, true);
}

AdditiveTokenMixer::AdditiveTokenMixer(const ModelState& state, const std::string& prefix,
                                       std::int64_t dim)
    : qkv(state, prefix + ".qkv", 1, 0, 1),
      dwc(state, prefix + ".dwc", 1, 1, dim),
      proj(state, prefix + ".proj", 1, 1, dim),
      gate_q(state, prefix + ".oper_q", dim),
      gate_k(state, prefix + ".oper_k", dim) {}

at::Tensor AdditiveTokenMixer::operator()(const at::Tensor& x, const BatchNormPass& pass,
                                          AttentionGates* gates) const {
  const std::vector<at::Tensor> parts = kernels::pointwise_in_three(x, qkv.weight);
  if (gates != nullptr) {
    *gates = {gate_q.values(parts[0]), gate_k.values(parts[1])};
  }
  const at::Tensor query = gate_q(parts[0], pass);
  const at::Tensor key = gate_k(parts[1], pass);
  return proj(dwc(query + key) * parts[2]);
}

void LocalIntegration::describe(std::vector<TensorSpec>& specs, const std::string& prefix,
                                std::int64_t dim) {
  Conv2d::describe(specs, prefix + ".network.0", dim, dim, 1, 1, true);
  BatchNorm::describe(specs, prefix + ".network.1", dim);
  Conv2d::describe(specs, prefix + ".network.2", dim, dim, 3, dim, true);
  Conv2d::describe(specs, prefix + ".network.4", dim, dim, 1, 1, true);
}

LocalIntegration::LocalIntegration(const ModelState& state, const std::string& prefix,
                                   std::int64_t dim)
    : expand(state, prefix + ".network.0", 1, 0, 1),
      depthwise(state, prefix + ".network.2", 1, 1, dim),
      project(state, prefix + ".network.4", 1, 0, 1),
      norm(state, prefix + ".network.1") {}

at::Tensor LocalIntegration::operator()(const at::Tensor& x, const BatchNormPass& pass) const {
  return project(kernels::gelu(depthwise(norm(expand(x), pass))));
}

void Mlp::describe(std::vector<TensorSpec>& specs, const std::string& prefix, std::int64_t dim,
                   std::int64_t hidden) {
  Conv2d::describe(specs, prefix + ".fc1", dim, hidden, 1, 1, true);
  Conv2d::describe(specs, prefix + ".fc2", hidden, dim, 1, 1, true);
}

Mlp::Mlp(const ModelState& state, const std::string& prefix)
    : fc1(state, prefix + ".fc1", 1, 0, 1), fc2(state, prefix + ".fc2", 1, 0, 1) {}

at::Tensor Mlp::operator()(const at::Tensor& x) const {
  return kernels::mlp(x, fc1.weight, fc1.bias, fc2.weight, fc2.bias);
}

void AdditiveBlock::describe(std::vector<TensorSpec>& specs, const std::string& prefix,
                             std::int64_t dim, std::int64_t mlp_ratio) {
  LocalIntegration::describe(specs, prefix + ".local_perception", dim);
  BatchNorm::describe(specs, prefix + ".norm1", dim);
  AdditiveTokenMixer::describe(specs, prefix + ".attn", dim);
  BatchNorm::describe(specs, prefix + ".norm2", dim);
  Mlp::describe(specs, prefix + ".mlp", dim, dim * mlp_ratio);
}

AdditiveBlock::AdditiveBlock(const ModelState& state, const std::string& prefix, std::int64_t dim,
                             double drop_path)
    : local(state, prefix + ".local_perception", dim),
      norm1(state, prefix + ".norm1"),
      norm2(state, prefix + ".norm2"),
      mixer(state, prefix + ".attn", dim),
      mlp(state, prefix + ".mlp"),
      drop_path(drop_path) {}

at::Tensor AdditiveBlock::operator()(const at::Tensor& x, const BatchNormPass& pass,
                                     DropPathDraws* draws, AttentionGates* gates) const {
  const auto branch = [&](const at::Tensor& y) {
    return draws != nullptr && draws->drops(drop_path) ? y * draws->next(y.size(0), drop_path, y)
                                                       : y;
  };
  at::Tensor y = x + local(x, pass);
  y = y + branch(mixer(norm1(y, pass), pass, gates));
  return y + branch(mlp(norm2(y, pass)));
}

void Embedding::describe(std::vector<TensorSpec>& specs, const std::string& prefix, std::int64_t in,
                         std::int64_t out) {
  Conv2d::describe(specs, prefix + ".proj", in, out, 3, 1, true);
  BatchNorm::describe(specs, prefix + ".norm", out);
}

Embedding::Embedding(const ModelState& state, const std::string& prefix)
    : proj(state, prefix + ".proj", 2, 1, 1), norm(state, prefix + ".norm") {}

at::Tensor Embedding::operator()(const at::Tensor& x, const BatchNormPass& pass) const {
  return norm(proj(x), pass);
}

}  // namespace casvit::trainer
