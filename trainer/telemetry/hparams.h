#pragma once

#include <string>
#include <vector>

#include "trainer/report/report.h"
#include "trainer/telemetry/summary.h"

namespace casvit::trainer {

/// A scalar by which runs are compared in TensorBoard's table of hyperparameters.
struct RunMetric {
  std::string tag;
  std::string name;  ///< of the column
  bool validation = true;
};

/// What the plugin hparams reads when a run starts: the columns, and this run's values. Numbers and
/// truth values of the configuration are such, lists and words are texts; a key that is null has
/// none. Keys that differ from their defaults come first. TensorBoard takes the first such record
/// that it finds in a run, and the columns from one of the runs that it shows.
/// @param started seconds since 1970
void add_session_start(Summary& summary, const std::vector<ConfigValue>& config,
                       const std::vector<RunMetric>& metrics, double started);

enum class SessionStatus { kSuccess = 1, kFailure = 2 };

/// What it reads at the end. @param ended seconds since 1970
void add_session_end(Summary& summary, SessionStatus status, double ended);

}  // namespace casvit::trainer
