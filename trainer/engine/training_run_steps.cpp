// A run's steps, and what is told of them.

#include <algorithm>
#include <cmath>

#include "launch/interruption.h"
#include "trainer/engine/memory_shortage.h"
#include "trainer/engine/training_run.h"
#include "trainer/report/text.h"

namespace casvit::trainer {

void TrainingRun::train_to_next_stop() {
  epoch_metrics_.reset();
  is_best_ = false;
  if (evaluation_due_) {
    return;
  }
  if (at_epoch_end()) {
    epoch_started_ = Clock::now();
    progress_.reset();
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
  if (!progress_ && is_leader() && !options_.rehearsal) {
    progress_.emplace(formatted("epoch %d/%d", static_cast<int>(epoch) + 1, config_.train.epochs),
                      inputs_.plan.steps.steps_in_epoch(epoch), state_->step - first_step);
  }
  while (state_->step < stop && !interrupted_) {
    take_step();
    if (progress_) {
      const std::int64_t in_epoch = state_->step - first_step;
      progress_->update(
          in_epoch,
          formatted("loss %.4f  lr %.2e  %.0f images/s  run ETA %s", mean_loss(in_epoch),
                    inputs_.schedule.at(state_->step - 1).learning_rate, meter_.images_per_second(),
                    format_duration(static_cast<double>(inputs_.last_step - state_->step) *
                                    meter_.seconds_a_step())
                        .c_str()));
    }
  }
  if (progress_) progress_->clear();
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
  const StepResult result = explaining_shortage(
      formatted("step %lld", static_cast<long long>(state_->step) + 1),
      [&] {
        const dataio::StepShape shape = cursor_.at(state_->step);
        return smaller_shards(config_.batch.shards, static_cast<int>(shape.shard_size),
                              shape.image_size);
      },
      [&] {
        return training_step_->run([this] { return loader_->next(); }, rates,
                                   launch::Interruption::requested());
      });
  watch_ = nullptr;
  evaluations_.clear();  // they were of the model before this step
  average_.reset();
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
  metrics.seconds = seconds;
  if (state_->scaler.enabled) {
    metrics.loss_scale = state_->scaler.scale;
  }
  metrics_->append(metrics);
  telemetry_->note(metrics, images, *state_);
}

/// Collective.
void TrainingRun::write_trace() {
  log_.line("trace: " + trace_->write(world_) + " (open it in ui.perfetto.dev)");
  trace_.reset();
}

}  // namespace casvit::trainer
