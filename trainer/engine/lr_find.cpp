#include "trainer/engine/lr_find.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "launch/interruption.h"
#include "trainer/config/data_options.h"
#include "trainer/engine/check_world.h"
#include "trainer/engine/options_from_config.h"
#include "trainer/engine/run_folder.h"
#include "trainer/engine/run_inputs.h"
#include "trainer/engine/run_state.h"
#include "trainer/engine/teacher.h"
#include "trainer/engine/training_step.h"
#include "trainer/engine/weights_init.h"
#include "trainer/error.h"
#include "trainer/parallel/device_communicator.h"
#include "trainer/report/atomic_file.h"
#include "trainer/report/chart.h"
#include "trainer/report/progress.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

constexpr double kSmoothing = 0.9;

/// The test goes on through as many epochs as its steps need; the run's own end means nothing.
Config lengthened(Config config, int steps) {
  config.train.epochs = std::max(config.train.epochs, steps);
  config.train.max_steps = steps;
  config.train.on_nonfinite = "skip";
  config.train.max_skipped = 1;
  config.schedule.warmup_epochs = 0;
  config.schedule.warmup_steps = 0;
  return config;
}

double rate_of(const LrFindOptions& options, int step) {
  const double share = static_cast<double>(step) / (options.steps - 1);
  return options.from * std::pow(options.to / options.from, share);
}

std::string csv_of(const std::vector<LrTrial>& trials) {
  std::string text = "learning_rate,loss,smoothed_loss\n";
  for (const LrTrial& trial : trials) {
    text += formatted("%.9g,%.9g,%.9g\n", trial.learning_rate, trial.loss, trial.smoothed);
  }
  return text;
}

/// The loss over the learning rate, on a logarithmic axis, with the suggestion on it. Where it has
/// blown up it is left out: it would flatten the rest.
Chart chart_of(const std::vector<LrTrial>& trials, const LrSuggestion& suggestion) {
  const double first = trials.front().smoothed;
  const double least = std::ranges::min_element(trials, {}, &LrTrial::smoothed)->smoothed;
  const double most = std::max(first + (first - least), 1.1 * first);
  const auto shown = [most](double loss) { return loss <= most ? loss : std::nan(""); };
  ChartSeries losses{"each step", "train", {}, false};
  ChartSeries smoothed{"smoothed", "main", {}, false};
  ChartSeries marked{formatted("%.2g", suggestion.suggested), "other", {}, true};
  for (const LrTrial& trial : trials) {
    losses.points.push_back({trial.learning_rate, shown(trial.loss)});
    smoothed.points.push_back({trial.learning_rate, shown(trial.smoothed)});
    if (trial.learning_rate == suggestion.suggested) {
      marked.points.push_back({trial.learning_rate, trial.smoothed});
    }
  }
  Chart chart;
  chart.title = "Loss by learning rate";
  chart.x_label = "learning rate";
  chart.series = {losses, smoothed, marked};
  chart.log_x = true;
  return chart;
}

}  // namespace

LrFindResult find_learning_rate(const Config& given, const LrFindOptions& options,
                                launch::World& world) {
  const Config config = lengthened(given, options.steps);
  check_world(config, world);
  const RunInputs inputs(config, world);
  const auto device_communicator = make_device_communicator(world, inputs.compute.device);
  launch::Communicator& communicator =
      device_communicator ? *device_communicator : world.communicator();
  const RcvitOptions model = model_of(config, inputs.train.num_classes());
  RunState state(model, optimizer_of(config), rules_of(config), config.ema.decay > 0,
                 inputs.compute.device);
  state.scaler.enabled = inputs.compute.loss_scaling();
  state.model.initialise(config.train.seed);
  if (!config.model.init.empty()) {
    load_weights(config.model.init, WeightsChoice::kAuto, state.model.state(),
                 HeadPolicy::kMayDiffer);
  }
  TrainingStepOptions step_options = step_options_of(config, world.size());
  step_options.loss = loss_of(config, inputs.train.class_counts(), inputs.compute.device);
  Teacher teacher;
  if (!config.distillation.teacher.empty()) {
    teacher = load_teacher(config.distillation.teacher, model.num_classes, inputs.compute.device);
    step_options.teacher = teacher.model.get();
  }
  TrainingStep training_step(state, communicator, inputs.compute, step_options);
  dataio::Loader loader(
      inputs.train, inputs.plan.sequence(sample_order_of(config, inputs.train), 0, options.steps),
      loader_training_of(config, inputs.normalization, model.num_classes),
      dataio::LoaderOptions{loader_threads_of(config, inputs.threads.loader),
                            config.data.queue_batches, batch_memory(inputs.compute.device)});

  LrFindResult result;
  std::optional<Progress> progress;
  if (world.rank() == 0) {
    progress.emplace("range test", options.steps);
  }
  for (int i = 0; i < options.steps && !result.interrupted && !has_blown_up(result.trials); ++i) {
    const launch::Watchdog::Watch watch = world.watch("step " + std::to_string(i + 1));
    StepRates rates = inputs.schedule.at(i);
    rates.learning_rate = rate_of(options, i);
    const StepResult step =
        training_step.run([&] { return loader.next(); }, rates, launch::Interruption::requested());
    result.interrupted = step.stop;
    result.trials.push_back({rates.learning_rate, static_cast<double>(step.loss), 0});
    smooth_losses(result.trials, kSmoothing);
    if (progress) {
      progress->update(i + 1, formatted("loss %.4f  lr %.2e", result.trials.back().smoothed,
                                        rates.learning_rate));
    }
  }
  progress.reset();
  if (result.interrupted) {
    return result;
  }
  try {
    result.suggestion = suggest_learning_rate(result.trials);
  } catch (const std::invalid_argument&) {
    throw DivergedError("the loss was not finite after " + std::to_string(result.trials.size()) +
                        " steps: begin the test at a smaller learning rate, e.g. --from " +
                        formatted("%g", options.from / 1000));
  }
  if (world.rank() == 0) {
    make_folder(options.out);
    write_text_file(options.out + "/lr_find.csv", csv_of(result.trials));
    write_text_file(options.out + "/lr_find.svg",
                    charts_svg({chart_of(result.trials, result.suggestion)}));
  }
  return result;
}

}  // namespace casvit::trainer
