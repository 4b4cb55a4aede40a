#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launch/world.h"
#include "trainer/config/config.h"
#include "trainer/engine/train.h"

namespace casvit::trainer {

/// What a whole run will take, by what a little of everything took.
struct RunEstimate {
  int ranks = 1;
  std::int64_t steps = 0;             ///< of the whole run
  std::int64_t steps_tried = 0;       ///< timed in the dry run
  double seconds_a_step = 0;          ///< mean
  double images_per_second = 0;       ///< in steps
  std::int64_t evaluations = 0;       ///< of all validation pictures
  double seconds_an_evaluation = 0;   ///< with the EMA, where there is one
  std::int64_t pictures_tried = 0;    ///< evaluated in the dry run
  std::int64_t checkpoints = 0;
  double seconds_a_checkpoint = 0;    ///< that training waits for
  std::uint64_t checkpoint_bytes = 0;  ///< one file
  std::int64_t checkpoints_kept = 0;   ///< on the disk at once
  double seconds_to_start_and_report = 0;
  double seconds = 0;                       ///< all of it
  std::vector<std::uint64_t> peak_bytes;    ///< resident memory by rank
  std::vector<std::uint64_t> device_bytes;  ///< GPU memory by rank; empty on CPUs
  std::vector<std::string> hosts;           ///< by rank
};

/// Trains some steps, evaluates some pictures, writes a checkpoint and a report, all into a folder
/// beside `options.out` that is removed again, and says from that what the whole run would take.
/// Collective; the result is rank 0's. @throws what train throws
RunEstimate dry_run(const Config& config, const TrainOptions& options, launch::World& world);

/// As a page of text. @param room free memory of this host, bytes; 0: not known
std::string estimate_text(const RunEstimate& estimate);
/// One line of JSON.
std::string estimate_json(const RunEstimate& estimate);

}  // namespace casvit::trainer
