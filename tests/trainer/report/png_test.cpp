// Figures are drawn as PNG by librsvg, in the size that their SVG says.

#include "trainer/report/png.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "made_up_run.h"
#include "markup.h"
#include "trainer/report/figure_files.h"

namespace casvit::trainer {
namespace {

/// Big-endian, as PNG has its numbers.
unsigned number_at(const std::string& bytes, std::size_t at) {
  unsigned value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes.at(i));
  }
  return value;
}

TEST(Png, HasTheSizeOfTheDrawingTimesTheScale) {
  const PngRenderer renderer;
  const std::string png = renderer.render(
      "<svg xmlns='http://www.w3.org/2000/svg' width='30' height='20'><rect width='9' height='9'/>"
      "</svg>",
      3);
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  EXPECT_EQ(number_at(png, 16), 90U);
  EXPECT_EQ(number_at(png, 20), 60U);
}

TEST(Png, EveryFigureIsDrawn) {
  const ReportInput input = made_up_report();
  const Figures figures(input);
  const std::vector<FigureFile> files = figure_files(figures);
  ASSERT_EQ(files.size(), 5U);
  const PngRenderer renderer;
  for (const FigureFile& file : files) {
    EXPECT_EQ(markup_problem(file.svg), "") << file.name;
    EXPECT_GT(renderer.render(file.svg).size(), 10000U) << file.name;
  }
}

TEST(Png, FiguresOfManyClassesAreDrawnInPart) {
  ReportInput input = made_up_report();
  input.classes.clear();
  input.train_counts.assign(400, 7);
  input.model = made_up_evaluation(400, 3000, 0.6, 1);
  input.ema.reset();
  const Figures figures(input);
  for (const FigureFile& file : figure_files(figures)) {
    EXPECT_EQ(markup_problem(file.svg), "") << file.name;
    EXPECT_LT(file.svg.size(), 300000U) << file.name;
  }
}

TEST(Png, WhatIsNoDrawingIsRefused) {
  const PngRenderer renderer;
  EXPECT_THROW(renderer.render("no drawing"), DrawingError);
  EXPECT_THROW(renderer.render(""), DrawingError);
}

}  // namespace
}  // namespace casvit::trainer
