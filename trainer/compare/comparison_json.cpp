#include <cmath>
#include <nlohmann/json.hpp>

#include "trainer/compare/run_comparison.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json known(const std::optional<T>& value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (value && !std::isfinite(*value)) return nullptr;
  }
  return value ? Json(*value) : Json(nullptr);
}

Json accuracy_json(const std::optional<BestAndLast>& accuracy) {
  if (!accuracy) return nullptr;
  return {
      {"best", accuracy->best},
      {"best_epoch", accuracy->best_epoch > 0 ? Json(accuracy->best_epoch) : Json(nullptr)},
      {"last", accuracy->last},
      {"last_interval", accuracy->interval ? Json{accuracy->interval->low, accuracy->interval->high}
                                           : Json(nullptr)}};
}

}  // namespace

std::string comparison_json(const RunComparison& comparison) {
  Json runs = Json::array();
  for (std::size_t i = 0; i < comparison.runs.size(); ++i) {
    const RunSummary& run = comparison.summaries[i];
    runs.push_back({{"name", sanitize_utf8(run.name)},
                    {"folder", sanitize_utf8(comparison.runs[i].folder)},
                    {"epochs", run.epochs},
                    {"epochs_planned", known(run.epochs_planned)},
                    {"steps", run.steps},
                    {"model_acc1", accuracy_json(run.model)},
                    {"ema_acc1", accuracy_json(run.ema)},
                    {"training_loss", known(run.training_loss)},
                    {"validation_loss", known(run.validation_loss)},
                    {"images_per_second", known(run.images_per_second)},
                    {"seconds", known(run.seconds)},
                    {"goodput", known(run.goodput)},
                    {"peak_memory_bytes", known(run.peak_memory_bytes)},
                    {"ranks", known(run.ranks)},
                    {"has_report", run.has_report}});
  }
  Json differences = Json::object();
  for (const KeyDifference& one : comparison.differences) {
    Json values = Json::array();
    for (const std::optional<std::string>& value : one.values) {
      values.push_back(value ? Json(sanitize_utf8(*value)) : Json(nullptr));
    }
    differences[one.key] = std::move(values);
  }
  Json notes = Json::array();
  for (const std::string& note : comparison.notes) notes.push_back(sanitize_utf8(note));
  return Json{{"runs", std::move(runs)},
              {"differences", std::move(differences)},
              {"notes", std::move(notes)}}
             .dump() +
         "\n";
}

}  // namespace casvit::trainer
