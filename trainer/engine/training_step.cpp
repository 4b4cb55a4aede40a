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

/// Adds the seconds of its lifetime.
class Stopwatch {
 public:
  explicit Stopwatch(double& seconds) : seconds_(seconds) {}
  ~Stopwatch() {
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& seconds_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

std::vector<at::Tensor> parameters_of(const ModelState& state) {
  std::vector<at::Tensor> parameters;
  for (const ModelState::Entry* entry : state.parameter_entries()) {
    parameters.push_back(entry->tensor);
  }
  return parameters;
}

ReducerOptions with_names(ReducerOptions options, const ModelState& state) {
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
      reducer_(parameters_of(state.model.state()), state.model.state().buffers().numel() + 2,
               communicator, with_names(options.reducer, state.model.state())) {
  state_.arrange(reducer_.layout(), communicator_);
}

StepResult TrainingStep::run(dataio::Loader& loader, double learning_rate, bool stop) {
  result_ = {};
  reducer_.start_step(options_.shards_per_rank);
  for (std::int64_t i = 0; i < options_.shards_per_rank; ++i) {
    if (options_.on_shard) {
      options_.on_shard();
    }
    reducer_.start_shard();
    stop_wishes().add_(stop ? 1 : 0);
    const dataio::Batch batch = next_batch(loader);
    const Stopwatch stopwatch(result_.times.compute);
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
    const Stopwatch stopwatch(result_.times.optimizer);
    clip();
    update(learning_rate);
    average();
    state_.update += 1;
  }
  state_.scaler.update(result_.skipped);
  state_.step += 1;
  follow_order_of_arrival();
  return result_;
}

dataio::Batch TrainingStep::next_batch(dataio::Loader& loader) {
  const Stopwatch stopwatch(result_.times.data);
  std::optional<dataio::Batch> batch = loader.next();
  if (!batch) {
    throw std::logic_error("the loader ended before the run did");
  }
  std::ranges::move(batch->replaced, std::back_inserter(result_.replaced));
  return std::move(*batch);
}

at::Tensor TrainingStep::forward(const dataio::Batch& batch) {
  const TrainingPass pass{statistics(), options_.seed, batch.plan.step, batch.plan.shard};
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
  {
    const at::NoGradGuard no_grad;
    loss_sum().add_(loss.detach());
  }
  // The reducer exchanges buckets from here on, as their gradients arrive.
  (state_.scaler.enabled ? loss * state_.scaler.factor() : loss).backward();
}

void TrainingStep::reduce() {
  const at::NoGradGuard no_grad;
  result_.times.communication = reducer_.finish();
  const auto shards = static_cast<double>(options_.shards);
  result_.stop = stop_wishes().item<float>() > 0;
  result_.loss = static_cast<float>(loss_sum().item<float>() / shards);
  const double sum_norm =
      global_gradient_norm(state_.model.state(), state_.partition, gradients(), communicator_);
  result_.grad_norm = sum_norm / shards / state_.scaler.factor();
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
  state_.partition.complete(model.parameters(), communicator_);
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

/// The first step has shown in which order gradients arrive: buckets follow it from the second on.
void TrainingStep::follow_order_of_arrival() {
  if (!followed_ && communicator_.size() > 1) {
    reducer_.rearrange(reducer_.bucket_bytes());
    state_.arrange(reducer_.layout(), communicator_);
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
