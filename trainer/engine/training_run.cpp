#include "trainer/engine/training_run.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "launch/interruption.h"
#include "trainer/config/data_options.h"
#include "trainer/engine/check_world.h"
#include "trainer/engine/checkpoint_info.h"
#include "trainer/engine/describe_run.h"
#include "trainer/engine/evaluate.h"
#include "trainer/engine/options_from_config.h"
#include "trainer/engine/resume_check.h"
#include "trainer/engine/room_needed.h"
#include "trainer/engine/run_folder.h"
#include "trainer/engine/run_report.h"
#include "trainer/engine/start_point.h"
#include "trainer/engine/teacher.h"
#include "trainer/engine/weights_init.h"
#include "trainer/error.h"
#include "trainer/optim/loss.h"
#include "trainer/parallel/device_communicator.h"
#include "trainer/report/progress.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

/// Steps of a process before a trace begins: the first ones are not like the others.
constexpr std::int64_t kUntracedSteps = 2;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

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
}

TrainingRun::~TrainingRun() = default;

TrainingStepOptions TrainingRun::step_options() const {
  TrainingStepOptions step = step_options_of(config_, world_.size());
  step.loss = loss_of(config_, inputs_.train.class_counts());
  if (step.loss.class_weights.defined()) {
    step.loss.class_weights = step.loss.class_weights.to(inputs_.compute.device);
  }
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
    load_weights(config_.model.init, WeightsChoice::kAuto, state_->model.state());
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

void TrainingRun::train_to_next_stop() {
  epoch_metrics_.reset();
  is_best_ = false;
  if (evaluation_due_) {
    return;
  }
  if (at_epoch_end()) {
    epoch_started_ = Clock::now();
    meter_.start_epoch();
    state_->epoch_loss_sum = 0;
    state_->replaced_in_epoch = 0;
    state_->skipped_in_epoch = 0;
  }
  const std::int64_t epoch = epochs_done();
  const std::int64_t first_step = inputs_.plan.steps.first_step(epoch);
  std::int64_t stop = std::min(inputs_.last_step, inputs_.plan.steps.first_step(epoch + 1));
  if (const std::int64_t every = config_.checkpoint.every_steps; every > 0) {
    stop = std::min(stop, (state_->step / every + 1) * every);
  }
  std::optional<Progress> progress;
  if (is_leader() && !options_.rehearsal) {
    progress.emplace(formatted("epoch %d/%d", static_cast<int>(epoch) + 1, config_.train.epochs),
                     inputs_.plan.steps.steps_in_epoch(epoch));
  }
  while (state_->step < stop && !interrupted_) {
    take_step();
    if (progress) {
      const std::int64_t in_epoch = state_->step - first_step;
      progress->update(
          in_epoch,
          formatted("loss %.4f  lr %.2e  %.0f images/s  run ETA %s", mean_loss(in_epoch),
                    inputs_.schedule.at(state_->step - 1).learning_rate, meter_.images_per_second(),
                    format_duration(static_cast<double>(inputs_.last_step - state_->step) *
                                    meter_.seconds_a_step())
                        .c_str()));
    }
  }
  count_replaced();
}

/// Collective: adds what every rank had to replace, and names each picture once.
void TrainingRun::count_replaced() {
  if (!replaces_corrupt()) {
    return;
  }
  const ReplacementLog::News news = replacement_log_.gather(replaced_here_, world_.communicator());
  replaced_here_.clear();
  state_->replaced += news.count;
  state_->replaced_in_epoch += news.count;
  for (const std::string& line : news.lines) {
    log_.line(line);
  }
}

void TrainingRun::take_step() {
  const auto start = Clock::now();
  const StepRates rates = inputs_.schedule.at(state_->step);
  const std::int64_t images = inputs_.plan.shards * cursor_.at(state_->step).shard_size;
  launch::Watchdog::Watch watch = world_.watch(
      formatted("step %lld", static_cast<long long>(state_->step) + 1), device_grace());
  watch_ = &watch;
  const StepResult result = training_step_->run([this] { return loader_->next(); }, rates,
                                                launch::Interruption::requested());
  watch_ = nullptr;
  evaluations_.clear();  // they were of the model before this step
  interrupted_ = result.stop;
  replaced_here_.insert(replaced_here_.end(), result.replaced.begin(), result.replaced.end());
  evaluation_due_ = at_epoch_end();
  if (result.nonfinite) {
    note_skipped(result);
  } else {
    state_->epoch_loss_sum += static_cast<double>(result.loss);
  }
  state_->bucket_bytes = training_step_->bucket_bytes();
  note_step(result, rates.learning_rate, images,
            std::chrono::duration<double>(Clock::now() - start).count());
}

void TrainingRun::note_skipped(const StepResult& result) {
  state_->skipped += 1;
  state_->skipped_in_epoch += 1;
  log_.line(formatted("warning: the %s not finite at step %lld: skipped, %lld in a row",
                      std::isfinite(result.loss) ? "gradients are" : "loss is",
                      static_cast<long long>(state_->step),
                      static_cast<long long>(state_->skipped_in_row)));
}

/// Over the steps of the epoch so far that were not skipped.
double TrainingRun::mean_loss(std::int64_t steps_in_epoch) const {
  return state_->epoch_loss_sum / static_cast<double>(steps_in_epoch - state_->skipped_in_epoch);
}

/// What is told of a step that is done.
void TrainingRun::note_step(const StepResult& result, double learning_rate, std::int64_t images,
                            double seconds) {
  meter_.add(images, seconds, result.times);
  if (trace_) {
    trace_->add(state_->step, training_step_->phases(), training_step_->exchanges());
    if (trace_->complete()) {
      write_trace();
    }
  }
  if (!metrics_) {
    return;
  }
  StepMetrics metrics;
  metrics.step = state_->step;
  metrics.epoch = static_cast<int>(inputs_.plan.steps.epoch_of(state_->step - 1)) + 1;
  metrics.loss = result.loss;
  metrics.lr = learning_rate;
  metrics.grad_norm = static_cast<float>(result.grad_norm);
  metrics.images_per_second = static_cast<double>(images) / seconds;
  metrics.data_seconds = result.times.data;
  metrics.compute_seconds = result.times.compute;
  metrics.comm_exposed_seconds = result.times.communication;
  metrics.optimizer_seconds = result.times.optimizer;
  if (state_->scaler.enabled) {
    metrics.loss_scale = state_->scaler.scale;
  }
  metrics_->append(metrics);
}

/// Collective.
void TrainingRun::write_trace() {
  log_.line("trace: " + trace_->write(world_) + " (open it in ui.perfetto.dev)");
  trace_.reset();
}

bool TrainingRun::run_evaluation(const std::string& label) {
  const auto start = Clock::now();
  std::vector<const Rcvit*> models{&state_->model};
  std::optional<Rcvit> average;
  if (state_->average) {
    average.emplace(state_->average_model(tensors()));
    models.push_back(&*average);
  }
  EvaluateOptions options;
  options.transform = eval_transform_of(config_, inputs_.normalization);
  options.loader = {loader_threads_of(config_, inputs_.threads.loader), config_.data.queue_batches};
  options.block_size = config_.eval.batch_size;
  options.progress_label = options_.rehearsal ? "" : label;
  options.most_samples = options_.most_evaluated;
  launch::Watchdog::Watch watch = world_.watch(label, device_grace());
  options.stop = [&watch] {
    watch.feed();
    return launch::Interruption::requested();
  };
  std::optional<std::vector<Evaluation>> found = trainer::evaluate(
      models, *inputs_.val, options, inputs_.compute.device, world_.communicator());
  interrupted_ = !found;
  pastimes_.evaluating += seconds_since(start);
  pastimes_.evaluations += 1;
  if (found) {
    evaluations_ = std::move(*found);
  }
  return found.has_value();
}

void TrainingRun::evaluate() {
  if (!evaluation_due_ || interrupted_) {
    return;
  }
  const auto epoch = static_cast<int>(epochs_done());
  EpochMetrics metrics;
  metrics.step = state_->step;
  metrics.epoch = epoch;
  metrics.train_loss = mean_loss(inputs_.plan.steps.steps_in_epoch(epoch - 1));
  metrics.images_per_second = meter_.images_per_second();
  if (replaces_corrupt()) {
    metrics.replaced = static_cast<double>(state_->replaced_in_epoch);
  }
  if (config_.train.on_nonfinite == "skip") {
    metrics.skipped = static_cast<double>(state_->skipped_in_epoch);
  }
  std::string accuracies;
  if (inputs_.val &&
      (epoch % config_.eval.every_epochs == 0 || state_->step >= inputs_.last_step)) {
    if (!run_evaluation(formatted("evaluating epoch %d", epoch))) {
      return;
    }
    const Accuracy model = accuracy_of(evaluations_[0]);
    metrics.model_acc1 = model.acc1();
    metrics.model_acc5 = model.acc5();
    metrics.model_loss = model.loss;
    double counts = model.acc1();
    accuracies = formatted("  acc1 %.2f%%", model.acc1());
    if (state_->average) {
      const Accuracy ema = accuracy_of(evaluations_[1]);
      metrics.ema_acc1 = ema.acc1();
      metrics.ema_acc5 = ema.acc5();
      metrics.ema_loss = ema.loss;
      counts = ema.acc1();
      accuracies += formatted("  EMA acc1 %.2f%%", ema.acc1());
    }
    if (counts > state_->best_acc1) {
      state_->best_acc1 = counts;
      state_->best_epoch = epoch;
      is_best_ = true;
    }
    count_patience(counts);
  }
  evaluation_due_ = false;
  metrics.seconds = std::chrono::duration<double>(Clock::now() - epoch_started_).count();
  epoch_metrics_ = metrics;
  log_.line(formatted("epoch %d/%d  loss %.4f%s  %.0f images/s  %s", epoch, config_.train.epochs,
                      metrics.train_loss, accuracies.c_str(), metrics.images_per_second,
                      format_duration(metrics.seconds).c_str()));
  tell_of_ranks();
  if (out_of_patience() && state_->step < inputs_.last_step) {
    log_.line(
        formatted("ending early: no better accuracy in %d evaluations (train.patience); best: "
                  "%.2f%%, epoch %d",
                  config_.train.patience, state_->best_acc1, state_->best_epoch));
  }
}

/// The same on every rank, for all know the evaluation.
void TrainingRun::count_patience(double acc1) {
  if (acc1 > state_->patience_acc1 + (state_->patience_acc1 < 0 ? 0 : config_.train.min_delta)) {
    state_->patience_acc1 = acc1;
    state_->evaluations_since_best = 0;
  } else {
    state_->evaluations_since_best += 1;
  }
}

bool TrainingRun::out_of_patience() const {
  return config_.train.patience > 0 && state_->evaluations_since_best >= config_.train.patience;
}

/// Collective: where each rank's time went in the epoch.
void TrainingRun::tell_of_ranks() {
  if (meter_.steps() == 0) {
    return;
  }
  const std::vector<RankTimes> ranks = gather_times(world_.communicator(), meter_.times());
  if (ranks.size() > 1) {
    log_.line("  " + describe_slowest(ranks, meter_.steps()));
  }
  if (!metrics_) {
    return;
  }
  RankMetrics metrics;
  metrics.step = state_->step;
  metrics.epoch = static_cast<int>(epochs_done());
  metrics.steps = meter_.steps();
  for (const RankTimes& rank : ranks) {
    metrics.data_seconds.push_back(rank.sum.data);
    metrics.compute_seconds.push_back(rank.sum.compute);
    metrics.comm_exposed_seconds.push_back(rank.sum.communication);
    metrics.optimizer_seconds.push_back(rank.sum.optimizer);
    metrics.idle_seconds.push_back(rank.idle);
  }
  metrics_->append(metrics);
}

double TrainingRun::seconds_so_far() const {
  return state_->seconds_before + std::chrono::duration<double>(Clock::now() - started_).count();
}

void TrainingRun::save() {
  if (metrics_ && epoch_metrics_) {
    metrics_->append(*epoch_metrics_);
  }
  const bool by_epoch =
      at_epoch_end() && !interrupted_ &&
      (epochs_done() % config_.checkpoint.every_epochs == 0 || finished() || is_best_);
  const bool by_step =
      !by_epoch &&
      ((config_.checkpoint.every_steps > 0 && state_->step % config_.checkpoint.every_steps == 0) ||
       finished() || interrupted_);
  if (by_epoch || by_step) {
    const auto start = Clock::now();
    // Others wait while the disk is slow (the note "Who is to blame" in launch/mpi/thread.cpp).
    const launch::Watchdog::Watch watch = world_.watch("saving a checkpoint", device_grace());
    Checkpoint checkpoint{
        checkpoint_info(config_, inputs_, *state_, evaluation_due_, seconds_so_far()),
        checkpoint_tensors(*state_, tensors())};
    if (checkpoints_) {
      checkpoints_->save(checkpoint,
                         by_epoch ? CheckpointWriter::Kind::kEpoch : CheckpointWriter::Kind::kStep,
                         is_best_);
    }
    pastimes_.saving += seconds_since(start);
    pastimes_.checkpoints += 1;
  }
}

void TrainingRun::leave() {
  loader_.reset();
  if (checkpoints_) {
    const launch::Watchdog::Watch watch = world_.watch("writing the checkpoint");
    checkpoints_->wait();
  }
  world_.communicator().barrier();
  log_.line(
      formatted("interrupted after step %lld of %lld; everything is saved, continue with "
                "--resume auto",
                static_cast<long long>(state_->step), static_cast<long long>(inputs_.last_step)));
}

void TrainingRun::report() {
  loader_.reset();
  if (trace_) {
    write_trace();  // the run was shorter
  }
  if (inputs_.val && evaluations_.empty() && !run_evaluation("evaluating")) {
    return;
  }
  if (!is_leader()) {
    return;
  }
  const auto start = Clock::now();
  const launch::Watchdog::Watch watch = world_.watch("writing the report");
  checkpoints_->wait();
  if (!inputs_.val) {
    log_.line("no data.val, so no report; checkpoints are in " + options_.out + "/checkpoints");
    return;
  }
  RunCost cost{seconds_so_far(), meter_.mean_images_per_second(), world_.size(),
               inputs_.threads.compute};
  if (replaces_corrupt()) {
    cost.replaced = state_->replaced;
  }
  const std::string page = write_run_report(options_.out, config_, inputs_.train, *inputs_.val,
                                            evaluations_, inputs_.compute, cost);
  pastimes_.reporting = seconds_since(start);
  const Accuracy best = accuracy_of(evaluations_.back());
  log_.line(formatted("%s top-1 %.2f%%, top-5 %.2f%% on %lld validation pictures, %s in all",
                      state_->average ? "EMA" : "model", best.acc1(), best.acc5(),
                      static_cast<long long>(best.samples),
                      format_duration(seconds_so_far()).c_str()));
  log_.line("report: " + page);
}

}  // namespace casvit::trainer
