#include "trainer/engine/evaluate_checkpoint.h"

#include <ATen/Parallel.h>

#include <filesystem>
#include <sstream>

#include "trainer/checkpoint/checkpoint.h"
#include "trainer/engine/check_world.h"
#include "trainer/engine/compute.h"
#include "trainer/engine/evaluate.h"
#include "trainer/engine/options_from_config.h"
#include "trainer/engine/versions.h"
#include "trainer/engine/weights_init.h"
#include "trainer/error.h"
#include "trainer/report/report.h"

namespace casvit::trainer {
namespace {

std::array<double, 3> three_numbers(const std::string& text, const std::string& checkpoint) {
  std::istringstream stream(text);
  std::array<double, 3> values{};
  char comma = ',';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) {
      stream >> comma;
    }
    stream >> values[i];
  }
  if (!stream || comma != ',') {
    throw CheckpointError(checkpoint + ": the stored normalisation \"" + text +
                          "\" is not three numbers");
  }
  return values;
}

/// The checkpoint's configuration with its preprocessing, then the overrides.
Config config_of(const CheckpointInfo& info, const EvaluateCheckpointOptions& options) {
  Config stored = parse_config(info.config_yaml, options.checkpoint, {});
  if (!info.normalization_mean.empty()) {
    stored.data.mean = three_numbers(info.normalization_mean, options.checkpoint);
    stored.data.std = three_numbers(info.normalization_std, options.checkpoint);
  }
  // The world that the checkpoint was trained in is not the one that evaluates it.
  stored.launch.expect_ranks = 0;
  stored.launch.expect_hosts = 0;
  return parse_config(to_yaml(stored), options.checkpoint, options.overrides);
}

}  // namespace

CheckpointEvaluation evaluate_checkpoint(const EvaluateCheckpointOptions& options,
                                         launch::World& world) {
  const CheckpointInfo info = read_checkpoint_info(options.checkpoint);
  const Config config = config_of(info, options);
  enter_world(config, world);
  const dataio::Dataset data(options.data, dataset_options_of(config));
  refuse_other_data(data.content_hash(), world);
  if (!info.classes.empty() && data.class_names() != info.classes) {
    throw ConfigError(data.files().front() + " has other classes than " + options.checkpoint +
                      " was trained on; pack it from folders with the same class names");
  }
  const launch::ThreadPlan threads = world.plan_threads(config.launch.threads);
  at::set_num_threads(threads.compute);
  const Compute compute = choose_compute(config.device, "off", world.local_rank());
  Rcvit model(model_of(config, data.num_classes()), at::kFloat, compute.device);
  CheckpointEvaluation result;
  result.is_ema = load_weights(options.checkpoint, options.use, model.state()).is_ema;

  EvaluateOptions evaluation;
  evaluation.transform = eval_transform_of(config, normalization_of(config, data));
  evaluation.loader = {loader_threads_of(config, threads.loader), config.data.queue_batches};
  evaluation.block_size = config.eval.batch_size;
  evaluation.progress_label = "evaluating";
  launch::Watchdog::Watch watch = world.watch("evaluating");
  evaluation.stop = [&watch] {
    watch.feed();
    return false;
  };
  const std::vector<Evaluation> evaluations =
      evaluate({&model}, data, evaluation, compute.device, world.communicator()).value();
  result.accuracy = accuracy_of(evaluations[0]);

  if (!options.out.empty() && world.rank() == 0) {
    ReportInput input;
    input.title = config.model.name + " on " +
                  std::filesystem::path(data.files().front()).filename().string();
    input.classes = data.class_names();
    input.model = evaluations[0];
    input.path = [&](std::uint64_t sample) { return data.source_path(sample); };
    input.config_yaml = to_yaml(config);
    input.data = {{"checkpoint", options.checkpoint},
                  {"weights", result.is_ema ? "EMA" : "model"},
                  {"validation pictures", std::to_string(data.size())},
                  {"validation files", data.files().front()},
                  {"validation data hash", data.content_hash()}};
    input.versions = versions();
    result.report = write_report(options.out, input);
  }
  return result;
}

}  // namespace casvit::trainer
