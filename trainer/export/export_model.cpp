#include "trainer/export/export_model.h"

#include <ATen/ATen.h>

#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/model_metadata.h"
#include "trainer/engine/model_file.h"
#include "trainer/error.h"
#include "trainer/export/check_onnx.h"
#include "trainer/export/onnx_file.h"
#include "trainer/export/onnx_model.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::string description_of(const LoadedModel& loaded) {
  return "CAS-ViT " + loaded.description.config.model.name + " (arXiv:2408.03703) for " +
         std::to_string(loaded.model.options().num_classes) +
         " classes. input: float32 [batch, 3, height, width], RGB in [0, 1] minus mean, divided by "
         "std (metadata: preprocessing). logits: float32 [batch, classes], in the order of the "
         "metadata's classes; softmax gives probabilities.";
}

void export_onnx(const LoadedModel& loaded, const ExportOptions& options, ExportResult& result) {
  const onnx::ModelProto model =
      onnx_model(loaded.model, to_strings(loaded.metadata()), description_of(loaded));
  const auto check = [&](const onnx::ModelProto& written) {
    check_onnx(written);
    const OnnxAgreement agreement =
        compare_with_onnx(loaded.model, written, loaded.transform().image_size, options.checkpoint);
    result.largest_difference = agreement.largest_difference;
    result.largest_logit = agreement.largest_logit;
    if (!agreement.is_close()) {
      throw std::runtime_error(
          "the ONNX model of " + options.checkpoint + " was not kept: its logits differ by up to " +
          shortest(agreement.largest_difference) + " from our model's, whose largest is " +
          shortest(agreement.largest_logit));
    }
  };
  result.bytes = write_onnx(options.out, model, check);
}

/// What is known of the training goes along, but not the paths of the machine that it ran on.
CheckpointInfo info_of(const LoadedModel& loaded) {
  CheckpointInfo info = loaded.description.info;
  Config config = loaded.description.config;
  config.data.train.clear();
  config.data.val.clear();
  config.data.stage_to.clear();
  config.model.init.clear();
  config.distillation.teacher.clear();
  const dataio::EvalTransformOptions transform = loaded.transform();
  info.config_yaml = to_yaml(config);
  info.normalization_mean = normalization_text(transform.normalization.mean);
  info.normalization_std = normalization_text(transform.normalization.std);
  info.image_size = transform.image_size;
  info.eval_crop_ratio = transform.crop_ratio;
  return info;
}

void export_safetensors(const LoadedModel& loaded, const ExportOptions& options,
                        ExportResult& result) {
  Checkpoint checkpoint{info_of(loaded), {}};
  for (const ModelState::Entry& entry : loaded.model.state().entries()) {
    checkpoint.tensors.push_back({entry.name, entry.tensor});
  }
  write_checkpoint(options.out, checkpoint, to_strings(loaded.metadata()));
  result.bytes = std::filesystem::file_size(options.out);
}

}  // namespace

ExportResult export_model(const ExportOptions& options) {
  std::error_code ignored;  // where one of them is not there they are two
  if (std::filesystem::equivalent(options.checkpoint, options.out, ignored)) {
    throw ConfigError(options.out + " is the checkpoint itself; write to another file");
  }
  const LoadedModel loaded = load_model(options.checkpoint, options.use, options.overrides);
  ExportResult result;
  result.architecture = loaded.description.config.model.name;
  result.classes = loaded.model.options().num_classes;
  result.is_ema = loaded.is_ema;
  if (options.format == ExportFormat::kOnnx) {
    export_onnx(loaded, options, result);
  } else {
    export_safetensors(loaded, options, result);
  }
  return result;
}

}  // namespace casvit::trainer
