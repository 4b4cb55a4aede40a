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

/// Below it nothing that is scaled is left of a loss.
constexpr float kLeastLossScale = 0x1p-24F;

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
                               const RunState& state) {
  options.bucket_bytes = bucket_bytes;
  for (const ModelState::Entry* entry : state.model.state().parameter_entries()) {
    options.names.push_back(entry->name);
  }
  for (const ParameterRule& rule : state.optimizer.rules()) {
    options.frozen.push_back(rule.frozen);
  }
  return options;
}

/// By how much each running statistic moves, laid out as `ModelState::buffers()`: those of a batch
/// norm with a frozen weight do not. Undefined where all move alike.
at::Tensor momenta_of(const ModelState& model, double momentum) {
  at::Tensor momenta = at::full_like(model.buffers(), momentum);
  bool any_frozen = false;
  for (const ModelState::Entry& entry : model.entries()) {
    if (entry.role != TensorRole::kRunningMean && entry.role != TensorRole::kRunningVariance) {
      continue;
    }
    const std::string layer = entry.name.substr(0, entry.name.rfind('.'));
    if (!model.entry(layer + ".weight").tensor.requires_grad()) {
      momenta.narrow(0, entry.offset, entry.tensor.numel()).zero_();
      any_frozen = true;
    }
  }
  return any_frozen ? momenta : at::Tensor();
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
               communicator, reducer_options(options.reducer, tuner_.bucket_bytes(), state)),
      momenta_(momenta_of(state.model.state(), options.batch_norm_momentum)),
      clock_(compute.device) {
  state_.arrange(reducer_.layout(), communicator_);
}

StepResult TrainingStep::run(const BatchSource& batches, const StepRates& rates, bool stop) {
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
    backward(forward(batch, rates.drop_path_factor));
  }
  reduce();
  judge();
  if (!result_.skipped) {
    clip();
    update(rates);
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

at::Tensor TrainingStep::forward(const dataio::Batch& batch, double drop_path_factor) {
  clock_.enter(StepPhase::kForward);
  TrainingPass pass;
  pass.batch_statistics = statistics();
  pass.seed = options_.seed;
  pass.step = batch.plan.step;
  pass.shard = batch.plan.shard;
  pass.batch_norm_ranks = options_.synchronized_batch_norm ? &communicator_ : nullptr;
  pass.drop_path_factor = drop_path_factor;
  pass.frozen_batch_norms = momenta_.defined();
  const at::Tensor images = images_tensor(batch, compute_.device);
  const at::Tensor targets = targets_tensor(batch, compute_.device);
  const AutocastScope autocast(compute_);
  return loss_of(state_.model.forward_training(images, pass), images, targets);
}

at::Tensor TrainingStep::loss_of(const Rcvit::Output& output, const at::Tensor& images,
                                 const at::Tensor& targets) const {
  const at::Tensor loss = classification_loss(output.logits, targets, options_.loss);
  const at::Tensor& second = output.distillation;
  if (options_.teacher != nullptr) {
    const at::Tensor teacher = options_.teacher->forward(images);
    const at::Tensor taught = distillation_loss(second.defined() ? second : output.logits, teacher,
                                                options_.distillation);
    return loss * (1 - options_.distillation.alpha) + taught * options_.distillation.alpha;
  }
  // Without a teacher both heads learn the labels; evaluation averages them.
  return second.defined() ? (loss + classification_loss(second, targets, options_.loss)) / 2 : loss;
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

/// Whether the step may be applied; the same on every rank, for what it looks at was exchanged.
void TrainingStep::judge() {
  const bool loss_is_finite = std::isfinite(result_.loss);
  const bool norm_is_finite = std::isfinite(result_.grad_norm);
  result_.skipped = !loss_is_finite || !norm_is_finite;
  // Scaled gradients may overflow: the next scale is smaller.
  result_.nonfinite = !loss_is_finite || (!norm_is_finite && !state_.scaler.enabled);
  if (result_.skipped && !result_.nonfinite && state_.scaler.scale < kLeastLossScale) {
    throw DivergedError("the gradients overflow at step " + std::to_string(state_.step + 1) +
                        " even with a loss scale of " + std::to_string(state_.scaler.scale) +
                        "; lower optimizer.learning_rate, or use precision.amp: bf16 or off");
  }
  if (!result_.nonfinite) {
    state_.skipped_in_row = 0;
    return;
  }
  const std::string what = (loss_is_finite ? "the gradients are not finite at step "
                                           : "the loss is not finite at step ") +
                           std::to_string(state_.step + 1) +
                           (loss_is_finite ? ", though the loss is" : "");
  const std::string advice =
      "; lower optimizer.learning_rate, lengthen schedule.warmup_epochs, or set clip.norm";
  if (!options_.skips_nonfinite) {
    throw DivergedError(what + advice + ", or bear it with train.on_nonfinite: skip");
  }
  if (++state_.skipped_in_row > options_.most_skipped_in_row) {
    throw DivergedError(what + ", as in the " + std::to_string(options_.most_skipped_in_row) +
                        " steps before it, all that train.max_skipped bears" + advice);
  }
}

void TrainingStep::clip() {
  // The gradients are sums of scaled ones as yet: mean, scale and clipping are one multiplication.
  const double mean = 1 / static_cast<double>(options_.shards) / state_.scaler.factor();
  const at::NoGradGuard no_grad;
  gradients().mul_(mean * clip_factor(result_.grad_norm, options_.clip.norm));
  if (options_.clip.value > 0) {
    gradients().clamp_(-options_.clip.value, options_.clip.value);
  }
  if (options_.clip.agc > 0) {
    clip_adaptively(state_.model.state(), state_.partition, gradients(), options_.clip.agc);
  }
}

void TrainingStep::update(const StepRates& rates) {
  const at::NoGradGuard no_grad;
  state_.optimizer.step(gradients(), {rates.learning_rate, rates.weight_decay}, state_.update + 1);
  if (state_.partition.is_sharded()) {
    clock_.enter(StepPhase::kCommunication);
    state_.partition.complete(state_.model.state().parameters(), communicator_);
    clock_.enter(StepPhase::kOptimizer);
  }
  move_running_statistics();
}

/// Once a step, towards the mean over all shards.
void TrainingStep::move_running_statistics() {
  const ModelState& model = state_.model.state();
  const at::Tensor mean = statistics().mul_(1.0 / static_cast<double>(options_.shards));
  if (momenta_.defined()) {
    model.buffers().lerp_(mean, momenta_);
  } else {
    model.buffers().lerp_(mean, options_.batch_norm_momentum);
  }
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
