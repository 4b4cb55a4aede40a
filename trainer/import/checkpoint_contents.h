#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trainer/import/torch_file.h"

namespace casvit::trainer {

/// A state dict as a file has it, its keys brought to those of the bare model.
struct StateDict {
  std::string
      key;  ///< under which the file has it ("model_ema"); empty: the file is the state dict
  std::map<std::string, TensorReference> tensors;
  std::vector<std::string> removed_prefixes;  ///< "module." of DistributedDataParallel, ...
  std::vector<std::string> left_out;          ///< keys that are none of the model's
};

/// What a trainer noted beside the weights.
struct CheckpointNotes {
  std::optional<std::string> epoch;  ///< as it stands there: the published trainer's begin with 0
  std::vector<std::pair<std::string, double>> accuracies;  ///< ("max_accuracy", 81.5)
  std::optional<std::int64_t> input_size;                  ///< pixels, of the trainer's arguments
};

/// The parts of a file of torch.save that hold weights, and the names of those that do not.
struct CheckpointContents {
  std::optional<StateDict> model;
  std::optional<StateDict> ema;
  CheckpointNotes notes;
  std::vector<std::string> left_out;  ///< "optimizer", "scaler", "args" ...
};

/// Understands a state dict alone, the published trainer's dictionary (`model`, `model_ema`,
/// `optimizer`, `scaler`, `epoch`, `args`), timm's and MMCV's (`state_dict`, `state_dict_ema`).
/// Of a detector or segmenter (keys under `backbone.`) it takes the backbone.
/// @throws CheckpointError where there are no weights
CheckpointContents read_contents(const TorchFile& file);

}  // namespace casvit::trainer
