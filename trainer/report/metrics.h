#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace casvit::trainer {

/// One optimisation step. `step` and `epoch` count from 1.
struct StepMetrics {
  std::int64_t step = 0;
  int epoch = 0;
  float loss = 0;  ///< mean over the global batch
  double lr = 0;
  float grad_norm = 0;  ///< before clipping
  double images_per_second = 0;
  double data_seconds = 0;                  ///< waiting for the loader
  double comm_exposed_seconds = 0;          ///< waiting for communication, and in it for others
  std::optional<double> compute_seconds;    ///< forward and backward; absent in older runs
  std::optional<double> optimizer_seconds;  ///< clipping, update and averaging; the same
  std::optional<double> loss_scale;         ///< absent where the loss is not scaled (fp16 only)
  std::optional<double> seconds;            ///< the whole step; absent in older runs
};

/// Where the time of each rank went in the steps of an epoch that one start of the run made:
/// seconds, in rank order.
struct RankMetrics {
  std::int64_t step = 0;  ///< the epoch's last
  int epoch = 0;
  std::int64_t steps = 0;  ///< that the seconds are of
  std::vector<double> data_seconds, compute_seconds, comm_exposed_seconds, optimizer_seconds;
  std::vector<double> idle_seconds;  ///< waiting for ranks that came later
};

/// A start of the run: the first, or one that went on from a checkpoint.
struct StartMetrics {
  std::int64_t step = 0;  ///< steps done before
  int epoch = 0;          ///< epochs done before
  int ranks = 1;
  double began = 0;             ///< when the process started, seconds since 1970
  double starting_seconds = 0;  ///< from then to the first step
  double previous_ended = 0;    ///< when the start before wrote its last line; 0: there was none
  std::int64_t lost_steps = 0;  ///< steps of the start before that no checkpoint held
};

/// Time in which the run trained nothing.
struct PauseMetrics {
  std::int64_t step = 0;
  int epoch = 0;
  std::string on;  ///< "evaluation", "checkpoint", "report"
  double seconds = 0;
};

struct EpochMetrics {
  std::int64_t step = 0;
  int epoch = 0;
  double train_loss = 0;
  double seconds = 0;  ///< whole epoch, evaluation included
  double images_per_second = 0;
  std::optional<double> model_acc1, model_acc5, model_loss;  ///< absent where not evaluated
  std::optional<double> ema_acc1, ema_acc5, ema_loss;
  std::optional<double> replaced;  ///< corrupt pictures; absent where none would be replaced
  std::optional<double> skipped;   ///< steps that were not finite; absent where they end the run
};

/// What a run folder's metrics.jsonl holds.
struct History {
  std::vector<StepMetrics> steps;
  std::vector<EpochMetrics> epochs;
  std::vector<RankMetrics> ranks;
  std::vector<StartMetrics> starts;
  std::vector<PauseMetrics> pauses;
};

/// Writes metrics.jsonl and metrics.csv of a run folder (rank 0 only), a line a step and a line an
/// epoch, flushed at once; both always parse, also after a kill.
class MetricsLog {
 public:
  /// Opens for appending; lines after `resume_step` (of an interrupted run; an epoch's line belongs
  /// to its last step) are dropped first but for starts, as is a torn last line. `resume_step` 0
  /// starts afresh. metrics.csv is made anew from the lines that stay. `dropped` tells of what
  /// went.
  /// @throws OutputError, CheckpointError
  MetricsLog(const std::string& run_folder, std::int64_t resume_step);
  ~MetricsLog();
  MetricsLog(MetricsLog&&) noexcept;

  void append(const StepMetrics& metrics);
  void append(const EpochMetrics& metrics);
  /// To metrics.jsonl alone.
  void append(const RankMetrics& metrics);
  void append(const StartMetrics& metrics);
  void append(const PauseMetrics& metrics);

  /// What was there before this start that went on from an earlier step.
  struct Dropped {
    std::int64_t steps = 0;
    double ended = 0;  ///< when the file was last written, seconds since 1970; 0: there was none
  };
  const Dropped& dropped() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads metrics.jsonl. @throws CheckpointError naming file and line.
History read_history(const std::string& run_folder);

}  // namespace casvit::trainer
