// What a run does between its steps and at its end: evaluation, checkpoints, the report.

#include "launch/interruption.h"
#include "trainer/config/data_options.h"
#include "trainer/engine/checkpoint_info.h"
#include "trainer/engine/evaluate.h"
#include "trainer/engine/heatmaps.h"
#include "trainer/engine/memory_shortage.h"
#include "trainer/engine/run_report.h"
#include "trainer/engine/training_run.h"
#include "trainer/report/progress.h"
#include "trainer/report/text.h"

namespace casvit::trainer {

double TrainingRun::seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool TrainingRun::run_evaluation(const std::string& label) {
  const auto start = Clock::now();
  std::vector<const Rcvit*> models{&state_->model};
  if (state_->average) {
    average_.emplace(state_->average_model(tensors()));
    models.push_back(&*average_);
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
  std::optional<std::vector<Evaluation>> found = explaining_shortage(
      "the evaluation",
      [&] {
        return formatted("%d pictures at once do not fit; lower eval.batch_size",
                         config_.eval.batch_size);
      },
      [&] {
        return trainer::evaluate(models, *inputs_.val, options, inputs_.compute.device,
                                 world_.communicator());
      });
  interrupted_ = !found;
  pastimes_.evaluating += seconds_since(start);
  pastimes_.evaluations += 1;
  note_pause("evaluation", seconds_since(start));
  if (found) {
    evaluations_ = std::move(*found);
  }
  return found.has_value();
}

/// Time that training waited for something else, to metrics.jsonl.
void TrainingRun::note_pause(const char* on, double seconds) {
  if (metrics_) {
    const PauseMetrics pause{state_->step, static_cast<int>(epochs_done()), on, seconds};
    metrics_->append(pause);
    telemetry_->note(pause);
  }
}

/// What lasts of a rank's memory, as far as it is the run's own.
std::map<std::string, double> TrainingRun::memory() const {
  const auto bytes = [](const at::Tensor& tensor) {
    return tensor.defined() ? static_cast<double>(tensor.nbytes()) : 0;
  };
  const ModelState& model = state_->model.state();
  std::map<std::string, double> parts{
      {"weights", bytes(model.parameters()) + bytes(model.buffers())},
      {"gradients", bytes(model.parameters())}};
  for (const Optimizer::Moment& moment : state_->optimizer.moments()) {
    parts["optimizer state"] += bytes(moment.own);
  }
  if (state_->average) {
    parts["EMA"] = bytes(state_->average->own_parameters()) + bytes(state_->average->buffers());
  }
  return parts;
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
  metrics.seconds = seconds_since(epoch_started_);
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
  return state_->seconds_before + seconds_since(started_);
}

void TrainingRun::save() {
  if (metrics_ && epoch_metrics_) {
    metrics_->append(*epoch_metrics_);
    telemetry_->note(*epoch_metrics_, *state_, evaluations_);
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
      telemetry_->flush();
      checkpoints_->save(checkpoint,
                         by_epoch ? CheckpointWriter::Kind::kEpoch : CheckpointWriter::Kind::kStep,
                         is_best_);
    }
    pastimes_.saving += seconds_since(start);
    pastimes_.checkpoints += 1;
    note_pause("checkpoint", seconds_since(start));
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

WrittenReport TrainingRun::write_report_so_far(bool goes_on) {
  RunCost cost{seconds_so_far(), meter_.mean_images_per_second(), world_.size(),
               inputs_.threads.compute, memory()};
  if (replaces_corrupt()) {
    cost.replaced = state_->replaced;
  }
  if (goes_on) {
    const double share_done =
        static_cast<double>(state_->step) / static_cast<double>(inputs_.last_step);
    cost.under_way = UnderWay{static_cast<int>(epochs_done()), config_.train.epochs,
                              seconds_so_far() * (1 / share_done - 1)};
  }
  return write_run_report(
      options_.out, config_, inputs_.train, *inputs_.val, evaluations_, inputs_.compute, cost,
      heatmaps(average_ ? *average_ : state_->model, evaluations_.back(), *inputs_.val,
               eval_transform_of(config_, inputs_.normalization)));
}

void TrainingRun::show() {
  if (!is_leader() || options_.rehearsal || interrupted_ || finished() || evaluations_.empty() ||
      showing_seconds_ > kMostOfTheTimeReporting * seconds_since(shown_)) {
    return;
  }
  const auto start = Clock::now();
  const launch::Watchdog::Watch watch = world_.watch("writing the report");
  write_report_so_far(true);
  shown_ = Clock::now();
  showing_seconds_ = seconds_since(start);
  note_pause("report", showing_seconds_);
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
    telemetry_->finish();
    log_.line("no data.val, so no report; checkpoints are in " + options_.out + "/checkpoints");
    return;
  }
  const WrittenReport written = write_report_so_far(false);
  pastimes_.reporting = seconds_since(start);
  telemetry_->finish();
  const Accuracy best = accuracy_of(evaluations_.back());
  log_.line(formatted("%s top-1 %.2f%%, top-5 %.2f%% on %lld validation pictures, %s in all",
                      state_->average ? "EMA" : "model", best.acc1(), best.acc5(),
                      static_cast<long long>(best.samples),
                      format_duration(seconds_so_far()).c_str()));
  log_.line("report: " + written.page);
  if (!written.note.empty()) {
    log_.line(written.note);
  }
}

}  // namespace casvit::trainer
