#pragma once

#include <string>
#include <vector>

#include "trainer/report/bar_figure.h"
#include "trainer/report/chart.h"
#include "trainer/report/confusion.h"
#include "trainer/report/figures.h"

namespace casvit::trainer {

/// A figure that has files of its own.
struct FigureFile {
  std::string name;  ///< without .svg and .png
  std::string svg;
};

/// curves, confusion_matrix, reliability, samples_per_class and time: those that have something to
/// show.
std::vector<FigureFile> figure_files(const Figures& figures);

/// More classes than these are drawn as curves instead of bars.
constexpr std::size_t kMostBars = 30;

/// Pictures of each class, for evaluation and, where that is known, for training.
BarFigure samples_bars(const Figures& figures);
/// The same for many classes: counts by falling number of training pictures.
Chart samples_chart(const Figures& figures);

BarFigure time_bars(const TimeBudget& time);
BarFigure memory_bars(const Figures& figures);

/// The confusion matrix as an SVG file: counts, coloured by their share of the row.
std::string confusion_svg(const Figures& figures);
/// @param classes names
std::string confusion_svg(const ConfusionMatrix& matrix, const std::vector<std::string>& classes);

}  // namespace casvit::trainer
