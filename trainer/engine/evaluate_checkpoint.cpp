#include "trainer/engine/evaluate_checkpoint.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "trainer/engine/check_world.h"
#include "trainer/engine/compute.h"
#include "trainer/engine/evaluate.h"
#include "trainer/engine/heatmaps.h"
#include "trainer/engine/model_file.h"
#include "trainer/engine/options_from_config.h"
#include "trainer/engine/report_input.h"
#include "trainer/engine/weights_init.h"
#include "trainer/error.h"
#include "trainer/report/report.h"

namespace casvit::trainer {
namespace {

/// What a file does not say of classes must be said otherwise.
void refuse_other_classes(const ModelDescription& description, const dataio::Dataset& data,
                          const EvaluateCheckpointOptions& options) {
  const std::string& file = data.files().front();
  if (!description.info.classes.empty() && data.class_names() != description.info.classes) {
    throw ConfigError(file + " has other classes than " + options.checkpoint +
                      " was trained on; pack it from folders with the same class names");
  }
  const bool is_given =
      std::any_of(options.overrides.begin(), options.overrides.end(),
                  [](const Override& given) { return given.key == "model.num_classes"; });
  const int classes = description.config.model.num_classes;
  if (description.info.classes.empty() && data.num_classes() != classes && !is_given) {
    throw ConfigError(file + " has " + std::to_string(data.num_classes()) + " classes, " +
                      options.checkpoint + " has " + std::to_string(classes) +
                      " without names; if the data's are the first of them, say so with --set "
                      "model.num_classes=" +
                      std::to_string(classes));
  }
}

}  // namespace

CheckpointEvaluation evaluate_checkpoint(const EvaluateCheckpointOptions& options,
                                         launch::World& world) {
  ModelDescription description = describe_model(options.checkpoint, options.overrides);
  // The data carry a normalization.
  std::erase_if(description.unsaid,
                [](const std::string& key) { return key.starts_with("data."); });
  description.require_preprocessing(options.checkpoint);
  const Config& config = description.config;
  enter_world(config, world);
  const dataio::Dataset data(options.data, dataset_options_of(config));
  refuse_other_data(data.content_hash(), world);
  refuse_other_classes(description, data, options);
  const launch::ThreadPlan threads = world.plan_threads(config.launch.threads);
  at::set_num_threads(threads.compute);
  const Compute compute = choose_compute(config.device, "off", world.local_rank());
  Rcvit model(model_of(config, data.num_classes()), at::kFloat, compute.device);
  CheckpointEvaluation result;
  result.is_ema =
      load_weights(options.checkpoint, options.use, model.state()).is_ema || description.is_ema;

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
    ReportInput input = report_input(config, data);
    input.model = evaluations[0];
    input.heatmaps = heatmaps(model, evaluations[0], data, evaluation.transform);
    input.data = {{"checkpoint", options.checkpoint},
                  {"weights", result.is_ema ? "EMA" : "model"},
                  {"validation pictures", std::to_string(data.size())},
                  {"validation files", data.files().front()},
                  {"validation data hash", data.content_hash()}};
    const WrittenReport written = write_report(options.out, input);
    result.report = written.page;
    result.note = written.note;
  }
  return result;
}

}  // namespace casvit::trainer
