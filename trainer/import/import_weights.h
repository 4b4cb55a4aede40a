#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trainer/import/checkpoint_contents.h"

namespace casvit::trainer {

/// Which weights of an official file: kAuto takes the EMA where there is one.
enum class OfficialChoice { kAuto, kModel, kModelEma };

struct ImportOptions {
  std::string source;  ///< a file of torch.save
  std::string output;  ///< safetensors; replaced where it is there
  OfficialChoice use = OfficialChoice::kAuto;
};

/// What an import found and did.
struct ImportReport {
  bool is_legacy = false;  ///< the form of PyTorch before 1.6
  std::string architecture;
  int num_classes = 0;  ///< 0 of a backbone
  bool distillation = false;
  bool features_only = false;  ///< a backbone of detection or segmentation
  bool is_ema = false;
  std::string key;  ///< under which the weights stood ("model_ema"); empty: alone
  std::size_t tensors = 0;
  std::int64_t parameters = 0;
  CheckpointNotes notes;
  std::vector<std::string> removed_prefixes;
  std::vector<std::string> left_out;          ///< parts of the file
  std::vector<std::string> left_out_tensors;  ///< keys of the state dict
  std::vector<std::string> not_finite;        ///< tensors with NaN or infinite values

  /// Between the model and the EMA, where the file has both.
  struct Difference {
    double largest = 0;  ///< absolute; infinite where one has NaN
    std::string tensor;
  };
  std::optional<Difference> difference;
  std::vector<std::string> warnings;
};

/// Reads an official CAS-ViT file and writes its weights as safetensors under official names:
/// parameters and statistics as float32, counters as int64. Nothing in the file is executed.
/// @throws CheckpointError for a file that cannot be read, asks for types that weights have not,
/// or whose weights are of no published size, naming what differs from the nearest; OutputError;
/// ConfigError where output and source are one file
ImportReport import_weights(const ImportOptions& options);

}  // namespace casvit::trainer
