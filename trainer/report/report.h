#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trainer/report/evaluation.h"
#include "trainer/report/metrics.h"

namespace casvit::trainer {

/// Everything that a report shows.
struct ReportInput {
  std::string title;  ///< e.g. "rcvit_xs on seedlings.val.h5"
  std::vector<std::string> classes;
  Evaluation model;
  std::optional<Evaluation> ema;
  std::function<std::string(std::uint64_t sample)> path;  ///< source path of a sample, any bytes
  History history;                                        ///< empty for `eval`
  std::string config_yaml;                                ///< the effective configuration
  std::map<std::string, std::string> data;      ///< facts: files, hash, samples of train and val
  std::map<std::string, std::string> versions;  ///< casvit, libtorch, mpi, hdf5, cpu, ...
  std::map<std::string, double> cost;  ///< seconds, images_per_second, peak_memory_bytes, ranks
};

/// Writes report/{index.html, report.json, classification_report.txt, confusion_matrix.csv,
/// predictions.csv, curves.svg} below `folder`, each atomically (aside, then renamed). The headline
/// and per-class figures are those of the EMA weights where there are any; curves.svg is written
/// only where there is a history, index.html last.
/// @returns the path of index.html. @throws OutputError
std::string write_report(const std::string& folder, const ReportInput& input);

}  // namespace casvit::trainer
