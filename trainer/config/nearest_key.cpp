#include "trainer/config/nearest_key.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "trainer/config/field.h"

namespace casvit::trainer {
namespace {

/// What timm, torchvision and the official CAS-ViT trainer call our keys.
constexpr std::array<std::pair<std::string_view, std::string_view>, 64> kOtherNames{{
    {"aa", "augment.rand_augment"},
    {"adaptive_clip", "clip.agc"},
    {"amp_dtype", "precision.amp"},
    {"auto_augment", "augment.rand_augment"},
    {"batch_size", "batch.shard_size"},
    {"bce_target_thresh", "loss.bce_threshold"},
    {"blr", "optimizer.learning_rate"},
    {"clip_grad", "clip.norm"},
    {"clip_grad_norm", "clip.norm"},
    {"crop_pct", "augment.eval_crop_ratio"},
    {"crop_ratio", "augment.eval_crop_ratio"},
    {"cutmix", "mixup.cutmix_alpha"},
    {"cutout", "augment.cutout_holes"},
    {"decay_epochs", "schedule.step_epochs"},
    {"decay_rate", "schedule.step_factor"},
    {"distillation_alpha", "distillation.alpha"},
    {"distillation_tau", "distillation.tau"},
    {"distillation_type", "distillation.loss"},
    {"drop_path_rate", "model.drop_path"},
    {"ema_decay", "ema.decay"},
    {"finetune", "model.init"},
    {"grad_accum", "batch.shards"},
    {"grad_clip", "clip.norm"},
    {"gradient_accumulation_steps", "batch.shards"},
    {"hflip", "augment.horizontal_flip"},
    {"img_size", "model.image_size"},
    {"input_size", "model.image_size"},
    {"kd_alpha", "distillation.alpha"},
    {"layer_decay", "optimizer.layer_decay"},
    {"lr", "optimizer.learning_rate"},
    {"lr_base_scale", "optimizer.batch_scaling"},
    {"lr_base_size", "optimizer.base_batch_size"},
    {"max_crop_size_w", "multi_scale.max_size"},
    {"min_crop_size_w", "multi_scale.min_size"},
    {"min_lr", "schedule.minimum"},
    {"mixup_mode", "mixup.mode"},
    {"mixup_off_epoch", "mixup.off_epoch"},
    {"mixup_prob", "mixup.prob"},
    {"mixup_switch_prob", "mixup.switch_prob"},
    {"model_ema_decay", "ema.decay"},
    {"momentum", "optimizer.momentum"},
    {"multi_scale_sampler", "multi_scale.rule"},
    {"nb_classes", "model.num_classes"},
    {"num_epochs", "train.epochs"},
    {"num_workers", "data.loader_threads"},
    {"opt", "optimizer.name"},
    {"opt_betas", "optimizer.betas"},
    {"opt_eps", "optimizer.eps"},
    {"patience_epochs", "train.patience"},
    {"pretrained", "model.init"},
    {"recount", "augment.erase_count"},
    {"remode", "augment.erase_mode"},
    {"reprob", "augment.erase_prob"},
    {"sched", "schedule.name"},
    {"smoothing", "loss.label_smoothing"},
    {"teacher_path", "distillation.teacher"},
    {"three_aug", "augment.three_augment"},
    {"train_interpolation", "augment.interpolation"},
    {"update_freq", "batch.shards"},
    {"vflip", "augment.vertical_flip"},
    {"warmup_lr", "schedule.warmup_start"},
    {"wd", "optimizer.weight_decay"},
    {"weight_decay_end", "optimizer.weight_decay_end"},
    {"workers", "data.loader_threads"},
}};

/// What it costs a name to stand in another section: so much that short names do not win by being
/// short.
constexpr int kOtherSection = 2;

std::string_view last_part(std::string_view key) { return key.substr(key.rfind('.') + 1); }

}  // namespace

int edit_distance(std::string_view from, std::string_view to) {
  // Optimal string alignment: three rows of the table are enough.
  std::vector<int> before_last(to.size() + 1);
  std::vector<int> last(to.size() + 1);
  std::vector<int> row(to.size() + 1);
  for (std::size_t j = 0; j <= to.size(); ++j) last[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= from.size(); ++i) {
    row[0] = static_cast<int>(i);
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const int substitution = last[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({substitution, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[to.size()];
}

std::string nearest_key(std::string_view unknown) {
  const std::string_view name = last_part(unknown);
  const auto other =
      std::ranges::find(kOtherNames, name, &std::pair<std::string_view, std::string_view>::first);
  if (other != kOtherNames.end()) return std::string(other->second);

  std::string_view nearest;
  int least = std::numeric_limits<int>::max();
  for (const Field& field : fields()) {
    const int whole = edit_distance(unknown, field.key);
    const int elsewhere = edit_distance(name, last_part(field.key)) + kOtherSection;
    if (std::min(whole, elsewhere) < least) {
      least = std::min(whole, elsewhere);
      nearest = field.key;
    }
  }
  return std::string(nearest);
}

std::string nearest_section(std::string_view unknown) {
  std::string_view nearest;
  int least = std::numeric_limits<int>::max();
  for (const Field& field : fields()) {
    const std::size_t dot = field.key.find('.');
    if (dot == std::string_view::npos) continue;
    const std::string_view section = field.key.substr(0, dot);
    const int distance = edit_distance(unknown, section);
    if (distance < least) {
      least = distance;
      nearest = section;
    }
  }
  return std::string(nearest);
}

}  // namespace casvit::trainer
