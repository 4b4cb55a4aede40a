#include "trainer/engine/run_report.h"

#include <filesystem>

#include "trainer/engine/process_memory.h"
#include "trainer/engine/versions.h"
#include "trainer/report/metrics.h"
#include "trainer/report/report.h"

namespace casvit::trainer {

std::string describe_data(const dataio::Dataset& data) {
  std::string text = std::to_string(data.size()) + " pictures in " + data.files().front();
  if (data.files().size() > 1) {
    text += " and " + std::to_string(data.files().size() - 1) + " more";
  }
  return text;
}

std::string write_run_report(const std::string& run_folder, const Config& config,
                             const dataio::Dataset& train_data, const dataio::Dataset& val_data,
                             const std::vector<Evaluation>& evaluations, const Compute& compute,
                             const RunCost& cost) {
  ReportInput input;
  input.title = config.model.name + " on " +
                std::filesystem::path(val_data.files().front()).filename().string();
  input.classes = val_data.class_names();
  input.model = evaluations[0];
  if (evaluations.size() > 1) {
    input.ema = evaluations[1];
  }
  input.path = [&val_data](std::uint64_t sample) { return val_data.source_path(sample); };
  input.history = read_history(run_folder);
  input.config_yaml = to_yaml(config);
  input.data = {{"training pictures", std::to_string(train_data.size())},
                {"training files", describe_data(train_data)},
                {"training data hash", train_data.content_hash()},
                {"validation pictures", std::to_string(val_data.size())},
                {"validation files", describe_data(val_data)},
                {"validation data hash", val_data.content_hash()}};
  if (cost.replaced) {
    input.data["corrupt training pictures replaced"] = std::to_string(*cost.replaced);
  }
  input.versions = versions();
  input.versions["compute"] = compute.describe();
  input.cost = {{"seconds", cost.seconds},
                {"peak_memory_bytes", static_cast<double>(peak_resident_bytes())},
                {"ranks", cost.ranks},
                {"threads_per_rank", cost.threads}};
  if (cost.images_per_second > 0) {
    input.cost["images_per_second"] = cost.images_per_second;
  }
  return write_report(run_folder, input);
}

}  // namespace casvit::trainer
