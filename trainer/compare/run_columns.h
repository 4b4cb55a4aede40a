#pragma once

#include <string>
#include <vector>

#include "trainer/compare/run_comparison.h"

namespace casvit::trainer {

/// One column of the table of runs.
struct RunColumn {
  std::string heading;
  std::vector<std::string> cells;  ///< `[runs]`; empty where not known
};

/// The columns that some run has a value for: name, epochs ("12/40": of so many planned), steps,
/// best and last top-1 of model and EMA with the interval of the last, losses, images per second,
/// time, goodput, memory, ranks.
std::vector<RunColumn> run_columns(const std::vector<RunSummary>& runs);

}  // namespace casvit::trainer
