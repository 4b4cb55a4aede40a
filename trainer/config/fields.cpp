#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "dataio/augment/rand_augment.h"
#include "dataio/error.h"
#include "trainer/config/field.h"

namespace casvit::trainer {
namespace {

constexpr std::monostate kAnything;

Range at_least(double low) {
  Range range;
  range.low = low;
  return range;
}

Range between(double low, double high) { return Range{low, high, false, false}; }

Range above(double low) {
  Range range = at_least(low);
  range.low_open = true;
  return range;
}

Range above_zero_to(double high) { return Range{0, high, true, false}; }

Range below_one() { return Range{0, 1, false, true}; }

/// Empty, or what dataio reads as RandAugment in timm's notation.
bool is_rand_augment(std::string_view text) {
  if (text.empty()) return true;
  try {
    dataio::parse_rand_augment(text);
    return true;
  } catch (const dataio::UsageError&) {
    return false;
  }
}

/// IPv4 or IPv6.
bool is_address(std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  const std::string address(text);
  return ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
}

// The key is the spelling of the member itself, so that the two cannot drift apart.
#define CASVIT_FIELD(path, ...)                                  \
  Field {                                                        \
#path, +[](Config & config) -> auto& { return config.path; } \
    , __VA_ARGS__                                                \
  }

std::vector<Field> make_fields() {
  return {
      CASVIT_FIELD(device, OneOf{{"auto", "cpu", "cuda"}},
                   "where the model runs; auto: a GPU where this build and machine have one"),
      CASVIT_FIELD(data.train, kAnything,
                   "training files written by casvit-pack; a file, a glob or a list of them"),
      CASVIT_FIELD(data.val, kAnything, "validation files, the same"),
      CASVIT_FIELD(data.mean, between(0, 1),
                   "mean of RGB scaled to [0, 1]; null: as stored in the training data"),
      CASVIT_FIELD(data.std, above_zero_to(1),
                   "standard deviation of the same; null: as stored in the training data"),
      CASVIT_FIELD(data.order, OneOf{{"shuffled", "balanced"}},
                   "shuffled: every picture once an epoch; balanced: every class equally often"),
      CASVIT_FIELD(data.loader_threads, between(0, 1024),
                   "decoding threads a rank; 0: derived from the cores"),
      CASVIT_FIELD(data.queue_batches, between(1, 1024), "shards decoded ahead"),
      CASVIT_FIELD(data.on_corrupt, OneOf{{"fail", "replace"}},
                   "a picture that cannot be read in training; fail: exit 3 naming it; replace: "
                   "another takes its place, counted and reported"),
      CASVIT_FIELD(data.verify, OneOf{{"first", "always"}},
                   "which reads of a picture compare its hash with that of what was packed; first: "
                   "a process's first of each; always: every one"),
      CASVIT_FIELD(data.apply_orientation, kAnything,
                   "turn pictures upright by the orientation that their camera noted (EXIF)"),
      CASVIT_FIELD(data.stage_to, kAnything,
                   "folder on each node's own disk that data.train and data.val are copied to "
                   "before training, once a node; empty: read where they are"),
      CASVIT_FIELD(model.name, OneOf{{"rcvit_xs", "rcvit_s", "rcvit_m", "rcvit_t"}},
                   "which CAS-ViT"),
      CASVIT_FIELD(model.image_size, between(32, 4096),
                   "side of the square picture that the model sees, pixels"),
      CASVIT_FIELD(model.num_classes, between(0, 1 << 20), "classes; 0: as many as the data has"),
      CASVIT_FIELD(
          model.init, kAnything,
          "weights to start from, a .safetensors file (casvit_dist import makes one of official "
          "weights); heads for other classes start anew; empty: random"),
      CASVIT_FIELD(
          model.drop_path, below_one(),
          "stochastic depth: rate of the last block, growing linearly from 0 over the blocks"),
      CASVIT_FIELD(model.drop_path_schedule, OneOf{{"constant", "early", "early_linear", "late"}},
                   "over the training; early: only in the first model.drop_path_epochs; "
                   "early_linear: falling to 0 in them; late: only after them"),
      CASVIT_FIELD(model.drop_path_epochs, at_least(0), "see model.drop_path_schedule"),
      CASVIT_FIELD(model.distillation, kAnything,
                   "a second head, which learns from distillation.teacher where there is one; "
                   "averaged with the first in evaluation"),
      CASVIT_FIELD(batch.shards, between(1, 1 << 16),
                   "shards of the global batch; the number of ranks must divide it"),
      CASVIT_FIELD(batch.shard_size, between(1, 1 << 16),
                   "pictures a shard; the global batch is shards times shard_size"),
      CASVIT_FIELD(multi_scale.rule, OneOf{{"off", "pixels", "published"}},
                   "a new image size every step; pixels: shards shrink and grow so that memory "
                   "stays level; published: as in the CAS-ViT trainer they never shrink"),
      CASVIT_FIELD(multi_scale.min_size, between(32, 4096), "least image size, pixels"),
      CASVIT_FIELD(multi_scale.max_size, between(32, 4096), "largest image size, pixels"),
      CASVIT_FIELD(multi_scale.divisor, between(1, 4096),
                   "image sizes are the multiples of this between the two"),
      CASVIT_FIELD(train.epochs, between(1, 1 << 24), "passes over the training data"),
      CASVIT_FIELD(train.max_steps, at_least(0),
                   "stop after so many steps, the schedule unchanged; 0: run all epochs"),
      CASVIT_FIELD(train.seed, kAnything, "decides order, augmentation and initial weights"),
      CASVIT_FIELD(train.freeze, kAnything,
                   "parameters that stay as they are: patterns of names with * and ?, the last "
                   "that fits decides, ! means trained after all; e.g. [\"*\", \"!head.*\"] for a "
                   "linear probe"),
      CASVIT_FIELD(train.patience, at_least(0),
                   "end after so many evaluations without a new best; 0: never early"),
      CASVIT_FIELD(train.min_delta, at_least(0),
                   "percentage points by which a new best must be better for train.patience"),
      CASVIT_FIELD(train.on_nonfinite, OneOf{{"stop", "skip"}},
                   "a step whose loss or gradients are not finite; stop: exit 4; skip: nothing is "
                   "updated and training goes on"),
      CASVIT_FIELD(train.max_skipped, at_least(1),
                   "steps in a row that skip bears before it ends with exit 4"),
      CASVIT_FIELD(eval.batch_size, between(1, 1 << 16), "pictures evaluated at once"),
      CASVIT_FIELD(eval.every_epochs, at_least(1),
                   "epochs between evaluations; there is always one after the last"),
      CASVIT_FIELD(precision.amp, OneOf{{"auto", "off", "bf16", "fp16"}},
                   "mixed precision; auto: bf16 where the device computes in it; fp16 needs a GPU"),
      CASVIT_FIELD(optimizer.name, OneOf{{"adamw", "sgd", "lion"}}, "which optimizer"),
      CASVIT_FIELD(optimizer.learning_rate, above(0),
                   "the largest learning rate, for a global batch of optimizer.base_batch_size"),
      CASVIT_FIELD(optimizer.base_batch_size, at_least(0),
                   "pictures a step that learning_rate is for; 0: the global batch as it is"),
      CASVIT_FIELD(optimizer.batch_scaling, OneOf{{"linear", "sqrt"}},
                   "how learning_rate follows from base_batch_size to the global batch"),
      CASVIT_FIELD(optimizer.weight_decay, at_least(0),
                   "on parameters with two or more dimensions only; decoupled, with sgd added to "
                   "the gradient"),
      CASVIT_FIELD(optimizer.weight_decay_end, at_least(0),
                   "weight decay at the end, approached by half a cosine; null: constant"),
      CASVIT_FIELD(optimizer.layer_decay, above_zero_to(1),
                   "learning rate of each block over that of the next one; the head has the full "
                   "rate; 1: all the same"),
      CASVIT_FIELD(optimizer.betas, below_one(),
                   "decay of the first and of the second moment; null: adamw [0.9, 0.999], lion "
                   "[0.9, 0.99]"),
      CASVIT_FIELD(optimizer.eps, above(0), "adamw: added to the root of the second moment"),
      CASVIT_FIELD(optimizer.momentum, below_one(),
                   "sgd: share of the last step in this one; 0: none"),
      CASVIT_FIELD(optimizer.nesterov, kAnything, "sgd: Nesterov's momentum"),
      CASVIT_FIELD(schedule.name, OneOf{{"cosine", "linear", "step", "constant"}},
                   "how the learning rate falls, step by step"),
      CASVIT_FIELD(schedule.warmup_epochs, at_least(0),
                   "linear rise of the learning rate before that, in epochs or fractions of one"),
      CASVIT_FIELD(schedule.warmup_steps, at_least(0), "the same in steps, instead of epochs"),
      CASVIT_FIELD(schedule.warmup_start, at_least(0),
                   "learning rate at the first step of the warm-up"),
      CASVIT_FIELD(schedule.minimum, at_least(0), "learning rate at the end, and the least"),
      CASVIT_FIELD(schedule.step_epochs, above(0), "step: epochs from one fall to the next"),
      CASVIT_FIELD(schedule.step_factor, above_zero_to(1),
                   "step: learning rate after a fall over that before it"),
      CASVIT_FIELD(loss.name, OneOf{{"cross_entropy", "bce", "focal"}},
                   "bce: binary cross entropy of each class by itself; focal: cross entropy in "
                   "which what is right already counts less"),
      CASVIT_FIELD(loss.label_smoothing, below_one(),
                   "share of the target that is spread over all classes"),
      CASVIT_FIELD(loss.class_weights, OneOf{{"none", "balanced", "effective"}},
                   "weigh classes, mean 1 over the samples; balanced: by inverse frequency; "
                   "effective: by inverse effective number of samples (milder)"),
      CASVIT_FIELD(loss.effective_beta, below_one(),
                   "effective: 0 weighs all classes alike, towards 1 it becomes balanced"),
      CASVIT_FIELD(loss.focal_gamma, at_least(0), "focal: 0 is cross entropy"),
      CASVIT_FIELD(loss.bce_threshold, below_one(),
                   "bce: targets above it become 1 and others 0, e.g. after Mixup; 0: as they are"),
      CASVIT_FIELD(distillation.teacher, kAnything,
                   "weights of a CAS-ViT of any size that the model learns from, a .safetensors "
                   "file; empty: none"),
      CASVIT_FIELD(distillation.loss, OneOf{{"soft", "hard"}},
                   "soft: the teacher's probabilities; hard: its first choice"),
      CASVIT_FIELD(distillation.alpha, between(0, 1), "share of the teacher in the loss"),
      CASVIT_FIELD(distillation.tau, above(0), "soft: temperature of both sides"),
      CASVIT_FIELD(ema.decay, below_one(),
                   "exponential moving average of the weights, decay a step; 0: off"),
      CASVIT_FIELD(ema.warmup, kAnything,
                   "use min(decay, (1 + t) / (10 + t)) at step t, so that short runs profit too"),
      CASVIT_FIELD(clip.norm, at_least(0),
                   "largest global L2 norm of the gradients; 0: no clipping"),
      CASVIT_FIELD(clip.value, at_least(0), "largest absolute value of a gradient's element"),
      CASVIT_FIELD(clip.agc, at_least(0),
                   "adaptive: largest norm of a unit's gradient over that of its weights, e.g. "
                   "0.01; the head is left out"),
      CASVIT_FIELD(mixup.mixup_alpha, at_least(0),
                   "Mixup: lambda is drawn from Beta(alpha, alpha); 0: off"),
      CASVIT_FIELD(mixup.cutmix_alpha, at_least(0), "CutMix, the same; 0: off"),
      CASVIT_FIELD(mixup.cutmix_minmax, between(0, 1),
                   "CutMix: least and largest side of the box as a share of the picture's, instead "
                   "of cutmix_alpha"),
      CASVIT_FIELD(mixup.prob, between(0, 1),
                   "probability that a shard (a picture in mode elem) is mixed at all"),
      CASVIT_FIELD(mixup.switch_prob, between(0, 1), "probability of CutMix where both are on"),
      CASVIT_FIELD(mixup.mode, OneOf{{"batch", "pair", "elem"}},
                   "one lambda for a shard, a pair of pictures, or each picture"),
      CASVIT_FIELD(mixup.correct_lam, kAnything,
                   "correct lambda for the part of a CutMix box that the border cuts off"),
      CASVIT_FIELD(mixup.off_epoch, at_least(0), "epochs after which mixing ends; 0: never"),
      CASVIT_FIELD(augment.crop_scale, above_zero_to(1),
                   "RandomResizedCrop: least and largest share of the picture's area"),
      CASVIT_FIELD(augment.crop_ratio, above_zero_to(100),
                   "RandomResizedCrop: least and largest width / height"),
      CASVIT_FIELD(augment.interpolation, OneOf{{"bicubic", "bilinear", "random"}},
                   "how pictures are resized, in training and evaluation; random: one of both for "
                   "each training picture, bicubic in evaluation"),
      CASVIT_FIELD(augment.horizontal_flip, between(0, 1), "probability"),
      CASVIT_FIELD(augment.vertical_flip, between(0, 1), "probability"),
      CASVIT_FIELD(
          augment.rand_augment,
          Format{"timm's string, e.g. rand-m9-mstd0.5-inc1, or empty for none", is_rand_augment},
          "RandAugment in timm's notation, e.g. rand-m9-mstd0.5-inc1; empty: off"),
      CASVIT_FIELD(augment.three_augment, kAnything,
                   "3-Augment of DeiT III: grey, solarized or blurred; instead of RandAugment"),
      CASVIT_FIELD(augment.brightness, at_least(0),
                   "ColorJitter: factor drawn from 1 - x to 1 + x"),
      CASVIT_FIELD(augment.contrast, at_least(0), "ColorJitter, the same"),
      CASVIT_FIELD(augment.saturation, at_least(0), "ColorJitter, the same"),
      CASVIT_FIELD(augment.hue, between(0, 0.5),
                   "ColorJitter: shift drawn from -x to x, in turns of the colour wheel"),
      CASVIT_FIELD(augment.cutout_holes, between(0, 1024),
                   "Cutout: squares set to the mean; 0: off"),
      CASVIT_FIELD(augment.cutout_length, between(0, 4096), "Cutout: side of a square, pixels"),
      CASVIT_FIELD(augment.erase_prob, between(0, 1),
                   "Random Erasing: probability that a picture loses boxes; 0: off"),
      CASVIT_FIELD(augment.erase_mode, OneOf{{"const", "rand", "pixel"}},
                   "Random Erasing: fill with the mean, a random colour, or noise"),
      CASVIT_FIELD(augment.erase_count, between(1, 1024),
                   "Random Erasing: boxes a picture, 1 to so many"),
      CASVIT_FIELD(augment.erase_area, above_zero_to(1),
                   "Random Erasing: least and largest share of the area, all boxes together"),
      CASVIT_FIELD(augment.erase_aspect, above_zero_to(100),
                   "Random Erasing: least and largest height / width"),
      CASVIT_FIELD(augment.eval_crop_ratio, above_zero_to(1),
                   "evaluation: the short side becomes image_size / ratio before the centre crop"),
      CASVIT_FIELD(checkpoint.every_epochs, at_least(1),
                   "epochs between checkpoints; there is always one after the last"),
      CASVIT_FIELD(checkpoint.every_steps, at_least(0),
                   "steps between checkpoints besides; 0: only at epochs"),
      CASVIT_FIELD(checkpoint.keep, at_least(0),
                   "newest checkpoints kept besides best and last; 0: all"),
      CASVIT_FIELD(report.tensorboard, kAnything,
                   "write event files that TensorBoard shows while the run trains"),
      CASVIT_FIELD(report.prometheus_port, between(0, 65535),
                   "TCP port at which rank 0 serves /metrics for Prometheus; 0: none"),
      CASVIT_FIELD(report.prometheus_address,
                   Format{"the number of an address, e.g. 127.0.0.1, 0.0.0.0 or ::1", is_address},
                   "address that it listens at; 127.0.0.1: nobody outside this machine can read "
                   "it; 0.0.0.0: everybody who reaches the machine can"),
      CASVIT_FIELD(
          parallel.reproducible, kAnything,
          "sum shards in one fixed tree: the same bits on 1, 2, 4, ... ranks; "
          "batch.shards and ranks are powers of two, and a rank has one thread unless set"),
      CASVIT_FIELD(
          parallel.zero, kAnything,
          "each rank keeps and updates its part of optimizer state and EMA (ZeRO stage 1)"),
      CASVIT_FIELD(
          parallel.bucket_mb, at_least(0),
          "MB of gradients exchanged at once; 0: what is fastest in the first steps; cannot "
          "change a result"),
      CASVIT_FIELD(
          parallel.transport, OneOf{{"float32", "bfloat16"}},
          "of gradients between ranks; bfloat16 halves the traffic, rounds each rank's sum"),
      CASVIT_FIELD(parallel.batch_norm, OneOf{{"per_shard", "synchronized"}},
                   "statistics in training; per_shard: each shard its own; synchronized: of all "
                   "shards together, for small shards; one shard a rank"),
      CASVIT_FIELD(
          parallel.hierarchical, OneOf{{"auto", "on", "off"}},
          "over MPI, sum within nodes and then across them; auto: where nodes have equally "
          "many consecutive ranks"),
      CASVIT_FIELD(launch.expect_ranks, between(0, 1 << 20),
                   "refuse any other number of ranks; 0: any that divides batch.shards"),
      CASVIT_FIELD(launch.expect_hosts, between(0, 1 << 20),
                   "refuse any other number of hosts; 0: any"),
      CASVIT_FIELD(launch.threads, between(0, 4096),
                   "compute threads a rank; 0: derived from the cores"),
      CASVIT_FIELD(launch.timeout_seconds, between(1, 1e6),
                   "how long ranks wait for one that shows no life; the job then ends with exit 5"),
  };
}

#undef CASVIT_FIELD

}  // namespace

const std::vector<Field>& fields() {
  static const std::vector<Field> kTable = make_fields();
  return kTable;
}

const Field* find_field(std::string_view key) {
  const auto& table = fields();
  const auto found = std::ranges::find(table, key, &Field::key);
  return found == table.end() ? nullptr : &*found;
}

bool is_section(std::string_view name) { return !first_key(name).empty(); }

std::string first_key(std::string_view section) {
  const std::string prefix = std::string(section) + ".";
  for (const Field& field : fields()) {
    if (field.key.starts_with(prefix)) return std::string(field.key);
  }
  return {};
}

}  // namespace casvit::trainer
