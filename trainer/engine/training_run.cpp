#include "trainer/engine/training_run.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>

#include "trainer/config/data_options.h"
#include "trainer/engine/check_world.h"
#include "trainer/engine/describe_run.h"
#include "trainer/engine/options_from_config.h"
#include "trainer/engine/resume_check.h"
#include "trainer/engine/room_needed.h"
#include "trainer/engine/run_folder.h"
#include "trainer/engine/start_point.h"
#include "trainer/engine/teacher.h"
#include "trainer/engine/weights_init.h"
#include "trainer/error.h"
#include "trainer/parallel/device_communicator.h"
#include "trainer/report/text.h"

// How a run starts; its steps are in training_run_steps.cpp, and what comes between them and at the
// end in training_run_stops.cpp.

namespace casvit::trainer {
namespace {

/// Steps of a process before a trace begins: the first ones are not like the others.
constexpr std::int64_t kUntracedSteps = 2;

}  // namespace

TrainingRun::TrainingRun(const Config& config, TrainOptions options, launch::World& world)
    : config_(config),
      options_(std::move(options)),
      world_(world),
      log_(world.rank() == 0 && !options_.rehearsal),
      inputs_(config, world),
      cursor_(inputs_.plan.steps) {
  const Compute& compute = inputs_.compute;
  device_communicator_ = make_device_communicator(world_, compute.device);
  const RcvitOptions model = model_of(config_, inputs_.train.num_classes());
  state_ = std::make_unique<RunState>(model, optimizer_of(config_), rules_of(config_),
                                      config_.ema.decay > 0, compute.device);
  state_->scaler.enabled = compute.loss_scaling();

  const std::string checkpoint = checkpoint_to_resume(options_, world_, log_);
  open_folder();
  if (checkpoint.empty()) {
    start_from_weights();
  } else {
    resume_from(checkpoint);
  }
  if (is_leader()) {
    telemetry_.emplace(config_, inputs_, *state_,
                       RunTelemetry::Place{options_.out, world_.host(), world_.size(), began()},
                       [this](const std::string& line) { log_.line(line); });
    // Not before the start is known to be sound: this makes the folder a run's.
    write_text_file(options_.out + "/config.yaml", to_yaml(config_, true));
    metrics_.emplace(options_.out, state_->step);
    checkpoints_ = std::make_unique<CheckpointWriter>(options_.out, config_.checkpoint.keep);
  }
  for (const std::string& line : describe_run(config_, inputs_, state_->model, world_.size())) {
    log_.line(line);
  }
  log_.line(checkpoint.empty()
                ? "writing to " + options_.out
                : formatted("continuing %s after step %lld (epoch %lld)", options_.out.c_str(),
                            static_cast<long long>(state_->step),
                            static_cast<long long>(epochs_done())));
  if (!config_.distillation.teacher.empty()) {
    const Teacher teacher =
        load_teacher(config_.distillation.teacher, model.num_classes, compute.device);
    teacher_ = teacher.model;
    log_.line("teacher: " + teacher.name + " from " + config_.distillation.teacher);
  }
  if (!options_.trace.empty()) {
    trace_.emplace(options_.trace, kUntracedSteps, options_.trace_steps);
  }

  training_step_ = std::make_unique<TrainingStep>(*state_, tensors(), compute, step_options());
  loader_ = std::make_unique<dataio::Loader>(
      inputs_.train,
      inputs_.plan.sequence(sample_order_of(config_, inputs_.train), state_->step,
                            inputs_.last_step),
      loader_training_of(config_, inputs_.normalization, model.num_classes),
      dataio::LoaderOptions{loader_threads_of(config_, inputs_.threads.loader),
                            config_.data.queue_batches, batch_memory(compute.device)});
  pastimes_.starting = seconds_since(started_);
  note_start();
}

/// For the report's account of time over all starts.
void TrainingRun::note_start() {
  if (!metrics_) {
    return;
  }
  metrics_->append(StartMetrics{state_->step, static_cast<int>(epochs_done()), world_.size(),
                                began(), pastimes_.starting, metrics_->dropped().ended,
                                metrics_->dropped().steps});
}

TrainingRun::~TrainingRun() = default;

void TrainingRun::give_up() noexcept {
  if (telemetry_) {
    telemetry_->give_up();
  }
}

TrainingStepOptions TrainingRun::step_options() const {
  TrainingStepOptions step = step_options_of(config_, world_.size());
  step.loss = loss_of(config_, inputs_.train.class_counts(), inputs_.compute.device);
  step.teacher = teacher_.get();
  if (step.bucket_bytes == 0) {
    step.bucket_bytes = state_->bucket_bytes;
  }
  step.on_shard = [this] { watch_->feed(); };
  return step;
}

/// On a GPU the host waits for collectives without knowing: they are given their time first.
std::chrono::milliseconds TrainingRun::device_grace() const {
  return inputs_.compute.device.is_cpu() ? std::chrono::milliseconds(0) : timeout_of(config_);
}

void TrainingRun::open_folder() {
  if (is_leader()) {
    require_room_for_checkpoint(options_.out, checkpoint_bytes(*state_));
    make_run_folder(options_.out);
    log_.open(options_.out);
  }
}

void TrainingRun::start_from_weights() {
  state_->model.initialise(config_.train.seed);
  if (!config_.model.init.empty()) {
    const LoadedWeights loaded = load_weights(config_.model.init, WeightsChoice::kAuto,
                                              state_->model.state(), HeadPolicy::kMayDiffer);
    for (const std::string& note : loaded.notes) {
      log_.line(note);
    }
  }
  if (state_->average) {
    state_->average.emplace(state_->model.state());
  }
}

void TrainingRun::resume_from(const std::string& path) {
  const Checkpoint checkpoint = read_checkpoint(path);
  if (std::none_of(checkpoint.tensors.begin(), checkpoint.tensors.end(),
                   [](const NamedTensor& entry) { return entry.name.starts_with("model."); })) {
    throw CheckpointError(path + " was exported and holds weights alone; start from them with " +
                          "--set model.init=" + path);
  }
  const ResumeCheck check =
      check_resume(checkpoint.info, config_, inputs_.train.content_hash(),
                   inputs_.compute.precision(), inputs_.threads.compute, world_.size());
  for (const std::string& note : check.notes) {
    log_.line(note);
  }
  restore(*state_, checkpoint);
  if (checkpoint.info.ranks != world_.size()) {
    state_->bucket_bytes = 0;  // found for other exchanges
  }
  evaluation_due_ = checkpoint.info.step_in_epoch > 0 && at_epoch_end();
  if (finished()) {
    if (out_of_patience()) {
      log_.line(
          formatted("%s ended early after epoch %lld, for lack of progress. To train on, raise "
                    "train.patience.",
                    options_.out.c_str(), static_cast<long long>(epochs_done())));
      return;
    }
    const bool cut_short = inputs_.last_step < inputs_.schedule.total_steps();
    log_.line(formatted(
        "%s is finished: %lld of %lld steps are done. To train on, raise train.epochs%s.",
        options_.out.c_str(), static_cast<long long>(state_->step),
        static_cast<long long>(inputs_.last_step), cut_short ? " or train.max_steps" : ""));
  }
}

}  // namespace casvit::trainer
