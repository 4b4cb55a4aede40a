#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "trainer/model/layers.h"
#include "trainer/model/state.h"

namespace casvit::trainer {

/// Depths and widths of a CAS-ViT (Zhang et al., "CAS-ViT: Convolutional Additive Self-attention
/// Vision Transformers for Efficient Mobile Applications", arXiv:2408.03703, Table 1).
struct RcvitOptions {
  std::array<int, 4> layers{};
  std::array<int, 4> embed_dims{};
  int num_classes = 1000;
  int mlp_ratio = 4;
  double drop_path = 0.0;     ///< rate of the last block; linear from 0 at the first
  bool distillation = false;  ///< a second head
  /// No classifier: the stages' outputs, each through a batch norm of its own (`norm0`, `norm2`,
  /// ...).
  bool features_only = false;
};

/// The published sizes: rcvit_xs, rcvit_s, rcvit_m, rcvit_t.
const std::vector<std::string>& rcvit_names();
/// @throws ConfigError naming the four for any other name.
RcvitOptions rcvit_options(const std::string& name);

/// The tensors of such a model, in the official state dict's order.
std::vector<TensorSpec> rcvit_tensors(const RcvitOptions& options);

/// What a forward pass of a training step carries besides the pictures.
struct TrainingPass {
  /// Flat, laid out as `ModelState::buffers()`: every batch norm adds its batch mean and unbiased
  /// batch variance here instead of touching the running statistics.
  at::Tensor batch_statistics;
  std::uint64_t seed = 0;  ///< key of drop path, with step and shard
  std::uint64_t step = 0;
  std::uint64_t shard = 0;
  /// Batch norm over the batches of these ranks together, which all make this pass; none: over this
  /// batch.
  launch::Communicator* batch_norm_ranks = nullptr;
  double drop_path_factor = 1;  ///< on the rates of all blocks
  /// Batch norms whose weight requires no gradient use running statistics, as in evaluation, and
  /// add nothing to `batch_statistics`.
  bool frozen_batch_norms = false;
};

/// A block, both counted from 0.
struct BlockPlace {
  std::size_t stage = 0;
  std::size_t block = 0;  ///< within the stage
  bool operator==(const BlockPlace&) const = default;
};

/// CAS-ViT, with the official state-dict names. Not thread-safe.
class Rcvit {
 public:
  Rcvit(const RcvitOptions& options, at::ScalarType type, at::Device device);

  /// Fills parameters as the published model does (convolutions: Kaiming uniform with a = sqrt 5;
  /// linear: normal, std 0.02, biases 0), keyed by (seed, tensor), and resets the buffers.
  void initialise(std::uint64_t seed);

  struct Output {
    at::Tensor logits;        ///< `[N, num_classes]`
    at::Tensor distillation;  ///< `[N, num_classes]` of the second head; undefined without one
  };

  /// @param images `[N, 3, H, W]`, channels-last
  Output forward_training(const at::Tensor& images, const TrainingPass& pass);
  /// Evaluation: running statistics, no drop path, heads averaged. Records no gradients.
  at::Tensor forward(const at::Tensor& images) const;
  /// The four stages' outputs `[N, embed_dims[i], H / 2^(i + 2), W / 2^(i + 2)]`, with running
  /// statistics and gradients recorded where the caller's grad mode says so.
  std::vector<at::Tensor> forward_features(const at::Tensor& images) const;

  /// What an evaluation pass goes by, for maps of what the network looks at (attention_maps.h).
  struct Observation {
    at::Tensor logits;  ///< as of `forward`, with the way back to `last_stage` recorded, no further
    /// `[N, embed_dims[3], H / 32, W / 32]`, rounded up: what the fourth stage gives to the final
    /// norm. A leaf that gradients can be asked of.
    at::Tensor last_stage;
    std::vector<AttentionGates> gates;  ///< of the blocks asked for, in their order
  };
  /// An evaluation pass that keeps these. The fast kernels compute it as they do `forward`; the
  /// gates of the blocks asked for are computed once more, for the kernels do not keep them.
  /// @throws ConfigError for a model without a classifier, or a block that it does not have
  Observation observe(const at::Tensor& images, const std::vector<BlockPlace>& blocks) const;

  ModelState& state() { return state_; }
  const ModelState& state() const { return state_; }
  const RcvitOptions& options() const { return options_; }

 private:
  /// Where a pass puts what is asked of it besides its result.
  struct Taps {
    std::vector<at::Tensor>* features = nullptr;
    std::function<AttentionGates*(const BlockPlace&)> gates = {};  ///< null: not of this block
  };
  at::Tensor forward_stages(const at::Tensor& images, const BatchNormPass& pass,
                            DropPathDraws* drop_path, const Taps& taps) const;
  /// The last stage's output to logits, in evaluation mode.
  at::Tensor classify(const at::Tensor& last_stage) const;

  RcvitOptions options_;
  ModelState state_;
  Stem stem_;
  std::vector<Stage> stages_;
  std::vector<BatchNorm> feature_norms_;
  BatchNorm norm_;
  Linear head_, distillation_head_;
};

}  // namespace casvit::trainer
