#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/trainer/report/temporary_folder.h"
#include "trainer/report/metrics.h"

namespace casvit::trainer {

/// Run folders in a folder of their own.
class RunFolders {
 public:
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }

  /// metrics.jsonl with this history.
  void write_history(const std::string& name, const History& history) const {
    MetricsLog log(path(name), 0);
    for (const StartMetrics& start : history.starts) log.append(start);
    for (const StepMetrics& step : history.steps) log.append(step);
    for (const EpochMetrics& epoch : history.epochs) log.append(epoch);
  }
  void write_config(const std::string& name, const std::string& yaml) const {
    write(name, "config.yaml", yaml);
  }
  /// report.json, a second newer than what is there already, or older.
  void write_report(const std::string& name, const std::string& json, bool older = false) const {
    write(name, "report/report.json", json);
    const std::string file = path(name) + "/report/report.json";
    const auto now = std::filesystem::last_write_time(file);
    std::filesystem::last_write_time(file, now + std::chrono::seconds(older ? -60 : 1));
  }

 private:
  void write(const std::string& name, const std::string& file, const std::string& text) const {
    const std::filesystem::path place = path(name) + "/" + file;
    std::filesystem::create_directories(place.parent_path());
    std::ofstream(place, std::ios::binary) << text;
  }

  TemporaryFolder folder_;
};

}  // namespace casvit::trainer
