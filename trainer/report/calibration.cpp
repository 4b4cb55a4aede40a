#include "trainer/report/calibration.h"

#include <algorithm>
#include <cmath>

#include "trainer/report/text.h"

namespace casvit::trainer {

Calibration calibration_of(const Evaluation& evaluation, int bins) {
  Calibration calibration;
  calibration.bins.reserve(static_cast<std::size_t>(bins));
  for (int b = 0; b < bins; ++b) {
    calibration.bins.push_back({static_cast<double>(b) / bins, (b + 1.0) / bins, 0, 0, 0});
  }
  const auto top_k = static_cast<std::size_t>(evaluation.top_k);
  std::int64_t samples = 0;
  for (std::size_t i = 0; i < evaluation.label.size(); ++i) {
    if (evaluation.label[i] < 0) continue;
    const auto confidence = static_cast<double>(evaluation.probability[i * top_k]);
    if (!std::isfinite(confidence)) continue;
    const auto bin = std::ranges::find_if(
        calibration.bins, [&](const CalibrationBin& one) { return confidence <= one.high; });
    CalibrationBin& chosen = bin == calibration.bins.end() ? calibration.bins.back() : *bin;
    ++chosen.count;
    chosen.confidence += confidence;
    if (evaluation.top[i * top_k] == evaluation.label[i]) chosen.accuracy += 1;
    ++samples;
  }
  for (CalibrationBin& bin : calibration.bins) {
    if (bin.count == 0) continue;
    calibration.ece += std::fabs(bin.accuracy - bin.confidence) / static_cast<double>(samples);
    bin.confidence /= static_cast<double>(bin.count);
    bin.accuracy /= static_cast<double>(bin.count);
  }
  return calibration;
}

std::vector<Chart> reliability_charts(const Calibration& calibration) {
  Chart accuracy{.title = "Accuracy by confidence",
                 .x_label = "confidence, %",
                 .series = {},
                 .band = {},
                 .from_zero = true,
                 .unit = "%"};
  accuracy.y_high = 100;
  ChartSeries measured{"measured", "main", {}, true};
  Chart counts = accuracy;
  counts.title = "Answers by confidence";
  counts.unit = "";
  counts.y_high.reset();
  ChartSeries answers{"answers", "other", {}, false};
  answers.line = false;
  for (const CalibrationBin& bin : calibration.bins) {
    const double middle = 50 * (bin.low + bin.high);
    counts.bars.push_back({100 * bin.low, 100 * bin.high, static_cast<double>(bin.count)});
    answers.points.push_back({middle, static_cast<double>(bin.count)});
    if (bin.count == 0) continue;
    accuracy.bars.push_back({100 * bin.low, 100 * bin.high, 100 * bin.accuracy});
    measured.points.push_back({100 * bin.confidence, 100 * bin.accuracy});
  }
  accuracy.series = {{"ideal", "other", {{0, 0}, {100, 100}}, false}, std::move(measured)};
  counts.series = {std::move(answers)};
  return {std::move(accuracy), std::move(counts)};
}

std::string calibration_csv(const Calibration& calibration) {
  std::string out = "low,high,count,confidence,accuracy\n";
  for (const CalibrationBin& bin : calibration.bins) {
    out += shortest(bin.low) + ',' + shortest(bin.high) + ',' + std::to_string(bin.count) + ',' +
           shortest(bin.confidence) + ',' + shortest(bin.accuracy) + '\n';
  }
  return out;
}

}  // namespace casvit::trainer
