#include "trainer/engine/training_step.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <chrono>
#include <cmath>
#include <utility>

#include "trainer/error.h"
#include "trainer/optim/gradient_norm.h"
#include "trainer/optim/loss.h"

namespace casvit::trainer {

TrainingStep::TrainingStep(Rcvit& model, ModelState* average, AdamW& optimizer, LossScaler& scaler,
                           launch::Communicator& communicator, const Compute& compute,
                           const TrainingStepOptions& options)
    : model_(model),
      average_(average),
      optimizer_(optimizer),
      scaler_(scaler),
      communicator_(communicator),
      compute_(compute),
      options_(options),
      sum_(model.state()) {
  model_.attach_gradients(sum_.gradients());
}

StepResult TrainingStep::run(dataio::Loader& loader, std::int64_t step, std::int64_t update_number,
                             double learning_rate) {
  result_ = {};
  sum_.clear();
  for (std::int64_t i = 0; i < options_.shards_per_rank; ++i) {
    const dataio::Batch batch = next_batch(loader);
    backward(forward(batch));
  }
  reduce();
  if (!std::isfinite(result_.loss)) {
    throw DivergedError("the loss is not finite at step " + std::to_string(step + 1) +
                        "; lower optimizer.learning_rate, lengthen schedule.warmup_epochs, or set "
                        "clip.norm");
  }
  result_.skipped = scaler_.enabled && !std::isfinite(result_.grad_norm);
  if (!result_.skipped) {
    clip();
    update(update_number, learning_rate);
    average(update_number);
  }
  scaler_.update(result_.skipped);
  return result_;
}

dataio::Batch TrainingStep::next_batch(dataio::Loader& loader) {
  const auto start = std::chrono::steady_clock::now();
  std::optional<dataio::Batch> batch = loader.next();
  result_.data_seconds +=
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!batch) {
    throw std::logic_error("the loader ended before the run did");
  }
  return std::move(*batch);
}

at::Tensor TrainingStep::forward(const dataio::Batch& batch) {
  const TrainingPass pass{sum_.statistics(), options_.seed, batch.plan.step, batch.plan.shard};
  const at::Tensor targets = targets_tensor(batch, compute_.device);
  const AutocastScope autocast(compute_);
  const Rcvit::Output output = model_.forward_training(images_tensor(batch, compute_.device), pass);
  const at::Tensor loss = soft_target_cross_entropy(output.logits, targets, options_.class_weights);
  if (!output.distillation.defined()) {
    return loss;
  }
  // Without a teacher both heads learn the labels; evaluation averages them.
  return (loss + soft_target_cross_entropy(output.distillation, targets, options_.class_weights)) /
         2;
}

void TrainingStep::backward(const at::Tensor& loss) {
  sum_.add_loss(loss);
  (scaler_.enabled ? loss * scaler_.scale : loss).backward();
}

void TrainingStep::reduce() {
  const at::NoGradGuard no_grad;
  result_.comm_exposed_seconds = sum_.all_reduce(communicator_);
  const double mean = 1.0 / static_cast<double>(options_.shards);
  at::Tensor gradients = sum_.gradients();
  gradients.mul_(scaler_.enabled ? mean / scaler_.scale : mean);
  result_.loss = static_cast<float>(sum_.loss_sum() * mean);
  result_.grad_norm = global_gradient_norm(model_.state(), gradients);
}

void TrainingStep::clip() {
  if (options_.clip_norm > 0) {
    clip_by_norm(sum_.gradients(), result_.grad_norm, options_.clip_norm);
  }
}

void TrainingStep::update(std::int64_t update_number, double learning_rate) {
  const at::NoGradGuard no_grad;
  optimizer_.step(sum_.gradients(), learning_rate, update_number + 1);
  // The running statistics move once a step, towards the mean over all shards.
  at::Tensor statistics = sum_.statistics();
  statistics.mul_(1.0 / static_cast<double>(options_.shards));
  model_.state().buffers().lerp_(statistics, options_.batch_norm_momentum);
  model_.state().counters().add_(1);
}

void TrainingStep::average(std::int64_t update_number) {
  if (average_ != nullptr) {
    update_ema(*average_, model_.state(), *options_.ema, update_number);
  }
}

}  // namespace casvit::trainer
