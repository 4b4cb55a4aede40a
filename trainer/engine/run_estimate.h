#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace casvit::trainer {

/// What a whole run will take, by what a little of everything took.
struct RunEstimate {
  std::string run;  ///< "rcvit_xs, 12 classes; cpu, float32; 2 ranks x 1 thread"
  int ranks = 1;
  std::int64_t steps = 0;        ///< of the whole run
  std::int64_t steps_tried = 0;  ///< timed in the dry run
  double seconds_a_step = 0;
  double images_per_second = 0;        ///< in steps, of all ranks
  std::int64_t evaluations = 0;        ///< of all validation pictures
  std::int64_t pictures = 0;           ///< validation pictures
  std::int64_t pictures_tried = 0;     ///< evaluated in the dry run
  double seconds_an_evaluation = 0;    ///< of model and EMA
  std::int64_t checkpoints = 0;        ///< written over the whole run
  double seconds_a_checkpoint = 0;     ///< that training waits for
  std::uint64_t checkpoint_bytes = 0;  ///< one file
  std::int64_t checkpoints_kept = 0;   ///< on the disk at once
  std::int64_t reports = 0;            ///< after evaluations, for who watches; the last one too
  double seconds_a_report = 0;
  double seconds_to_start = 0;
  std::string host;  ///< of rank 0
  int ranks_on_host = 1;
  std::uint64_t free_bytes = 0;             ///< memory of that host before the run; 0: not known
  std::vector<std::uint64_t> peak_bytes;    ///< resident memory by rank
  std::vector<std::uint64_t> device_bytes;  ///< GPU memory by rank; all 0 on CPUs

  /// Reports on the way are left out where they would take more than their share.
  double seconds_reporting() const;
  double seconds_without_reports() const;
  double seconds() const { return seconds_without_reports() + seconds_reporting(); }
};

/// As a short page.
std::string estimate_text(const RunEstimate& estimate);
/// One line of JSON.
std::string estimate_json(const RunEstimate& estimate);

}  // namespace casvit::trainer
