#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "trainer/checkpoint/weights.h"
#include "trainer/config/config.h"

namespace casvit::trainer {

enum class ExportFormat { kOnnx, kSafetensors };

struct ExportOptions {
  std::string checkpoint;
  ExportFormat format = ExportFormat::kOnnx;
  std::string out;  ///< a file, replaced where it is there
  WeightsChoice use = WeightsChoice::kAuto;
  std::vector<Override> overrides;  ///< for what the checkpoint does not say
};

struct ExportResult {
  std::string architecture;
  int classes = 0;
  bool is_ema = false;
  std::uint64_t bytes = 0;  ///< of the file
  // Of ONNX: the file, computed anew, against the model's own logits.
  double largest_difference = 0;
  double largest_logit = 0;
};

/// Writes a model for use elsewhere, with all that its user must know as metadata (ModelMetadata):
/// ONNX, or the weights alone under their official names as safetensors. The file appears under
/// its name when it is whole and, as ONNX, has been read back, checked and found to compute what
/// our model does.
/// @throws CheckpointError; ConfigError where the checkpoint does not say enough; OutputError;
/// std::runtime_error where the ONNX model is at fault: a defect of ours
ExportResult export_model(const ExportOptions& options);

}  // namespace casvit::trainer
