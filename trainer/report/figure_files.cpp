#include "trainer/report/figure_files.h"

#include <algorithm>
#include <numeric>

#include "trainer/report/curves.h"
#include "trainer/report/progress.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

std::string bytes_text(double bytes) {
  constexpr double kMebibyte = 1024.0 * 1024;
  const double mebibytes = bytes / kMebibyte;
  return mebibytes < 1024 ? fixed(mebibytes, 1) + " MiB" : fixed(mebibytes / 1024, 2) + " GiB";
}

std::string samples_svg(const Figures& figures) {
  return figures.classes.size() <= kMostBars ? bar_figure_svg(samples_bars(figures))
                                             : charts_svg({samples_chart(figures)});
}

}  // namespace

BarFigure samples_bars(const Figures& figures) {
  BarFigure bars{"Samples per class", {}, {}};
  const auto& train = figures.input.train_counts;
  if (!train.empty()) bars.series.emplace_back("training");
  bars.series.emplace_back("evaluation");
  bars.rows.reserve(figures.classes.size());
  for (std::size_t c = 0; c < figures.classes.size(); ++c) {
    BarFigure::Row row{figures.classes[c], {}, {}};
    const auto add = [&](std::int64_t count) {
      row.values.push_back(static_cast<double>(count));
      row.texts.push_back(grouped(count));
    };
    if (!train.empty()) add(static_cast<std::int64_t>(train[c]));
    add(figures.matrix.support(static_cast<int>(c)));
    bars.rows.push_back(std::move(row));
  }
  return bars;
}

Chart samples_chart(const Figures& figures) {
  const auto& train = figures.input.train_counts;
  std::vector<std::size_t> order(figures.classes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto support = [&](std::size_t c) { return figures.matrix.support(static_cast<int>(c)); };
  const auto rank = [&](std::size_t c) {
    return train.empty() ? support(c) : static_cast<std::int64_t>(train[c]);
  };
  std::ranges::stable_sort(order, std::ranges::greater(), rank);
  Chart chart;
  chart.title = "Samples per class";
  chart.x_label = "classes, by falling number";
  chart.from_zero = true;
  ChartSeries training{"training", "main", {}, false};
  ChartSeries evaluation{"evaluation", "other", {}, false};
  // As many points as a curve can show.
  constexpr std::size_t kMostPoints = 400;
  const std::size_t stride = (order.size() + kMostPoints - 1) / kMostPoints;
  for (std::size_t i = 0; i < order.size(); i += stride) {
    const auto x = static_cast<double>(i + 1);
    if (!train.empty()) training.points.push_back({x, static_cast<double>(train[order[i]])});
    evaluation.points.push_back({x, static_cast<double>(support(order[i]))});
  }
  if (!train.empty()) chart.series.push_back(std::move(training));
  chart.series.push_back(std::move(evaluation));
  return chart;
}

BarFigure time_bars(const TimeBudget& time) {
  BarFigure bars{"Where the time went", {"time"}, {}};
  bars.rows.reserve(time.shares.size());
  for (const TimeShare& share : time.shares) {
    const std::string text =
        (share.seconds < 10 ? fixed(share.seconds, 1) + "s" : format_duration(share.seconds)) +
        ", " + fixed(100 * share.seconds / time.seconds, 1) + "%";
    bars.rows.push_back({share.name, {share.seconds}, {text}});
  }
  return bars;
}

BarFigure memory_bars(const Figures& figures) {
  BarFigure bars{"Memory of a rank", {"bytes"}, {}};
  bars.rows.reserve(figures.input.memory.size());
  for (const auto& [name, bytes] : figures.input.memory) {
    bars.rows.push_back({name, {bytes}, {bytes_text(bytes)}});
  }
  std::ranges::stable_sort(bars.rows, std::ranges::greater(),
                           [](const BarFigure::Row& row) { return row.values[0]; });
  return bars;
}

std::vector<FigureFile> figure_files(const Figures& figures) {
  std::vector<FigureFile> files;
  const History& history = figures.input.history;
  if (!history.steps.empty() || !history.epochs.empty()) {
    files.push_back({"curves", curves_svg(history)});
  }
  if (figures.matrix.samples() > 0) {
    files.push_back({"confusion_matrix", confusion_svg(figures)});
    files.push_back({"reliability", charts_svg(reliability_charts(figures.best().calibration))});
    files.push_back({"samples_per_class", samples_svg(figures)});
  }
  if (figures.time.seconds > 0) files.push_back({"time", bar_figure_svg(time_bars(figures.time))});
  return files;
}

}  // namespace casvit::trainer
