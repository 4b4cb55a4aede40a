#include "trainer/engine/run_estimate.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "trainer/engine/room_needed.h"
#include "trainer/engine/run_report.h"
#include "trainer/report/progress.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::string row(const std::string& name, const std::string& each, std::int64_t times,
                double seconds) {
  return formatted("  %-14s %-34s x %-9s %s\n", name.c_str(), each.c_str(), grouped(times).c_str(),
                   format_duration(seconds).c_str());
}

std::string memory_rows(const RunEstimate& estimate) {
  const std::uint64_t largest = std::ranges::max(estimate.peak_bytes);
  const auto here = static_cast<std::ptrdiff_t>(estimate.ranks_on_host);
  const std::uint64_t together = std::accumulate(
      estimate.peak_bytes.begin(), estimate.peak_bytes.begin() + here, std::uint64_t{0});
  std::string text = "  memory         " + bytes_text(largest) + " for the largest rank, " +
                     bytes_text(together) + " on " + estimate.host;
  if (estimate.free_bytes > 0) {
    text += ", which had " + bytes_text(estimate.free_bytes) + " free";
  }
  text += "\n";
  if (const std::uint64_t device = std::ranges::max(estimate.device_bytes); device > 0) {
    text += "  GPU memory     " + bytes_text(device) + " on the fullest GPU\n";
  }
  return text;
}

}  // namespace

double RunEstimate::seconds_without_reports() const {
  return static_cast<double>(steps) * seconds_a_step +
         static_cast<double>(evaluations) * seconds_an_evaluation +
         static_cast<double>(checkpoints) * seconds_a_checkpoint + seconds_to_start;
}

double RunEstimate::seconds_reporting() const {
  const double all = static_cast<double>(reports) * seconds_a_report;
  const double share = kMostOfTheTimeReporting * seconds_without_reports();
  return std::min(all, std::max(seconds_a_report, share));
}

std::string estimate_text(const RunEstimate& estimate) {
  std::string text = estimate.run +
                     "\ntraining, evaluation, checkpoint and report work; the whole "
                     "run would take about\n";
  text += row("steps",
              formatted("%.3g s, %.0f images/s (of %lld)", estimate.seconds_a_step,
                        estimate.images_per_second, static_cast<long long>(estimate.steps_tried)),
              estimate.steps, static_cast<double>(estimate.steps) * estimate.seconds_a_step);
  if (estimate.evaluations > 0) {
    text +=
        row("evaluations",
            formatted("%.3g s (%s of %s pictures)", estimate.seconds_an_evaluation,
                      grouped(estimate.pictures_tried).c_str(), grouped(estimate.pictures).c_str()),
            estimate.evaluations,
            static_cast<double>(estimate.evaluations) * estimate.seconds_an_evaluation);
  }
  text += row("checkpoints",
              formatted("%.2g s, %s", estimate.seconds_a_checkpoint,
                        bytes_text(estimate.checkpoint_bytes).c_str()),
              estimate.checkpoints,
              static_cast<double>(estimate.checkpoints) * estimate.seconds_a_checkpoint);
  text += row("reports", formatted("%.2g s, at most 5%% of the time", estimate.seconds_a_report),
              estimate.reports, estimate.seconds_reporting());
  text += "  in all         " + format_duration(estimate.seconds()) + "\n" + memory_rows(estimate) +
          "  disk           " +
          bytes_text(estimate.checkpoint_bytes *
                     static_cast<std::uint64_t>(estimate.checkpoints_kept)) +
          " for checkpoints\n";
  return text;
}

std::string estimate_json(const RunEstimate& estimate) {
  const nlohmann::ordered_json all = {{"seconds", estimate.seconds()},
                                      {"steps", estimate.steps},
                                      {"seconds_a_step", estimate.seconds_a_step},
                                      {"images_per_second", estimate.images_per_second},
                                      {"evaluations", estimate.evaluations},
                                      {"seconds_an_evaluation", estimate.seconds_an_evaluation},
                                      {"checkpoints", estimate.checkpoints},
                                      {"seconds_a_checkpoint", estimate.seconds_a_checkpoint},
                                      {"checkpoint_bytes", estimate.checkpoint_bytes},
                                      {"checkpoints_kept", estimate.checkpoints_kept},
                                      {"reports", estimate.reports},
                                      {"seconds_a_report", estimate.seconds_a_report},
                                      {"seconds_to_start", estimate.seconds_to_start},
                                      {"ranks", estimate.ranks},
                                      {"peak_bytes", estimate.peak_bytes},
                                      {"device_bytes", estimate.device_bytes}};
  return all.dump() + "\n";
}

}  // namespace casvit::trainer
