#include "trainer/engine/training_step.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <utility>

#include "trainer/error.h"
#include "trainer/optim/gradient_norm.h"
#include "trainer/optim/loss.h"

namespace casvit::trainer {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<at::Tensor> parameters_of(const ModelState& state) {
  std::vector<at::Tensor> parameters;
  for (const ModelState::Entry* entry : state.parameter_entries()) {
    parameters.push_back(entry->tensor);
  }
  return parameters;
}

/// Trials are for exchanges: a rank alone has none.
BucketTuner make_tuner(const TrainingStepOptions& options, const ModelState& state, int ranks) {
  if (options.bucket_bytes > 0) {
    return BucketTuner::fixed(options.bucket_bytes);
  }
  return ranks == 1 ? BucketTuner::fixed(BucketTuner::kDefaultBytes)
                    : BucketTuner(static_cast<std::int64_t>(state.parameters().nbytes()));
}

ReducerOptions reducer_options(ReducerOptions options, std::int64_t bucket_bytes,
                               const ModelState& state) {
  options.bucket_bytes = bucket_bytes;
  for (const ModelState::Entry* entry : state.parameter_entries()) {
    options.names.push_back(entry->name);
  }
  return options;
}

}  // namespace

TrainingStep::TrainingStep(RunState& state, launch::Communicator& communicator,
                           const Compute& compute, const TrainingStepOptions& options)
    : state_(state),
      communicator_(communicator),
      compute_(compute),
      options_(options),
      tuner_(make_tuner(options, state.model.state(), communicator.size())),
      reducer_(parameters_of(state.model.state()), state.model.state().buffers().numel() + 2,
               communicator,
               reducer_options(options.reducer, tuner_.bucket_bytes(), state.model.state())),
      clock_(compute.device) {
  state_.arrange(reducer_.layout(), communicator_);
}

StepResult TrainingStep::run(const BatchSource& batches, double learning_rate, bool stop) {
  const auto start = Clock::now();
  result_ = {};
  waited_for_data_ = pixels_ = 0;
  reducer_.start_step(options_.shards_per_rank);
  for (std::int64_t i = 0; i < options_.shards_per_rank; ++i) {
    if (options_.on_shard) {
      options_.on_shard();
    }
    reducer_.start_shard();
    stop_wishes().add_(stop ? 1 : 0);
    const dataio::Batch batch = next_batch(batches);
    backward(forward(batch));
  }
  reduce();
  if (!std::isfinite(result_.loss)) {
    throw DivergedError("the loss is not finite at step " + std::to_string(state_.step + 1) +
                        "; lower optimizer.learning_rate, lengthen schedule.warmup_epochs, or set "
                        "clip.norm");
  }
  if (!state_.scaler.enabled && !std::isfinite(result_.grad_norm)) {
    throw DivergedError("the gradients are not finite at step " + std::to_string(state_.step + 1) +
                        ", though the loss is; lower optimizer.learning_rate, or lengthen "
                        "schedule.warmup_epochs");
  }
  result_.skipped = state_.scaler.enabled && !std::isfinite(result_.grad_norm);
  if (!result_.skipped) {
    clip();
    update(learning_rate);
    average();
    state_.update += 1;
  }
  clock_.finish();
  result_.times = clock_.times();
  state_.scaler.update(result_.skipped);
  state_.step += 1;
  arrange_buckets(seconds_since(start) - waited_for_data_);
  return result_;
}

dataio::Batch TrainingStep::next_batch(const BatchSource& batches) {
  clock_.enter(StepPhase::kData);
  const auto start = Clock::now();
  std::optional<dataio::Batch> batch = batches();
  if (!batch) {
    throw std::logic_error("the batches ended before the run did");
  }
  waited_for_data_ += seconds_since(start);
  pixels_ += static_cast<double>(batch->labels.size()) * batch->image_size * batch->image_size;
  std::ranges::move(batch->replaced, std::back_inserter(result_.replaced));
  return std::move(*batch);
}

at::Tensor TrainingStep::forward(const dataio::Batch& batch) {
  clock_.enter(StepPhase::kForward);
  const TrainingPass pass{statistics(), options_.seed, batch.plan.step, batch.plan.shard,
                          options_.synchronized_batch_norm ? &communicator_ : nullptr};
  const at::Tensor targets = targets_tensor(batch, compute_.device);
  const AutocastScope autocast(compute_);
  const Rcvit::Output output =
      state_.model.forward_training(images_tensor(batch, compute_.device), pass);
  at::Tensor loss = soft_target_cross_entropy(output.logits, targets, options_.class_weights);
  if (!output.distillation.defined()) {
    return loss;
  }
  // Without a teacher both heads learn the labels; evaluation averages them.
  return (loss + soft_target_cross_entropy(output.distillation, targets, options_.class_weights)) /
         2;
}

void TrainingStep::backward(const at::Tensor& loss) {
  clock_.enter(StepPhase::kBackward);
  {
    const at::NoGradGuard no_grad;
    loss_sum().add_(loss.detach());
  }
  // The reducer exchanges buckets from here on, as their gradients arrive.
  (state_.scaler.enabled ? loss * state_.scaler.factor() : loss).backward();
}

void TrainingStep::reduce() {
  clock_.enter(StepPhase::kCommunication);
  const at::NoGradGuard no_grad;
  reducer_.finish();
  const auto shards = static_cast<double>(options_.shards);
  result_.stop = stop_wishes().item<float>() > 0;
  result_.loss = static_cast<float>(loss_sum().item<float>() / shards);
  const double sum_norm =
      global_gradient_norm(state_.model.state(), state_.partition, gradients(), communicator_);
  result_.grad_norm = sum_norm / shards / state_.scaler.factor();
  clock_.enter(StepPhase::kOptimizer);
}

void TrainingStep::clip() {
  // The gradients are sums of scaled ones as yet: mean, scale and clipping are one multiplication.
  const double mean = 1 / static_cast<double>(options_.shards) / state_.scaler.factor();
  const at::NoGradGuard no_grad;
  gradients().mul_(mean * clip_factor(result_.grad_norm, options_.clip_norm));
}

void TrainingStep::update(double learning_rate) {
  const at::NoGradGuard no_grad;
  const ModelState& model = state_.model.state();
  state_.optimizer.step(gradients(), learning_rate, state_.update + 1);
  if (state_.partition.is_sharded()) {
    clock_.enter(StepPhase::kCommunication);
    state_.partition.complete(model.parameters(), communicator_);
    clock_.enter(StepPhase::kOptimizer);
  }
  // The running statistics move once a step, towards the mean over all shards.
  at::Tensor mean = statistics().mul_(1.0 / static_cast<double>(options_.shards));
  model.buffers().lerp_(mean, options_.batch_norm_momentum);
  model.counters().add_(1);
}

void TrainingStep::average() {
  if (state_.average) {
    state_.average->update(state_.model.state(), *options_.ema, state_.update);
  }
}

/// The first step has shown in which order gradients arrive, and further ones how fast steps are
/// with buckets of one size: from the next step on buckets follow.
void TrainingStep::arrange_buckets(double seconds) {
  if (communicator_.size() == 1) {
    return;
  }
  const bool trial_ended = followed_ && tuner_.record(seconds / pixels_);
  if (followed_ && !trial_ended) {
    return;
  }
  reducer_.rearrange(tuner_.bucket_bytes());
  state_.arrange(reducer_.layout(), communicator_);
  if (tuner_.done()) {
    tuner_ = BucketTuner::fixed(reducer_.bucket_bytes());  // what rank 0 found
  }
  followed_ = true;
}

at::Tensor TrainingStep::statistics() const {
  return reducer_.tail().narrow(0, 0, state_.model.state().buffers().numel());
}

at::Tensor TrainingStep::loss_sum() const {
  return reducer_.tail().narrow(0, state_.model.state().buffers().numel(), 1);
}

at::Tensor TrainingStep::stop_wishes() const {
  return reducer_.tail().narrow(0, state_.model.state().buffers().numel() + 1, 1);
}

}  // namespace casvit::trainer
