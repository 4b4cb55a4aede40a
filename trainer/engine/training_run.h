#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataio/loader/loader.h"
#include "launch/world.h"
#include "trainer/checkpoint/checkpoint.h"
#include "trainer/config/config.h"
#include "trainer/engine/epoch_meter.h"
#include "trainer/engine/replacement_log.h"
#include "trainer/engine/run_inputs.h"
#include "trainer/engine/run_log.h"
#include "trainer/engine/run_state.h"
#include "trainer/engine/run_telemetry.h"
#include "trainer/engine/step_trace.h"
#include "trainer/engine/train.h"
#include "trainer/engine/training_step.h"
#include "trainer/report/evaluation.h"
#include "trainer/report/metrics.h"
#include "trainer/report/progress.h"
#include "trainer/report/report.h"

namespace casvit::trainer {

/// One run, from opening the data to the report. The same calls in the same order on every rank;
/// rank 0 alone writes files.
class TrainingRun {
 public:
  /// Opens the data, makes the model, resumes where asked to, and starts the loader.
  TrainingRun(const Config& config, TrainOptions options, launch::World& world);
  ~TrainingRun();

  bool finished() const {
    return !evaluation_due_ && (state_->step >= inputs_.last_step || out_of_patience());
  }
  /// Whether the ranks have agreed to leave early.
  bool interrupted() const { return interrupted_; }
  /// Steps up to the end of the epoch, the next checkpoint by steps, the last step, or an
  /// interruption.
  void train_to_next_stop();
  /// At the end of an epoch where one is due: model and EMA on the validation data.
  void evaluate();
  /// Writes the checkpoint that is due, and the epoch's line of metrics.
  void save();
  /// After an evaluation of a run that goes on: the report as it stands, for who watches; not where
  /// that would take more than a twentieth of the time.
  void show();
  /// Waits for the checkpoint, then writes the report.
  void report();
  /// After an interruption: waits until every rank may leave.
  void leave();

  /// The exception being handled ends the process: tells those who watch it. Waits for nobody.
  void give_up() noexcept;

  /// What this process spent on what is no step, in seconds, and how often.
  struct Pastimes {
    double starting = 0;
    double evaluating = 0;
    std::int64_t evaluations = 0;
    double saving = 0;  ///< that training waited for
    std::int64_t checkpoints = 0;
    double reporting = 0;  ///< without the evaluation
  };
  const Pastimes& pastimes() const { return pastimes_; }
  const RunInputs& inputs() const { return inputs_; }
  const RunState& state() const { return *state_; }

 private:
  using Clock = std::chrono::steady_clock;
  static double seconds_since(Clock::time_point start);
  void open_folder();
  void resume_from(const std::string& path);
  void start_from_weights();
  void take_step();
  void note_step(const StepResult& result, double learning_rate, std::int64_t images,
                 double seconds);
  void note_start();
  void note_pause(const char* on, double seconds);
  std::map<std::string, double> memory() const;
  void count_replaced();
  void note_skipped(const StepResult& result);
  double mean_loss(std::int64_t steps_in_epoch) const;
  void count_patience(double acc1);
  /// @param goes_on further steps follow
  WrittenReport write_report_so_far(bool goes_on);
  /// Whether too many evaluations in a row have brought no new best.
  bool out_of_patience() const;
  void tell_of_ranks();
  void write_trace();
  /// @returns false when it was interrupted
  bool run_evaluation(const std::string& label);
  std::int64_t epochs_done() const { return inputs_.plan.steps.epoch_of(state_->step); }
  bool at_epoch_end() const { return inputs_.at_epoch_end(state_->step); }
  bool replaces_corrupt() const { return config_.data.on_corrupt == "replace"; }
  bool is_leader() const { return world_.rank() == 0; }
  double seconds_so_far() const;
  /// When this process started, seconds since 1970.
  double began() const { return std::chrono::duration<double>(began_.time_since_epoch()).count(); }
  /// Carries tensors, where they are.
  launch::Communicator& tensors() {
    return device_communicator_ ? *device_communicator_ : world_.communicator();
  }
  TrainingStepOptions step_options() const;
  std::chrono::milliseconds device_grace() const;

  Config config_;
  TrainOptions options_;
  launch::World& world_;
  Clock::time_point started_ = Clock::now();
  std::chrono::system_clock::time_point began_ = std::chrono::system_clock::now();
  Pastimes pastimes_;
  RunLog log_;
  RunInputs inputs_;
  dataio::StepCursor cursor_;
  std::unique_ptr<RunState> state_;
  std::unique_ptr<launch::Communicator> device_communicator_;  ///< none where the world's own does
  std::shared_ptr<Rcvit> teacher_;                             ///< none: no distillation
  std::unique_ptr<TrainingStep> training_step_;
  std::unique_ptr<dataio::Loader> loader_;
  std::optional<MetricsLog> metrics_;
  std::optional<RunTelemetry> telemetry_;
  std::optional<StepTrace> trace_;  ///< where one was asked for and is not written yet
  std::unique_ptr<CheckpointWriter> checkpoints_;
  std::vector<dataio::Replacement> replaced_here_;  ///< by this rank, not yet counted
  ReplacementLog replacement_log_;
  std::vector<Evaluation> evaluations_;  ///< of the present state: model, then EMA
  std::optional<Rcvit> average_;         ///< the EMA's weights that were evaluated
  std::optional<EpochMetrics> epoch_metrics_;
  launch::Watchdog::Watch* watch_ = nullptr;  ///< of what is under way, to be told of its life
  bool is_best_ = false;
  bool interrupted_ = false;
  bool evaluation_due_ = false;  ///< the epoch's steps are done, its evaluation is not
  Clock::time_point epoch_started_ = Clock::now();
  std::optional<Progress> progress_;  ///< of the epoch, over its checkpoints; the leader's
  EpochMeter meter_;
  Clock::time_point shown_;     ///< when the report was last written
  double showing_seconds_ = 0;  ///< what that took; 0: it was not
};

}  // namespace casvit::trainer
