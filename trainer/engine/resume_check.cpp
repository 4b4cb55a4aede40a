#include "trainer/engine/resume_check.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

/// Keys that decide which samples a step sees or which tensors there are.
constexpr std::array<std::string_view, 16> kFixed{
    "model.name",           "model.num_classes",   "model.distillation",
    "batch.shards",         "batch.shard_size",    "train.seed",
    "data.order",           "ema.decay",           "parallel.reproducible",
    "parallel.batch_norm",  "multi_scale.rule",    "multi_scale.min_size",
    "multi_scale.max_size", "multi_scale.divisor", "data.apply_orientation",
    "optimizer.name"};

/// Keys that say where and how long, not what: a change of them is worth a word only when it
/// changes the schedule.
constexpr std::array<std::string_view, 12> kQuiet{"data.train",
                                                  "data.val",
                                                  "data.stage_to",
                                                  "train.max_steps",
                                                  "parallel.zero",
                                                  "parallel.bucket_mb",
                                                  "report.tensorboard",
                                                  "report.prometheus_port",
                                                  "report.prometheus_address",
                                                  "launch.expect_ranks",
                                                  "launch.expect_hosts",
                                                  "launch.timeout_seconds"};

bool listed(const auto& keys, std::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// EMA may change its decay, but not appear or disappear.
bool is_fixed(std::string_view key, const Config& before, const Config& after) {
  if (key == "ema.decay") {
    return (before.ema.decay > 0) != (after.ema.decay > 0);
  }
  if (key == "model.image_size") {  // what multi-scale shard sizes derive from
    return before.multi_scale.rule != "off";
  }
  return listed(kFixed, key);
}

}  // namespace

ResumeCheck check_resume(const CheckpointInfo& checkpoint, const Config& config,
                         const std::string& data_hash, const std::string& precision, int threads,
                         int ranks) {
  const Config before = parse_config(checkpoint.config_yaml, "the checkpoint's configuration", {});
  ResumeCheck check;
  std::string refused;
  for (const std::string& line : differences(before, config)) {
    const std::string key = line.substr(0, line.find(':'));
    if (is_fixed(key, before, config)) {
      refused += "\n  " + line;
    } else if (!listed(kQuiet, key)) {
      check.notes.push_back("changed since the checkpoint: " + line);
    }
  }
  if (!refused.empty()) {
    throw ConfigError("this run cannot continue with another" + refused +
                      "\nput the old value back, or start a new run with another --out");
  }
  if (checkpoint.data_hash != data_hash) {
    throw ConfigError("the training data are not those of the checkpoint (hash " + data_hash +
                      ", was " + checkpoint.data_hash +
                      "); give the old files, or start a new run with another --out");
  }
  if (before.train.epochs != config.train.epochs) {
    check.notes.push_back("the learning rate follows the schedule of " +
                          std::to_string(config.train.epochs) +
                          " epochs from here on; up to here it followed that of " +
                          std::to_string(before.train.epochs));
  }
  if (!checkpoint.precision.empty() && checkpoint.precision != precision) {
    const std::string change = "computing in " + precision + ", was " + checkpoint.precision;
    if (config.parallel.reproducible) {
      throw ConfigError("this reproducible run cannot continue " + change +
                        "; set precision.amp as it was, or continue on a machine like it");
    }
    check.notes.push_back(change);
  }
  if (config.parallel.reproducible && checkpoint.threads != threads) {
    throw ConfigError("this reproducible run has " + std::to_string(checkpoint.threads) +
                      " threads a rank, and would not give the same bits with " +
                      std::to_string(threads) + "; set launch.threads to " +
                      std::to_string(checkpoint.threads));
  }
  if (config.parallel.reproducible) {
    return check;  // on any number of ranks
  }
  if (checkpoint.ranks != ranks || checkpoint.threads != threads) {
    check.notes.push_back(
        "continuing on " + std::to_string(ranks) + " ranks x " + std::to_string(threads) +
        " threads, was " + std::to_string(checkpoint.ranks) + " x " +
        std::to_string(checkpoint.threads) + ": the same experiment, but not the same bits");
  }
  return check;
}

}  // namespace casvit::trainer
