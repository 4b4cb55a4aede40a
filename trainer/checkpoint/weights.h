#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "trainer/checkpoint/safetensors.h"

namespace casvit::trainer {

/// Which weights of a checkpoint: kAuto takes the EMA where there is one, else the model's.
enum class WeightsChoice { kAuto, kModel, kEma };

/// Parameters and buffers under their official names (`patch_embed.0.weight`).
struct Weights {
  std::map<std::string, at::Tensor> tensors;
  bool is_ema = false;
};

/// Takes the weights out of a file: of our checkpoints what stands under `model.` or `ema.`, of any
/// other file (no such names) all of it, which counts as the model's.
/// @param path for messages. @throws CheckpointError where the choice is not there.
Weights select_weights(const std::vector<NamedTensor>& tensors, WeightsChoice choice,
                       const std::string& path);

/// Reads weights from a checkpoint (hashes are checked) or from a plain safetensors file.
/// @throws CheckpointError
Weights read_weights(const std::string& path, WeightsChoice choice);

/// Shapes by name.
using TensorShapes = std::map<std::string, std::vector<std::int64_t>>;

/// How weights differ from what a model expects, by names and shapes; each list sorted.
struct WeightsMatch {
  std::vector<std::string> missing;     ///< expected, not there
  std::vector<std::string> unexpected;  ///< there, not expected
  std::vector<std::string> mismatched;  ///< "head.weight [1000, 256] for [12, 256]"

  bool is_exact() const { return missing.empty() && unexpected.empty() && mismatched.empty(); }
  std::size_t differences() const { return missing.size() + unexpected.size() + mismatched.size(); }
};

/// Compares weights with a model's own tensors.
WeightsMatch match_weights(const std::map<std::string, at::Tensor>& weights,
                           const std::map<std::string, at::Tensor>& expected);
/// The same of their shapes alone.
WeightsMatch match_shapes(const TensorShapes& weights, const TensorShapes& expected);

/// The differences as indented lines of a message, the first few names of each kind; empty where
/// there are none.
std::string describe(const WeightsMatch& match);

}  // namespace casvit::trainer
