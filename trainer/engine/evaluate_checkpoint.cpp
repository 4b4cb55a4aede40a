#include "trainer/engine/evaluate_checkpoint.h"

#include <ATen/Parallel.h>

#include <utility>

#include "trainer/config/data_options.h"
#include "trainer/engine/check_world.h"
#include "trainer/engine/compute.h"
#include "trainer/engine/evaluate.h"
#include "trainer/engine/report_input.h"
#include "trainer/engine/test_time_views.h"
#include "trainer/error.h"
#include "trainer/report/report.h"

namespace casvit::trainer {
namespace {

void refuse_other_outputs(const Contender& own, const Contender& other) {
  const int classes = own.model.options().num_classes;
  const int others = other.model.options().num_classes;
  if (classes != others) {
    throw ConfigError("models with different classes cannot be compared: " + own.name + " has " +
                      std::to_string(classes) + ", " + other.name + " has " +
                      std::to_string(others));
  }
}

/// Both read the same pixels: they are decoded once.
bool share_pictures(const Contender& own, const Contender& other, const Config& config,
                    const Config& other_config) {
  return own.transform == other.transform &&
         config.data.apply_orientation == other_config.data.apply_orientation;
}

/// What a report says of test-time augmentation.
std::string describe_views(const EvaluateCheckpointOptions& options, int views) {
  return options.tta + ": " + std::to_string(views) +
         " views of each picture; the mean of their probabilities counts";
}

}  // namespace

CheckpointEvaluation evaluate_checkpoint(const EvaluateCheckpointOptions& options,
                                         launch::World& world) {
  const std::vector<dataio::EvalView> views = test_time_views(options.tta);
  const ModelDescription description = describe_contender(options);
  const Config& config = description.config;
  std::optional<ModelDescription> other_description;
  if (options.against) other_description = describe_contender(*options.against);
  enter_world(config, world);
  const launch::ThreadPlan threads = world.plan_threads(config.launch.threads);
  at::set_num_threads(threads.compute);
  const Compute compute = choose_compute(config.device, "off", world.local_rank());
  Contender own = prepare_contender(options, description, options.data, compute.device, world);
  own.transform.views = views;
  const dataio::Dataset& data = own.data;
  std::optional<Contender> other;
  if (options.against) {
    other = prepare_contender(*options.against, *other_description, options.data, compute.device,
                              world);
    other->transform.views = views;
    refuse_other_outputs(own, *other);
  }

  launch::Watchdog::Watch watch = world.watch("evaluating");
  const auto evaluate_on = [&](const std::vector<const Rcvit*>& models, const Contender& one,
                               const std::string& label) {
    EvaluateOptions evaluation;
    evaluation.transform = one.transform;
    evaluation.loader = {loader_threads_of(config, threads.loader), config.data.queue_batches};
    evaluation.block_size = config.eval.batch_size;
    evaluation.progress_label = label;
    evaluation.stop = [&watch] {
      watch.feed();
      return false;
    };
    return evaluate(models, one.data, evaluation, compute.device, world.communicator()).value();
  };
  const bool together = other && share_pictures(own, *other, config, other_description->config);
  std::vector<const Rcvit*> models{&own.model};
  if (together) models.push_back(&other->model);
  std::vector<Evaluation> evaluations = evaluate_on(models, own, "evaluating");
  if (other && !together) {
    evaluations.push_back(evaluate_on({&other->model}, *other, "evaluating the other").front());
  }

  CheckpointEvaluation result;
  result.is_ema = own.is_ema;
  result.views = own.transform.view_count();
  result.accuracy = accuracy_of(evaluations[0]);
  if (other && world.rank() == 0) {
    result.against = {own.name, other->name, data.class_names(),
                      paired_comparison(evaluations[0], evaluations[1])};
  }
  if (!options.out.empty() && world.rank() == 0) {
    ReportInput input = report_input(config, data);
    input.model = evaluations[0];
    input.data = {{"checkpoint", options.checkpoint},
                  {"weights", result.is_ema ? "EMA" : "model"},
                  {"validation pictures", std::to_string(data.size())},
                  {"validation files", data.files().front()},
                  {"validation data hash", data.content_hash()}};
    if (!options.tta.empty()) {
      input.data["test-time augmentation"] = describe_views(options, result.views);
      input.cost["views_of_each_picture"] = result.views;
    }
    if (other) input.against = {own.name, other->name, std::move(evaluations[1])};
    const WrittenReport written = write_report(options.out, input);
    result.report = written.page;
    result.note = written.note;
  }
  return result;
}

}  // namespace casvit::trainer
