#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dataio/container/dataset.h"
#include "trainer/config/config.h"
#include "trainer/engine/compute.h"
#include "trainer/report/evaluation.h"
#include "trainer/report/report.h"

namespace casvit::trainer {

/// What a run took so far, and whether it goes on.
struct RunCost {
  double seconds = 0;            ///< over all restarts
  double images_per_second = 0;  ///< of all ranks, in training steps; 0: none were made
  int ranks = 1;
  int threads = 1;                            ///< a rank
  std::map<std::string, double> memory = {};  ///< bytes of a rank: weights, gradients, ...
  std::optional<std::int64_t> replaced = {};  ///< corrupt training pictures; absent: none would be
  std::optional<UnderWay> under_way = {};     ///< absent: this was all
};

/// While a run goes on, its report is written anew as long as that takes no more of the time.
constexpr double kMostOfTheTimeReporting = 0.05;

/// "3319 pictures in seedlings.train.h5".
std::string describe_data(const dataio::Dataset& data);

/// Writes a training run's `report/` from its latest evaluation. Rank 0 only.
/// @param evaluations of the model, then of the EMA where there is one
/// @param heatmaps of the last of them
/// @throws OutputError
WrittenReport write_run_report(const std::string& run_folder, const Config& config,
                               const dataio::Dataset& train_data, const dataio::Dataset& val_data,
                               const std::vector<Evaluation>& evaluations, const Compute& compute,
                               const RunCost& cost, std::vector<Heatmap> heatmaps);

}  // namespace casvit::trainer
