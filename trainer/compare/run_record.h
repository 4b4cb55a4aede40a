#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "trainer/config/config.h"
#include "trainer/report/bootstrap.h"
#include "trainer/report/metrics.h"

namespace casvit::trainer {

/// What report/report.json says of a run; what it does not say is absent.
struct RecordedReport {
  struct Weights {
    double acc1 = 0;  ///< percent
    std::optional<Interval> acc1_interval;
    std::optional<double> loss;
  };
  std::optional<Weights> model, ema;
  std::optional<std::int64_t> samples;
  std::optional<double> seconds, images_per_second, peak_memory_bytes, goodput;
  std::optional<int> ranks;
  std::string data_hash;    ///< of the validation pictures; empty: not known
  bool is_current = false;  ///< not older than the metrics
};

/// What a run folder holds, as far as it holds it: a run may be under way, or ended without report.
struct RunRecord {
  std::string folder;  ///< as given, without trailing slashes
  History history;
  std::optional<Config> config;
  std::string config_problem;  ///< why there is no configuration; empty where there is one
  std::optional<RecordedReport> report;
  double metrics_written = 0;  ///< when metrics.jsonl was last written, seconds since 1970
};

/// Reads a folder of `casvit_dist train`, or of `casvit_dist eval --out`.
/// @throws CheckpointError naming the folder where it is none of these, or the file (and line) that
/// cannot be read. A configuration that this version cannot read is a `config_problem`.
RunRecord read_run(const std::string& folder);

}  // namespace casvit::trainer
