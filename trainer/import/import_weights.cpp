#include "trainer/import/import_weights.h"

#include <ATen/ATen.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <utility>

#include "trainer/checkpoint/architecture.h"
#include "trainer/checkpoint/quoted_name.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/error.h"
#include "trainer/import/stored_tensor.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::string key_text(const StateDict& dict) {
  return dict.key.empty() ? "the state dict" : in_quotes(dict.key);
}

Architecture recognise(const TorchFile& file, const StateDict& dict) {
  TensorShapes shapes;
  for (const auto& [name, tensor] : dict.tensors) shapes.emplace(name, tensor.shape);
  Architecture architecture = nearest_architecture(shapes);
  if (!architecture.match.is_exact()) {
    throw CheckpointError(file.path() + ": " + key_text(dict) +
                          " is no published CAS-ViT; the nearest is " + architecture.name +
                          ", from which it differs:" + describe(architecture.match));
  }
  return architecture;
}

/// All tensors of a state dict that fits `specs`, in their order and in the types of a model.
std::vector<NamedTensor> read_all(const TorchFile& file, const StateDict& dict,
                                  const std::vector<TensorSpec>& specs) {
  std::vector<NamedTensor> tensors;
  tensors.reserve(specs.size());
  for (const TensorSpec& spec : specs) {
    at::Tensor tensor = read_tensor(file, dict.tensors.at(spec.name), spec.name);
    const bool is_counter = spec.role == TensorRole::kBatchesTracked;
    if (tensor.is_floating_point() == is_counter) {
      throw CheckpointError(file.path() + ": tensor " + in_quotes(spec.name) + " is of type " +
                            std::string(dict.tensors.at(spec.name).format.name) + ", but " +
                            (is_counter ? "an integer" : "a float") + " is due");
    }
    tensors.push_back({spec.name, tensor.to(is_counter ? at::kLong : at::kFloat)});
  }
  return tensors;
}

/// @param one of the same names as `other`, in the same order
ImportReport::Difference largest_difference(const std::vector<NamedTensor>& one,
                                            const std::vector<NamedTensor>& other) {
  ImportReport::Difference difference;
  for (std::size_t i = 0; i < one.size(); ++i) {
    if (one[i].tensor.numel() == 0 || !one[i].tensor.is_floating_point()) continue;
    const at::Tensor distance = (one[i].tensor - other[i].tensor).abs().max();
    auto largest = static_cast<double>(distance.item<float>());
    if (std::isnan(largest)) largest = std::numeric_limits<double>::infinity();
    if (largest > difference.largest) difference = {largest, one[i].name};
  }
  return difference;
}

/// Chosen first; the other one, where the file has both.
std::pair<const StateDict*, const StateDict*> choose(const TorchFile& file,
                                                     const CheckpointContents& contents,
                                                     OfficialChoice use) {
  const StateDict* model = contents.model ? &*contents.model : nullptr;
  const StateDict* ema = contents.ema ? &*contents.ema : nullptr;
  if (use == OfficialChoice::kModelEma && ema == nullptr) {
    throw CheckpointError(file.path() + " holds no EMA weights; import the model's");
  }
  if (use == OfficialChoice::kModel && model == nullptr) {
    throw CheckpointError(file.path() + " holds EMA weights only");
  }
  const bool takes_ema = ema != nullptr && use != OfficialChoice::kModel;
  return takes_ema ? std::pair(ema, model) : std::pair(model, ema);
}

/// Both are there: how far they are from each other, and a warning where it was not said which.
void compare(const TorchFile& file, const std::vector<NamedTensor>& taken, const StateDict& other,
             const std::vector<TensorSpec>& specs, bool was_chosen, ImportReport& report) {
  const char* taken_name = report.is_ema ? "EMA" : "model";
  const char* other_name = report.is_ema ? "model" : "EMA";
  try {
    TensorShapes shapes, expected;
    for (const auto& [name, tensor] : other.tensors) shapes.emplace(name, tensor.shape);
    for (const TensorSpec& spec : specs) expected.emplace(spec.name, spec.shape);
    if (const WeightsMatch match = match_shapes(shapes, expected); !match.is_exact()) {
      throw CheckpointError("its tensors are others:" + describe(match));
    }
    report.difference = largest_difference(taken, read_all(file, other, specs));
  } catch (const CheckpointError& error) {
    report.warnings.push_back(formatted("took the %s weights; the %s's could not be compared: %s",
                                        taken_name, other_name, error.what()));
    return;
  }
  if (!was_chosen && report.difference->largest > 0) {
    report.warnings.push_back(formatted(
        "the file has model and EMA weights, and they differ (by up to %.3g, in %s); took the %s. "
        "--use model takes the other",
        report.difference->largest, report.difference->tensor.c_str(), taken_name));
  }
}

void find_not_finite(const std::vector<NamedTensor>& tensors, ImportReport& report) {
  for (const NamedTensor& entry : tensors) {
    if (entry.tensor.is_floating_point() && !entry.tensor.isfinite().all().item<bool>()) {
      report.not_finite.push_back(entry.name);
      report.warnings.push_back("tensor " + entry.name + " has values that are not finite");
    }
  }
}

std::map<std::string, std::string> metadata_of(const ImportOptions& options,
                                               const ImportReport& report) {
  std::map<std::string, std::string> metadata{
      {"format", "pt"},
      {"source", sanitize_utf8(std::filesystem::path(options.source).filename().string())},
      {"weights", report.is_ema ? "ema" : "model"},
      {"architecture", report.architecture},
      {"distillation", report.distillation ? "true" : "false"},
      {"imported_by", std::string("casvit ") + CASVIT_VERSION}};
  if (report.num_classes > 0) metadata["num_classes"] = std::to_string(report.num_classes);
  if (report.notes.epoch) metadata["epoch"] = sanitize_utf8(*report.notes.epoch);
  if (report.notes.input_size) metadata["input_size"] = std::to_string(*report.notes.input_size);
  return metadata;
}

bool is_same_file(const std::string& one, const std::string& other) {
  std::error_code error;
  return std::filesystem::equivalent(one, other, error) && !error;
}

}  // namespace

ImportReport import_weights(const ImportOptions& options) {
  if (is_same_file(options.source, options.output)) {
    throw ConfigError("-o: " + options.output + " is the file that is imported");
  }
  const TorchFile file(options.source);
  const CheckpointContents contents = read_contents(file);
  const auto [taken, other] = choose(file, contents, options.use);
  const Architecture architecture = recognise(file, *taken);
  const std::vector<TensorSpec> specs = rcvit_tensors(architecture.options);
  const std::vector<NamedTensor> tensors = read_all(file, *taken, specs);

  ImportReport report;
  report.is_legacy = file.is_legacy();
  report.architecture = architecture.name;
  report.features_only = architecture.options.features_only;
  report.num_classes = report.features_only ? 0 : architecture.options.num_classes;
  report.distillation = architecture.options.distillation;
  report.is_ema = contents.ema && taken == &*contents.ema;
  report.key = taken->key;
  report.tensors = tensors.size();
  for (std::size_t i = 0; i < specs.size(); ++i) {
    if (specs[i].role == TensorRole::kDecayed || specs[i].role == TensorRole::kPlain) {
      report.parameters += tensors[i].tensor.numel();
    }
  }
  report.notes = contents.notes;
  report.removed_prefixes = taken->removed_prefixes;
  report.left_out = contents.left_out;
  report.left_out_tensors = taken->left_out;
  if (other != nullptr) {
    compare(file, tensors, *other, specs, options.use != OfficialChoice::kAuto, report);
  }
  find_not_finite(tensors, report);
  write_safetensors(options.output, tensors, metadata_of(options, report));
  return report;
}

}  // namespace casvit::trainer
