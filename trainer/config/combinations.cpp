#include <cmath>
#include <initializer_list>

#include "trainer/config/config.h"
#include "trainer/config/origins.h"
#include "trainer/config/value.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

class Checks {
 public:
  Checks(const Config& config, const Origins& origins) : config_(config), origins_(origins) {}

  /// Refuses with `advice` unless `fine`. The message begins with the place of the first of `keys`
  /// that somebody gave, and shows the values of all.
  void require(bool fine, std::initializer_list<std::string_view> keys, const std::string& advice) {
    if (fine) return;
    std::string place;
    std::string values;
    for (const std::string_view key : keys) {
      const auto origin = origins_.find(key);
      if (place.empty() && origin != origins_.end()) place = origin->second;
      if (!values.empty()) values += ", ";
      values += std::string(key) + " is " + print_field(*find_field(key), config_);
      if (origin == origins_.end()) {
        values += " (default)";
      } else if (origin->second != place) {
        values += " (" + origin->second + ")";
      }
    }
    throw ConfigError(place + (place.empty() ? "" : ": ") + values + "; " + advice);
  }

 private:
  const Config& config_;
  const Origins& origins_;
};

/// The smallest pictures that training sees, pixels.
int smallest_image(const Config& config) {
  return config.multi_scale.rule == "off" ? config.model.image_size : config.multi_scale.min_size;
}

bool ordered(const std::array<double, 2>& range) { return range[0] <= range[1]; }

void check_mixup(const Config& config, Checks& checks) {
  const auto& mixup = config.mixup;
  const int even = config.batch.shard_size % 2 == 0;
  for (const auto& [on, key] :
       {std::pair{mixup.mixup_alpha > 0, "mixup.mixup_alpha"},
        std::pair{mixup.cutmix_alpha > 0, "mixup.cutmix_alpha"},
        std::pair{mixup.cutmix_minmax.has_value(), "mixup.cutmix_minmax"}}) {
    checks.require(!on || mixup.prob == 0 || even, {"batch.shard_size", key},
                   "mixup pairs the pictures of a shard, so that batch.shard_size must be even");
  }
  if (!mixup.cutmix_minmax) return;
  const int size = smallest_image(config);
  const auto side = [size](double share) { return static_cast<int>(size * share); };
  checks.require(side((*mixup.cutmix_minmax)[0]) < side((*mixup.cutmix_minmax)[1]),
                 {"mixup.cutmix_minmax", "model.image_size"},
                 "the first must be the smaller, by a pixel at least");
}

void check_parallel(const Config& config, Checks& checks) {
  const int shards = config.batch.shards;
  checks.require(!config.parallel.reproducible || (shards & (shards - 1)) == 0,
                 {"parallel.reproducible", "batch.shards"},
                 "a reproducible sum needs 1, 2, 4, 8, ... shards");
  checks.require(!config.parallel.reproducible || config.parallel.transport != "bfloat16",
                 {"parallel.reproducible", "parallel.transport"},
                 "what is rounded on its way between ranks depends on how many there are; use "
                 "parallel.transport: float32");
}

void check_augment(const Config& config, Checks& checks) {
  const auto& augment = config.augment;
  checks.require(ordered(augment.crop_scale), {"augment.crop_scale"},
                 "the first must not be above the second");
  checks.require(ordered(augment.crop_ratio), {"augment.crop_ratio"},
                 "the first must not be above the second");
  checks.require(augment.cutout_holes == 0 || augment.cutout_length > 0,
                 {"augment.cutout_holes", "augment.cutout_length"},
                 "give the side of a hole in pixels too, e.g. augment.cutout_length: 16");
  checks.require(augment.cutout_length == 0 || augment.cutout_holes > 0,
                 {"augment.cutout_length", "augment.cutout_holes"},
                 "give the number of holes too, e.g. augment.cutout_holes: 1");
  checks.require(augment.cutout_length <= config.model.image_size,
                 {"augment.cutout_length", "model.image_size"},
                 "a hole must not be larger than the picture");
  checks.require(augment.cutout_length <= smallest_image(config),
                 {"augment.cutout_length", "multi_scale.min_size"},
                 "a hole must not be larger than the smallest picture");
  checks.require(!augment.three_augment || augment.rand_augment.empty(),
                 {"augment.three_augment", "augment.rand_augment"},
                 "they are alternatives: turn one of them off");
  checks.require(ordered(augment.erase_area), {"augment.erase_area"},
                 "the first must not be above the second");
  checks.require(ordered(augment.erase_aspect), {"augment.erase_aspect"},
                 "the first must not be above the second");
}

void check_multi_scale(const Config& config, Checks& checks) {
  const auto& multi_scale = config.multi_scale;
  if (multi_scale.rule == "off") return;
  const int divisor = multi_scale.divisor;
  checks.require((multi_scale.min_size + divisor - 1) / divisor <= multi_scale.max_size / divisor,
                 {"multi_scale.min_size", "multi_scale.max_size", "multi_scale.divisor"},
                 "no image size lies between the two");
}

void check_schedule(const Config& config, Checks& checks) {
  const auto& schedule = config.schedule;
  checks.require(schedule.warmup_epochs < config.train.epochs,
                 {"schedule.warmup_epochs", "train.epochs"},
                 "the warm-up must be shorter than the training");
  checks.require(schedule.warmup_epochs == 0 || schedule.warmup_steps == 0,
                 {"schedule.warmup_epochs", "schedule.warmup_steps"},
                 "they say the same: give one of them");
  const double peak = scaled_learning_rate(config);
  const char* scaled =
      config.optimizer.base_batch_size > 0 ? " (after scaling by optimizer.base_batch_size)" : "";
  checks.require(
      schedule.warmup_start <= peak, {"schedule.warmup_start", "optimizer.learning_rate"},
      std::string("the warm-up must not start above the learning rate that it leads to") + scaled);
  checks.require(schedule.name == "constant" || schedule.minimum <= peak,
                 {"schedule.minimum", "optimizer.learning_rate"},
                 std::string("the minimum must not be above the learning rate") + scaled);
}

void check_recipe(const Config& config, Checks& checks) {
  const auto& clip = config.clip;
  const int ways = (clip.norm > 0 ? 1 : 0) + (clip.value > 0 ? 1 : 0) + (clip.agc > 0 ? 1 : 0);
  checks.require(ways <= 1, {"clip.norm", "clip.value", "clip.agc"},
                 "gradients are clipped in one way: set the others to 0");
  checks.require(config.model.drop_path_schedule == "constant" || config.model.drop_path_epochs > 0,
                 {"model.drop_path_schedule", "model.drop_path_epochs"},
                 "say for how many epochs, e.g. model.drop_path_epochs: 50");
  checks.require(
      config.model.drop_path_schedule != "constant" || config.model.drop_path_epochs == 0,
      {"model.drop_path_epochs", "model.drop_path_schedule"},
      "they mean something together: model.drop_path_schedule: early or late");
  checks.require(config.loss.bce_threshold == 0 || config.loss.name == "bce",
                 {"loss.bce_threshold", "loss.name"}, "the threshold is for loss.name: bce");
  checks.require(config.loss.name != "bce" || config.loss.class_weights == "none",
                 {"loss.name", "loss.class_weights"},
                 "bce asks about every class of every picture: it takes no class weights");
  checks.require(!config.distillation.teacher.empty() || config.distillation.loss == "soft",
                 {"distillation.loss", "distillation.teacher"}, "there is no teacher");
  checks.require(config.train.patience == 0 || !config.data.val.empty(),
                 {"train.patience", "data.val"},
                 "it counts evaluations: name validation data in data.val");
}

}  // namespace

double scaled_learning_rate(const Config& config) {
  const auto& optimizer = config.optimizer;
  if (optimizer.base_batch_size == 0) return optimizer.learning_rate;
  const double global = static_cast<double>(config.batch.shards) * config.batch.shard_size;
  const double ratio = global / optimizer.base_batch_size;
  return optimizer.learning_rate * (optimizer.batch_scaling == "sqrt" ? std::sqrt(ratio) : ratio);
}

void check_combinations(const Config& config, const Origins& origins) {
  Checks checks(config, origins);
  checks.require(config.precision.amp != "fp16" || config.device != "cpu",
                 {"precision.amp", "device"}, "fp16 needs a GPU; on a CPU use bf16, off or auto");
  check_mixup(config, checks);
  check_parallel(config, checks);
  check_augment(config, checks);
  check_multi_scale(config, checks);
  check_schedule(config, checks);
  check_recipe(config, checks);
  const bool multiplies =
      config.launch.expect_ranks == 0 || config.batch.shards % config.launch.expect_ranks == 0;
  checks.require(multiplies, {"launch.expect_ranks", "batch.shards"},
                 "the number of ranks must divide the number of shards");
  checks.require(
      config.launch.expect_ranks == 0 || config.launch.expect_hosts <= config.launch.expect_ranks,
      {"launch.expect_hosts", "launch.expect_ranks"}, "every host has a rank at least");
}

}  // namespace casvit::trainer
