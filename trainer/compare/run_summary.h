#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trainer/compare/run_record.h"

namespace casvit::trainer {

/// Top-1 accuracy of one set of weights over a run, percent.
struct BestAndLast {
  double best = 0;
  int best_epoch = 0;  ///< 0: not known
  double last = 0;
  std::optional<Interval> interval;  ///< 95%, of `last`: where the report is of that evaluation
};

/// The figures of a run; what is not known is absent.
struct RunSummary {
  std::string name;
  int epochs = 0;  ///< complete ones
  std::optional<int> epochs_planned;
  std::int64_t steps = 0;
  std::optional<BestAndLast> model, ema;
  std::optional<double> training_loss;    ///< of the last complete epoch
  std::optional<double> validation_loss;  ///< the last; of the EMA where there is one
  std::optional<double> images_per_second;
  std::optional<double> seconds;  ///< that processes of it ran
  std::optional<double> goodput;  ///< 0 to 1
  std::optional<double> peak_memory_bytes;
  std::optional<int> ranks;
  bool has_report = false;  ///< one that is not older than the metrics
};

/// @param name see run_names
RunSummary summarize(const RunRecord& run, const std::string& name);

/// What runs are called beside one another: as many of the last parts of their paths as tell them
/// apart.
std::vector<std::string> run_names(const std::vector<RunRecord>& runs);

}  // namespace casvit::trainer
