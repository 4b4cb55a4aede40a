#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataio/container/dataset.h"
#include "dataio/loader/loader.h"
#include "launch/threads.h"
#include "launch/world.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/config/config.h"
#include "trainer/engine/compute.h"
#include "trainer/engine/replacement_log.h"
#include "trainer/engine/run_log.h"
#include "trainer/engine/run_state.h"
#include "trainer/engine/stage_data.h"
#include "trainer/engine/train.h"
#include "trainer/engine/training_step.h"
#include "trainer/optim/schedule.h"
#include "trainer/parallel/shard_plan.h"
#include "trainer/report/evaluation.h"
#include "trainer/report/metrics.h"

namespace casvit::trainer {

/// One run, from opening the data to the report. The same calls in the same order on every rank;
/// rank 0 alone writes files.
class TrainingRun {
 public:
  /// Opens the data, makes the model, resumes where asked to, and starts the loader.
  TrainingRun(const Config& config, TrainOptions options, launch::World& world);
  ~TrainingRun();

  bool finished() const { return state_->step >= last_step_ && !evaluation_due_; }
  /// Whether the ranks have agreed to leave early.
  bool interrupted() const { return interrupted_; }
  /// Steps up to the end of the epoch, the next checkpoint by steps, the last step, or an
  /// interruption.
  void train_to_next_stop();
  /// At the end of an epoch where one is due: model and EMA on the validation data.
  void evaluate();
  /// Writes the checkpoint that is due, and the epoch's line of metrics.
  void save();
  /// Waits for the checkpoint, then writes the report.
  void report();
  /// After an interruption: waits until every rank may leave.
  void leave();

 private:
  void open_folder();
  std::string checkpoint_to_resume();
  void resume_from(const std::string& path);
  void describe_start(bool resumed);
  void take_step();
  void count_replaced();
  /// @returns false when it was interrupted
  bool run_evaluation(const std::string& label);
  std::string describe_batches() const;
  std::int64_t epochs_done() const { return plan_.steps.epoch_of(state_->step); }
  bool at_epoch_end() const { return state_->step == plan_.steps.first_step(epochs_done()); }
  bool replaces_corrupt() const { return config_.data.on_corrupt == "replace"; }
  bool is_leader() const { return world_.rank() == 0; }
  double seconds_so_far() const;
  double epoch_images_per_second() const;
  /// Carries tensors, where they are.
  launch::Communicator& tensors() {
    return device_communicator_ ? *device_communicator_ : world_.communicator();
  }
  TrainingStepOptions step_options() const;
  std::chrono::milliseconds device_grace() const;
  CheckpointInfo checkpoint_info() const;

  using Clock = std::chrono::steady_clock;

  Config config_;
  TrainOptions options_;
  launch::World& world_;
  RunLog log_;
  launch::ThreadPlan threads_;
  Compute compute_;
  StagedData staged_;
  dataio::Dataset train_data_;
  std::optional<dataio::Dataset> val_data_;
  dataio::Normalization normalization_;
  ShardPlan plan_;
  std::optional<dataio::StepCursor> cursor_;
  CosineScheduleOptions schedule_;
  std::int64_t total_steps_ = 0;  ///< of the schedule
  std::int64_t last_step_ = 0;    ///< where this run stops: total_steps_ or train.max_steps
  std::unique_ptr<RunState> state_;
  std::unique_ptr<launch::Communicator> device_communicator_;  ///< none where the world's own does
  std::unique_ptr<TrainingStep> training_step_;
  std::unique_ptr<dataio::Loader> loader_;
  std::optional<MetricsLog> metrics_;
  std::unique_ptr<CheckpointWriter> checkpoints_;
  std::vector<dataio::Replacement> replaced_here_;  ///< by this rank, not yet counted
  ReplacementLog replacement_log_;
  std::vector<Evaluation> evaluations_;  ///< the latest: model, then EMA
  std::optional<EpochMetrics> epoch_metrics_;
  launch::Watchdog::Watch* watch_ = nullptr;  ///< of what is under way, to be told of its life
  bool is_best_ = false;
  bool interrupted_ = false;
  bool evaluation_due_ = false;  ///< the epoch's steps are done, its evaluation is not
  Clock::time_point started_ = Clock::now();
  Clock::time_point epoch_started_ = Clock::now();
  std::int64_t images_here_ = 0;   ///< in the steps made by this process
  double step_seconds_here_ = 0;   ///< their time
  StepTimes epoch_times_;          ///< of this rank's steps, in the current epoch
  double epoch_step_seconds_ = 0;  ///< time in steps of the current epoch, in this process
  std::int64_t epoch_steps_ = 0;
  std::int64_t epoch_images_ = 0;
};

}  // namespace casvit::trainer
