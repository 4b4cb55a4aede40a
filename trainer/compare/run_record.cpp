#include "trainer/compare/run_record.h"

#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// A finite number of an object, or nothing.
std::optional<double> number(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

const Json& part(const Json& object, const char* key) {
  static const Json kNothing = Json::object();
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : kNothing;
}

std::optional<RecordedReport::Weights> weights_of(const Json& judgement) {
  const std::optional<double> acc1 = number(judgement, "acc1");
  if (!acc1 || number(judgement, "samples") == 0.0) return std::nullopt;
  RecordedReport::Weights weights{*acc1, std::nullopt, number(judgement, "loss")};
  const auto interval = judgement.find("acc1_interval");
  if (interval != judgement.end() && interval->is_array() && interval->size() == 2 &&
      (*interval)[0].is_number() && (*interval)[1].is_number()) {
    weights.acc1_interval = Interval{(*interval)[0].get<double>(), (*interval)[1].get<double>()};
  }
  return weights;
}

RecordedReport read_report(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    throw CheckpointError(path.string() + " is no report of a run (no JSON object)");
  }
  const Json& cost = part(json, "cost");
  RecordedReport report;
  report.model = weights_of(part(json, "model"));
  report.ema = weights_of(part(json, "ema"));
  if (const auto samples = number(json, "samples")) report.samples = std::llround(*samples);
  report.seconds = number(cost, "seconds");
  report.images_per_second = number(cost, "images_per_second");
  report.peak_memory_bytes = number(cost, "peak_memory_bytes");
  if (const auto ranks = number(cost, "ranks")) {
    report.ranks = static_cast<int>(std::lround(*ranks));
  }
  report.goodput = number(part(json, "time"), "goodput");
  const Json& data = part(json, "data");
  if (const auto hash = data.find("validation data hash"); hash != data.end()) {
    report.data_hash = hash->is_string() ? hash->get<std::string>() : "";
  }
  return report;
}

/// Seconds since 1970.
double written_at(const fs::path& path) {
  const auto time = std::chrono::file_clock::to_sys(fs::last_write_time(path));
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

RunRecord read_run(const std::string& folder) {
  RunRecord run;
  run.folder = folder;
  while (run.folder.size() > 1 && run.folder.ends_with('/')) run.folder.pop_back();
  const fs::path root(run.folder);
  std::error_code ignored;
  if (!fs::is_directory(root, ignored)) {
    throw CheckpointError("there is no folder " + run.folder);
  }
  const fs::path metrics = root / "metrics.jsonl";
  const fs::path config = root / "config.yaml";
  const fs::path report = root / "report" / "report.json";
  const bool has_metrics = fs::exists(metrics, ignored);
  const bool has_config = fs::exists(config, ignored);
  const bool has_report = fs::exists(report, ignored);
  if (!has_metrics && !has_config && !has_report) {
    throw CheckpointError(run.folder +
                          " is no run: it has neither metrics.jsonl nor config.yaml nor "
                          "report/report.json");
  }
  if (has_metrics) {
    run.history = read_history(run.folder);
    run.metrics_written = written_at(metrics);
  }
  if (has_report) {
    run.report = read_report(report);
    run.report->is_current = !has_metrics || written_at(report) >= run.metrics_written;
  }
  if (!has_config) {
    run.config_problem = "there is no config.yaml";
    return run;
  }
  try {
    run.config = load_config(config.string(), {});
  } catch (const ConfigError& error) {
    run.config_problem = error.what();
  }
  return run;
}

}  // namespace casvit::trainer
