#include "trainer/engine/run_telemetry.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <system_error>
#include <utility>

#include "trainer/engine/parameter_distributions.h"
#include "trainer/engine/report_input.h"
#include "trainer/engine/validation_pictures.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

/// As many pictures of a tag as TensorBoard shows.
constexpr std::int64_t kPictures = 10;

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::vector<RunMetric> metrics_of(const Config& config) {
  std::vector<RunMetric> metrics;
  if (!config.data.val.empty()) {
    for (const std::string weights : {"model", "ema"}) {
      if (weights == "ema" && config.ema.decay == 0) {
        continue;
      }
      const std::string name = weights == "ema" ? "EMA" : weights;
      metrics.push_back({"val/" + weights + "_acc1", name + " top-1 (%)"});
      metrics.push_back({"val/" + weights + "_acc5", name + " top-5 (%)"});
      metrics.push_back({"val/" + weights + "_loss", name + " loss"});
    }
  }
  metrics.push_back({"train/epoch_loss", "training loss", /*validation=*/false});
  return metrics;
}

Summary summary_of(const StepMetrics& metrics) {
  Summary summary;
  summary.scalar("train/loss", static_cast<double>(metrics.loss))
      .scalar("train/learning_rate", metrics.lr)
      .scalar("train/grad_norm", static_cast<double>(metrics.grad_norm))
      .scalar("throughput/images_per_second", metrics.images_per_second)
      .scalar("time/data_seconds", metrics.data_seconds)
      .scalar("time/comm_exposed_seconds", metrics.comm_exposed_seconds);
  const std::array<std::pair<const char*, std::optional<double>>, 4> others{
      {{"time/compute_seconds", metrics.compute_seconds},
       {"time/optimizer_seconds", metrics.optimizer_seconds},
       {"time/step_seconds", metrics.seconds},
       {"train/loss_scale", metrics.loss_scale}}};
  for (const auto& [tag, value] : others) {
    if (value) {
      summary.scalar(tag, *value);
    }
  }
  return summary;
}

Summary summary_of(const EpochMetrics& metrics) {
  Summary summary;
  summary.scalar("train/epoch_loss", metrics.train_loss)
      .scalar("time/epoch_seconds", metrics.seconds)
      .scalar("throughput/epoch_images_per_second", metrics.images_per_second);
  const std::array<std::pair<const char*, std::optional<double>>, 8> others{
      {{"val/model_acc1", metrics.model_acc1},
       {"val/model_acc5", metrics.model_acc5},
       {"val/model_loss", metrics.model_loss},
       {"val/ema_acc1", metrics.ema_acc1},
       {"val/ema_acc5", metrics.ema_acc5},
       {"val/ema_loss", metrics.ema_loss},
       {"train/replaced", metrics.replaced},
       {"train/skipped", metrics.skipped}}};
  for (const auto& [tag, value] : others) {
    if (value) {
      summary.scalar(tag, *value);
    }
  }
  return summary;
}

void add_distributions(Summary& summary, const std::string& what,
                       const std::vector<Distribution>& distributions) {
  for (const Distribution& one : distributions) {
    summary.histogram(what + "s/" + one.group, one.bins);
    summary.scalar(what + "_norm/" + one.group, one.norm);
  }
}

}  // namespace

RunTelemetry::RunTelemetry(const Config& config, const RunInputs& inputs, const RunState& state,
                           Place place, std::function<void(const std::string&)> say)
    : config_(config),
      inputs_(inputs),
      place_(std::move(place)),
      say_(std::move(say)),
      about_(report_input(config, inputs.val ? *inputs.val : inputs.train)),
      step_(state.step),
      drawn_in_(static_cast<int>(inputs.plan.steps.epoch_of(state.step))) {
  if (config_.report.prometheus_port > 0) {
    RunGauges::Facts facts;
    facts.version = CASVIT_VERSION;
    facts.model = config_.model.name;
    facts.run_folder = place_.run_folder;
    facts.ranks = place_.ranks;
    facts.epochs = config_.train.epochs;
    facts.last_step = inputs_.last_step;
    facts.started = place_.began;
    facts.steps_before = state.step;
    facts.epochs_before = drawn_in_;
    facts.skipped_before = state.skipped;
    facts.replaced_before = state.replaced;
    gauges_ = std::make_unique<RunGauges>(std::move(facts));
    listen();
  }
  if (config_.report.tensorboard) {
    open_events();
  }
}

void RunTelemetry::open_events() {
  events_.emplace(place_.run_folder, step_, place_.host);
  renderer_.emplace();
  Summary summary;
  add_session_start(summary, about_.config_values, metrics_of(config_), place_.began);
  summary.text("config", "```yaml\n" + about_.config_yaml + "```\n");
  events_->add(step_ + 1, summary);
  events_->flush();
}

void RunTelemetry::listen() {
  const std::string& address = config_.report.prometheus_address;
  const std::string shown = address.find(':') == std::string::npos ? address : "[" + address + "]";
  const std::string place = shown + ":" + std::to_string(config_.report.prometheus_port);
  try {
    server_ = std::make_unique<MetricsServer>(
        address, static_cast<std::uint16_t>(config_.report.prometheus_port),
        [this] { return gauges_->text(); });
  } catch (const std::system_error& error) {
    throw ConfigError(
        "report.prometheus_port: cannot listen at " + place + ": " + error.code().message() +
        "; give another report.prometheus_port or report.prometheus_address, or 0 " + "for none");
  }
  say_("figures for Prometheus: http://" + place + "/metrics");
}

void RunTelemetry::note(const StepMetrics& metrics, std::int64_t images, const RunState& state) {
  step_ = metrics.step;
  if (gauges_) {
    gauges_->note(metrics, images, state.skipped, state.replaced);
  }
  if (events_) {
    events_->add(metrics.step, summary_of(metrics));
  }
}

void RunTelemetry::note(const PauseMetrics& metrics) {
  if (gauges_) {
    gauges_->note(metrics);
  }
}

void RunTelemetry::note(const EpochMetrics& metrics, const RunState& state,
                        const std::vector<Evaluation>& evaluations) {
  if (gauges_) {
    gauges_->note(metrics);
  }
  if (!events_) {
    return;
  }
  Summary summary = summary_of(metrics);
  const ModelState& model = state.model.state();
  add_distributions(summary, "weight", weight_distributions(model));
  if (!config_.parallel.zero) {  // there each rank has the sums of its own part alone
    add_distributions(summary, "gradient", gradient_distributions(model));
  }
  events_->add(metrics.step, summary);
  if (!evaluations.empty()) {
    draw(metrics.step, metrics.epoch, evaluations.back());
  }
  events_->flush();
}

/// At the first evaluation in each tenth of the run, and the last.
void RunTelemetry::draw(std::int64_t step, int epoch, const Evaluation& evaluation) {
  const auto tenth = [this](int epochs) { return epochs * kPictures / config_.train.epochs; };
  if (!renderer_ || (tenth(epoch) == tenth(drawn_in_) && step < inputs_.last_step)) {
    return;
  }
  drawn_in_ = epoch;
  try {
    const ValidationPictures pictures = validation_pictures(evaluation, about_, *renderer_);
    Summary summary;
    summary.image("val/confusion_matrix", pictures.confusion_matrix);
    if (!pictures.mistakes.empty()) {
      summary.image("val/mistakes", pictures.mistakes);
    }
    events_->add(step, summary);
  } catch (const DrawingError& error) {
    renderer_.reset();
    say_(std::string("no pictures for TensorBoard: ") + error.what());
  }
}

void RunTelemetry::flush() {
  if (events_) {
    events_->flush();
  }
}

void RunTelemetry::finish() {
  if (events_) {
    Summary summary;
    add_session_end(summary, SessionStatus::kSuccess, now());
    events_->add(step_, summary);
    events_->flush();
  }
  server_.reset();
}

void RunTelemetry::give_up() noexcept {
  server_.reset();
  if (!events_) {
    return;
  }
  try {
    try {
      throw;
    } catch (const DivergedError&) {
      Summary summary;
      add_session_end(summary, SessionStatus::kFailure, now());
      events_->add(step_, summary);
    } catch (...) {  // NOLINT(bugprone-empty-catch): a retry may go on, and says how it ended
    }
    events_->flush();
  } catch (...) {  // NOLINT(bugprone-empty-catch): the failure under way is the one to be told of
  }
}

}  // namespace casvit::trainer
