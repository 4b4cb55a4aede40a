#include "trainer/engine/schedule_plot.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "trainer/engine/options_from_config.h"
#include "trainer/optim/ema.h"
#include "trainer/report/chart.h"

namespace casvit::trainer {
namespace {

constexpr std::int64_t kPoints = 480;  ///< a pixel each

bool mixes(const Config& config) {
  const auto& mixup = config.mixup;
  return mixup.prob > 0 && (mixup.mixup_alpha > 0 || mixup.cutmix_alpha > 0 || mixup.cutmix_minmax);
}

}  // namespace

std::string schedule_svg(const Config& config, const dataio::StepTable& steps) {
  const TrainingSchedule schedule = schedule_of(config, steps);
  const std::int64_t total = schedule.total_steps();
  const auto chart = [&](const std::string& title,
                         const std::function<double(std::int64_t)>& value) {
    ChartSeries line{title, "main", {}, false};
    const std::int64_t points = std::min(total, kPoints);
    for (std::int64_t i = 0; i < points; ++i) {
      const std::int64_t step = points == 1 ? 0 : i * (total - 1) / (points - 1);
      const double epoch =
          static_cast<double>(step) * config.train.epochs / static_cast<double>(total);
      line.points.push_back({epoch, value(step)});
    }
    Chart result;
    result.title = title;
    result.x_label = "epochs";
    result.series = {line};
    result.from_zero = true;
    return result;
  };
  std::vector<Chart> charts{
      chart("Learning rate", [&](std::int64_t step) { return schedule.at(step).learning_rate; }),
      chart("Weight decay", [&](std::int64_t step) { return schedule.at(step).weight_decay; })};
  if (config.model.drop_path > 0) {
    charts.push_back(chart("Drop path, last block", [&](std::int64_t step) {
      return config.model.drop_path * schedule.at(step).drop_path_factor;
    }));
  }
  if (config.ema.decay > 0) {
    charts.push_back(chart("Decay of the EMA", [&](std::int64_t step) {
      return ema_decay({config.ema.decay, config.ema.warmup}, step);
    }));
  }
  if (mixes(config)) {
    charts.push_back(chart("Probability of mixing", [&](std::int64_t step) {
      const bool over =
          config.mixup.off_epoch > 0 && steps.epoch_of(step) >= config.mixup.off_epoch;
      return over ? 0 : config.mixup.prob;
    }));
  }
  return charts_svg(charts);
}

}  // namespace casvit::trainer
