#include "trainer/telemetry/run_gauges.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "trainer/telemetry/prometheus_text.h"

namespace casvit::trainer {
namespace {

using Type = PrometheusText::Type;

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Bytes of this process in memory at this moment (proc(5), statm); nothing where /proc is missing.
std::optional<double> resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  if (!(statm >> size >> resident)) return std::nullopt;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

RunGauges::RunGauges(Facts facts)
    : facts_(std::move(facts)),
      step_(static_cast<double>(facts_.steps_before)),
      epochs_done_(static_cast<double>(facts_.epochs_before)),
      epoch_(static_cast<double>(std::min<std::int64_t>(facts_.epochs_before + 1, facts_.epochs))) {
}

void RunGauges::note(const StepMetrics& metrics, std::int64_t images, std::int64_t skipped,
                     std::int64_t replaced) {
  const double seconds = metrics.seconds.value_or(0);
  loss_.set(static_cast<double>(metrics.loss));
  learning_rate_.set(metrics.lr);
  gradient_norm_.set(static_cast<double>(metrics.grad_norm));
  images_per_second_.set(metrics.images_per_second);
  images_.add(static_cast<double>(images));
  steps_.add(1);
  skipped_.set(static_cast<double>(skipped - facts_.skipped_before));
  replaced_.set(static_cast<double>(replaced - facts_.replaced_before));
  data_.add(metrics.data_seconds);
  compute_.add(metrics.compute_seconds.value_or(0));
  communication_.add(metrics.comm_exposed_seconds);
  optimizer_.add(metrics.optimizer_seconds.value_or(0));
  step_sum_.add(seconds);
  const auto bucket = static_cast<std::size_t>(std::ranges::lower_bound(kStepBounds, seconds) -
                                               kStepBounds.begin());
  step_counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  stepped_at_.set(now());
  epoch_.set(metrics.epoch);
  step_.set(static_cast<double>(metrics.step));
}

void RunGauges::note(const EpochMetrics& metrics) {
  const auto keep = [](Scores& scores, const std::optional<double>& acc1,
                       const std::optional<double>& acc5, const std::optional<double>& loss) {
    if (!acc1) return;
    scores.acc5.set(acc5.value_or(0) / 100);
    scores.loss.set(loss.value_or(0));
    scores.acc1.set(*acc1 / 100);
  };
  keep(model_, metrics.model_acc1, metrics.model_acc5, metrics.model_loss);
  keep(average_, metrics.ema_acc1, metrics.ema_acc5, metrics.ema_loss);
  epochs_done_.set(metrics.epoch);
}

void RunGauges::note(const PauseMetrics& metrics) {
  Figure& figure = metrics.on == "evaluation"   ? evaluation_
                   : metrics.on == "checkpoint" ? checkpoint_
                                                : report_;
  figure.add(metrics.seconds);
}

std::string RunGauges::text() const {
  PrometheusText out;
  const auto gauge = [&out](const char* name, const char* help, double value) {
    out.family(name, Type::kGauge, help).sample(value);
  };
  const auto counter = [&out](const char* name, const char* help, const Figure& figure) {
    out.family(name, Type::kCounter, help).sample(figure.get());
  };
  out.family("casvit_run_info", Type::kGauge,
             "What is trained, and where it is written to; always 1.")
      .sample(1, {{"version", facts_.version},
                  {"model", facts_.model},
                  {"run_folder", facts_.run_folder}});
  gauge("casvit_start_time_seconds", "When this process started, since 1970.", facts_.started);
  gauge("casvit_ranks", "Ranks that train.", facts_.ranks);
  gauge("casvit_step", "Steps done, over all starts of the run.", step_.get());
  gauge("casvit_last_step", "Steps after which the run ends.",
        static_cast<double>(facts_.last_step));
  gauge("casvit_epoch", "Epoch under way, or the last; the first is 1.", epoch_.get());
  gauge("casvit_epochs_done", "Epochs done, with their evaluation.", epochs_done_.get());
  gauge("casvit_epochs", "Epochs of the whole run.", facts_.epochs);
  if (steps_.get() > 0) {
    gauge("casvit_train_loss", "Loss of the last step, mean over the global batch.", loss_.get());
    gauge("casvit_learning_rate", "Learning rate of the last step.", learning_rate_.get());
    gauge("casvit_gradient_norm", "L2 norm of the last step's gradients, before clipping.",
          gradient_norm_.get());
    gauge("casvit_images_per_second",
          "Images that all ranks trained on a second, in the last step.", images_per_second_.get());
    gauge("casvit_last_step_timestamp_seconds", "When the last step ended, since 1970.",
          stepped_at_.get());
  }
  counter("casvit_images_total", "Images that all ranks trained on since this process started.",
          images_);
  counter("casvit_steps_total", "Steps since this process started.", steps_);
  counter("casvit_skipped_steps_total",
          "Steps that were not finite and changed nothing, since this process started.", skipped_);
  counter("casvit_replaced_images_total",
          "Corrupt images that others replaced, since this process started.", replaced_);
  std::vector<std::uint64_t> counts;
  for (const auto& count : step_counts_) counts.push_back(count.load(std::memory_order_relaxed));
  out.family("casvit_step_seconds", Type::kHistogram, "Time that steps took.")
      .histogram(kStepBounds, counts, step_sum_.get());
  counter("casvit_data_wait_seconds_total", "Time that rank 0 waited for its loader in steps.",
          data_);
  counter("casvit_compute_seconds_total", "Time of rank 0 in forward and backward.", compute_);
  counter("casvit_communication_wait_seconds_total",
          "Time that rank 0 waited for communication, and in it for other ranks.", communication_);
  counter("casvit_optimizer_seconds_total", "Time of rank 0 in clipping, update and averaging.",
          optimizer_);
  out.family("casvit_pause_seconds_total", Type::kCounter,
             "Time in which nothing was trained, by what it went to.")
      .sample(evaluation_.get(), {{"on", "evaluation"}})
      .sample(checkpoint_.get(), {{"on", "checkpoint"}})
      .sample(report_.get(), {{"on", "report"}});
  const std::array<std::pair<const char*, const Scores*>, 2> weights{
      {{"model", &model_}, {"ema", &average_}}};
  const auto evaluated = [&](const Scores& scores) { return !std::isnan(scores.acc1.get()); };
  if (evaluated(model_)) {
    out.family(
        "casvit_validation_accuracy_ratio", Type::kGauge,
        "Share of validation images whose class is among the first answers; last evaluation.");
    for (const auto& [name, scores] : weights) {
      if (!evaluated(*scores)) continue;
      out.sample(scores->acc1.get(), {{"weights", name}, {"top", "1"}});
      out.sample(scores->acc5.get(), {{"weights", name}, {"top", "5"}});
    }
    out.family("casvit_validation_loss", Type::kGauge,
               "Mean cross entropy on the validation images; last evaluation.");
    for (const auto& [name, scores] : weights) {
      if (evaluated(*scores)) out.sample(scores->loss.get(), {{"weights", name}});
    }
  }
  if (const std::optional<double> bytes = resident_bytes()) {
    gauge("casvit_resident_memory_bytes", "Memory of rank 0 at this moment.", *bytes);
  }
  return out.text();
}

}  // namespace casvit::trainer
