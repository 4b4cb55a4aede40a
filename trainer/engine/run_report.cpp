#include "trainer/engine/run_report.h"

#include <utility>

#include "trainer/engine/process_memory.h"
#include "trainer/engine/report_input.h"
#include "trainer/report/metrics.h"

namespace casvit::trainer {

std::string describe_data(const dataio::Dataset& data) {
  std::string text = std::to_string(data.size()) + " pictures in " + data.files().front();
  if (data.files().size() > 1) {
    text += " and " + std::to_string(data.files().size() - 1) + " more";
  }
  return text;
}

WrittenReport write_run_report(const std::string& run_folder, const Config& config,
                               const dataio::Dataset& train_data, const dataio::Dataset& val_data,
                               const std::vector<Evaluation>& evaluations, const Compute& compute,
                               const RunCost& cost, std::vector<Heatmap> heatmaps) {
  ReportInput input = report_input(config, val_data);
  input.model = evaluations[0];
  if (evaluations.size() > 1) {
    input.ema = evaluations[1];
  }
  input.heatmaps = std::move(heatmaps);
  input.history = read_history(run_folder);
  input.train_counts = train_data.class_counts();
  input.data = {{"training pictures", std::to_string(train_data.size())},
                {"training files", describe_data(train_data)},
                {"training data hash", train_data.content_hash()},
                {"validation pictures", std::to_string(val_data.size())},
                {"validation files", describe_data(val_data)},
                {"validation data hash", val_data.content_hash()}};
  if (cost.replaced) {
    input.data["corrupt training pictures replaced"] = std::to_string(*cost.replaced);
  }
  input.versions["compute"] = compute.describe();
  const auto peak = static_cast<double>(peak_resident_bytes());
  input.cost = {{"seconds", cost.seconds},
                {"peak_memory_bytes", peak},
                {"ranks", cost.ranks},
                {"threads_per_rank", cost.threads}};
  if (cost.images_per_second > 0) {
    input.cost["images_per_second"] = cost.images_per_second;
  }
  input.under_way = cost.under_way;
  input.memory = cost.memory;
  input.memory["peak of the process, rank 0"] = peak;
  return write_report(run_folder, input);
}

}  // namespace casvit::trainer
