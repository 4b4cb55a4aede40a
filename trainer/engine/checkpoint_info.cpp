#include "trainer/engine/checkpoint_info.h"

#include <string>

#include "trainer/checkpoint/model_metadata.h"
#include "trainer/engine/versions.h"

namespace casvit::trainer {
CheckpointInfo checkpoint_info(const Config& config, const RunInputs& inputs, const RunState& state,
                               bool evaluation_due, double seconds) {
  CheckpointInfo info;
  info.step = state.step;
  info.epoch = static_cast<int>(inputs.plan.steps.epoch_of(state.step)) - (evaluation_due ? 1 : 0);
  info.step_in_epoch = state.step - inputs.plan.steps.first_step(info.epoch);
  info.replaced = state.replaced;
  info.replaced_in_epoch = info.step_in_epoch == 0 ? 0 : state.replaced_in_epoch;
  info.epoch_loss_sum = info.step_in_epoch == 0 ? 0 : state.epoch_loss_sum;
  info.skipped = state.skipped;
  info.skipped_in_epoch = info.step_in_epoch == 0 ? 0 : state.skipped_in_epoch;
  info.skipped_in_row = state.skipped_in_row;
  info.patience_acc1 = state.patience_acc1;
  info.evaluations_since_best = state.evaluations_since_best;
  info.best_acc1 = state.best_acc1;
  info.best_epoch = state.best_epoch;
  info.seconds_before = seconds;
  info.config_yaml = to_yaml(config);
  info.classes = inputs.train.class_names();
  info.data_hash = inputs.train.content_hash();
  info.normalization_mean = normalization_text(inputs.normalization.mean);
  info.normalization_std = normalization_text(inputs.normalization.std);
  info.image_size = config.model.image_size;
  info.eval_crop_ratio = config.augment.eval_crop_ratio;
  info.ranks = static_cast<int>(inputs.plan.ranks);
  info.threads = inputs.threads.compute;
  info.precision = inputs.compute.precision();
  info.bucket_bytes = state.bucket_bytes;
  for (const auto& [name, version] : versions()) {
    info.versions.append(name).append(" ").append(version).append("\n");
  }
  return info;
}

}  // namespace casvit::trainer
