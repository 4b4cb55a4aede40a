#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "launch/communicator.h"
#include "trainer/model/state.h"

// The building blocks of CAS-ViT, named as in the paper and in the published model. A layer holds
// views of the model's tensors and nothing else; `describe` lists the tensors that it needs, in the
// official order, and the constructor binds them by name.

namespace casvit::trainer {

/// Whether batch norm uses running statistics (evaluation), or the batch's own, adding them to
/// `statistics` (flat, laid out as `ModelState::buffers()`).
struct BatchNormPass {
  at::Tensor statistics;                  ///< undefined: evaluation
  launch::Communicator* ranks = nullptr;  ///< whose batches are one; none: this batch is its own
  bool frozen = false;  ///< those whose weight requires no gradient are as in evaluation
  bool training(const at::Tensor& weight) const {
    return statistics.defined() && !(frozen && !weight.requires_grad());
  }
};

/// Keep-or-drop draws of stochastic depth (Huang et al., arXiv:1603.09382), one a sample and
/// branch, in the order in which branches ask.
class DropPathDraws {
 public:
  /// @param factor on all rates
  DropPathDraws(std::uint64_t seed, std::uint64_t step, std::uint64_t shard, double factor = 1);
  ~DropPathDraws();
  DropPathDraws(const DropPathDraws&) = delete;
  DropPathDraws& operator=(const DropPathDraws&) = delete;
  /// Whether anything is dropped at this rate.
  bool drops(double rate) const { return rate * factor_ > 0; }
  /// `[samples, 1, 1, 1]`: 0, or 1 / (1 - r), r the rate times the factor.
  at::Tensor next(std::int64_t samples, double rate, const at::Tensor& like);

 private:
  struct State;
  std::unique_ptr<State> state_;
  double factor_;
};

struct Conv2d {
  at::Tensor weight, bias;  ///< bias undefined where there is none
  std::int64_t stride = 1, padding = 0, groups = 1;

  static void describe(std::vector<TensorSpec>& specs, const std::string& prefix, std::int64_t in,
                       std::int64_t out, std::int64_t kernel, std::int64_t groups, bool bias);
  Conv2d() = default;
  Conv2d(const ModelState& state, const std::string& prefix, std::int64_t stride,
         std::int64_t padding, std::int64_t groups);
  at::Tensor operator()(const at::Tensor& x) const;
};

struct BatchNorm {
  at::Tensor weight, bias, running_mean, running_var;
  std::int64_t mean_offset = 0, variance_offset = 0;  ///< in the flat statistics

  static void describe(std::vector<TensorSpec>& specs, const std::string& prefix,
                       std::int64_t channels);
  BatchNorm() = default;
  BatchNorm(const ModelState& state, const std::string& prefix);
  at::Tensor operator()(const at::Tensor& x, const BatchNormPass& pass) const;
};

struct Linear {
  at::Tensor weight, bias;

  static void describe(std::vector<TensorSpec>& specs, const std::string& prefix, std::int64_t in,
                       std::int64_t out);
  Linear() = default;
  Linear(const ModelState& state, const std::string& prefix);
  at::Tensor operator()(const at::Tensor& x) const;
};

/// Two strided convolutions: a quarter of the resolution.
struct Stem {
  Conv2d conv1, conv2;
  BatchNorm norm1, norm2;

  static void describe(std::vector<TensorSpec>& specs, std::int64_t out);
  Stem() = default;
  explicit Stem(const ModelState& state);
  at::Tensor operator()(const at::Tensor& x, const BatchNormPass& pass) const;
};

/// What the two gates of one branch of the additive attention do to its input x.
struct GateValues {
  at::Tensor spatial;  ///< `[N, 1, H, W]` in (0, 1): how far each place is open
  at::Tensor focused;  ///< `[N, C, H, W]`: x * spatial
  at::Tensor channel;  ///< `[N, C, 1, 1]` in (0, 1): how far each channel is open, from focused
};

/// Of both branches, the query's and the key's.
struct AttentionGates {
  GateValues query, key;
};

/// Spatial, then channel gate of the additive attention: x * sigmoid(f(x)), twice.
struct Gate {
  Conv2d spatial_depthwise, spatial_project, channel_project;
  BatchNorm spatial_norm;

  static void describe(std::vector<TensorSpec>& specs, const std::string& prefix, std::int64_t dim);
  Gate() = default;
  Gate(const ModelState& state, const std::string& prefix, std::int64_t dim);
  at::Tensor operator()(const at::Tensor& x, const BatchNormPass& pass) const;
  /// What the call above multiplies x with and does not keep, by LibTorch's operators in evaluation
  /// mode: `focused * channel` is its result.
  GateValues values(const at::Tensor& x) const;
};

/// Convolutional additive token mixer: proj(dwc(gate_q(q) + gate_k(k)) * v).
struct AdditiveTokenMixer {
  Conv2d qkv, dwc, proj;
  Gate gate_q, gate_k;

  static void describe(std::vector<TensorSpec>& specs, const std::string& prefix, std::int64_t dim);
  AdditiveTokenMixer() = default;
  AdditiveTokenMixer(const ModelState& state, const std::string& prefix, std::int64_t dim);
  /// @param gates if given, receives the gates; in evaluation mode only
  at::Tensor operator()(const at::Tensor& x, const BatchNormPass& pass,
                        AttentionGates* gates = nullptr) const;
};

/// Depthwise convolution between two pointwise ones.
struct LocalIntegration {
  Conv2d expand, depthwise, project;
  BatchNorm norm;

  static void describe(std::vector<TensorSpec>& specs, const std::string& prefix, std::int64_t dim);
  LocalIntegration() = default;
  LocalIntegration(const ModelState& state, const std::string& prefix, std::int64_t dim);
  at::Tensor operator()(const at::Tensor& x, const BatchNormPass& pass) const;
};

struct Mlp {
  Conv2d fc1, fc2;

  static void describe(std::vector<TensorSpec>& specs, const std::string& prefix, std::int64_t dim,
                       std::int64_t hidden);
  Mlp() = default;
  Mlp(const ModelState& state, const std::string& prefix);
  at::Tensor operator()(const at::Tensor& x) const;
};

/// x + local(x); x + mixer(norm1(x)); x + mlp(norm2(x)), the last two under drop path.
struct AdditiveBlock {
  LocalIntegration local;
  BatchNorm norm1, norm2;
  AdditiveTokenMixer mixer;
  Mlp mlp;
  double drop_path = 0.0;

  static void describe(std::vector<TensorSpec>& specs, const std::string& prefix, std::int64_t dim,
                       std::int64_t mlp_ratio);
  AdditiveBlock(const ModelState& state, const std::string& prefix, std::int64_t dim,
                double drop_path);
  /// @param gates if given, receives those of the mixer; in evaluation mode only
  at::Tensor operator()(const at::Tensor& x, const BatchNormPass& pass, DropPathDraws* draws,
                        AttentionGates* gates = nullptr) const;
};

/// A strided convolution between two stages: half the resolution.
struct Embedding {
  Conv2d proj;
  BatchNorm norm;

  static void describe(std::vector<TensorSpec>& specs, const std::string& prefix, std::int64_t in,
                       std::int64_t out);
  Embedding() = default;
  Embedding(const ModelState& state, const std::string& prefix);
  at::Tensor operator()(const at::Tensor& x, const BatchNormPass& pass) const;
};

struct Stage {
  std::vector<AdditiveBlock> blocks;
  std::optional<Embedding> downsample;  ///< to the next stage; none after the last
};

}  // namespace casvit::trainer
