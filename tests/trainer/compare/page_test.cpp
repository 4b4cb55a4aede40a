// The page of runs side by side: curves of every run, told apart, and nothing that names can break.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "run_folders.h"
#include "tests/trainer/report/made_up_run.h"
#include "tests/trainer/report/markup.h"
#include "trainer/compare/comparison_charts.h"
#include "trainer/compare/run_comparison.h"
#include "trainer/compare/run_tones.h"

namespace casvit::trainer {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

/// So many runs, each an epoch longer than the one before.
RunComparison made_up_comparison(int runs, int epochs = 3, int steps_per_epoch = 20) {
  RunComparison comparison;
  for (int i = 0; i < runs; ++i) {
    RunRecord run;
    run.folder = "runs/" + std::to_string(i);
    run.history = made_up_history(epochs + i, steps_per_epoch);
    comparison.summaries.push_back(summarize(run, "run " + std::to_string(i)));
    comparison.runs.push_back(std::move(run));
  }
  comparison.differences = {{"train.epochs", {}}};
  for (int i = 0; i < runs; ++i) {
    comparison.differences[0].values.emplace_back(std::to_string(epochs + i));
  }
  return comparison;
}

TEST(ComparisonCharts, HaveEveryRunByStepAndByEpoch) {
  const RunComparison comparison = made_up_comparison(3);
  const std::vector<Chart> by_steps = comparison_charts(comparison, Progression::kSteps);
  const std::vector<Chart> by_epochs = comparison_charts(comparison, Progression::kEpochs);
  ASSERT_EQ(by_steps.size(), 5U);
  ASSERT_EQ(by_epochs.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    ASSERT_EQ(by_steps[i].series.size(), 3U) << by_steps[i].title;
    EXPECT_EQ(by_steps[i].x_label, "steps");
    EXPECT_EQ(by_steps[i].series[2].points.back().x, 100) << "five epochs of twenty steps";
    EXPECT_EQ(by_epochs[i].series[2].points.back().x, 5);
    EXPECT_EQ(by_steps[i].series[2].label, "3");
  }
  EXPECT_EQ(by_steps[2].title, "Top-1 accuracy");
  EXPECT_EQ(by_steps[2].series[0].points.back().y,
            comparison.runs[0].history.epochs.back().ema_acc1);
}

TEST(ComparisonCharts, TakeTheModelWhereThereIsNoEma) {
  RunComparison comparison = made_up_comparison(1);
  for (EpochMetrics& epoch : comparison.runs[0].history.epochs) epoch.ema_acc1.reset();
  const Chart chart = comparison_charts(comparison, Progression::kSteps)[2];
  EXPECT_EQ(chart.series[0].points.back().y, comparison.runs[0].history.epochs.back().model_acc1);
}

TEST(ComparisonCharts, RunsWithoutSomethingAreLeftOutOfItAlone) {
  RunComparison comparison = made_up_comparison(2);
  comparison.runs[0].history.epochs.clear();
  EXPECT_EQ(comparison_charts(comparison, Progression::kSteps)[0].series.size(), 2U);
  EXPECT_EQ(comparison_charts(comparison, Progression::kSteps)[1].series.size(), 1U);
  const Chart by_epochs = comparison_charts(comparison, Progression::kEpochs)[0];
  ASSERT_EQ(by_epochs.series.size(), 1U);
  EXPECT_EQ(by_epochs.series[0].label, "2") << "a run keeps its number and tone";
  EXPECT_EQ(by_epochs.series[0].tone, run_tone(1));
}

TEST(ComparisonCharts, VeryManyEvaluationsAreThinnedAndTheLastIsKept) {
  const RunComparison comparison = made_up_comparison(1, 1000, 1);
  const Chart chart = comparison_charts(comparison, Progression::kEpochs)[2];
  EXPECT_LE(chart.series[0].points.size(), 300U);
  EXPECT_EQ(chart.series[0].points.back().x, 1000);
}

TEST(RunTones, TwelveAreDifferentAndAllHaveAStyle) {
  std::set<std::string> tones;
  for (std::size_t i = 0; i < kMostRunsDrawn; ++i) {
    tones.insert(run_tone(i));
    const std::string colour = run_tone(i).substr(0, run_tone(i).find(' '));
    EXPECT_EQ(count(run_tones_style(), ".cv-line.cv-" + colour + "{"), 2U) << "light and dark";
  }
  EXPECT_EQ(tones.size(), kMostRunsDrawn);
  EXPECT_THAT(run_tones_style(), HasSubstr(".cv-dashed{"));
}

TEST(ComparisonPage, HasTableCurvesAndDifferences) {
  const std::string page = comparison_page(made_up_comparison(2));
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_EQ(count(page, "<figure class='plot'"), 10U);
  EXPECT_THAT(page, HasSubstr("<th scope='row'>train.<wbr>epochs</th><td>3</td><td>4</td>"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, Not(HasSubstr("https://")));
}

TEST(ComparisonPage, RunsBeyondTwelveAreInTheTableAlone) {
  const std::string page = comparison_page(made_up_comparison(14));
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, HasSubstr("Of the first 12 of 14 runs."));
  EXPECT_THAT(page, HasSubstr("run 13</th>"));
  EXPECT_THAT(page, Not(HasSubstr("run7")));
}

TEST(ComparisonPage, TwelveLongRunsStaySmall) {
  EXPECT_LT(comparison_page(made_up_comparison(12, 300, 20)).size(), 3'000'000U);
}

TEST(ComparisonPage, RunsWithoutAnythingBreakNothing) {
  RunComparison comparison = made_up_comparison(2);
  for (RunRecord& run : comparison.runs) run.history = {};
  for (RunSummary& run : comparison.summaries) {
    RunSummary bare;
    bare.name = run.name;
    run = bare;
  }
  comparison.differences.clear();
  const std::string page = comparison_page(comparison);
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, Not(HasSubstr("Curves</h2>")));
  EXPECT_THAT(page, HasSubstr("Nothing that is known."));
}

TEST(ComparisonPage, HostileNamesRunNothingAndBreakNothing) {
  for (const std::string hostile :
       {"</script><script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "\xff\xfe\x80",
        "</style></svg>", "a\nb\rc"}) {
    RunComparison comparison = made_up_comparison(2);
    for (RunSummary& run : comparison.summaries) run.name = hostile;
    comparison.notes = {hostile};
    comparison.differences = {{hostile, {hostile, std::nullopt}}};
    const std::string page = comparison_page(comparison);
    EXPECT_EQ(count(page, "<script"), 1U);
    EXPECT_THAT(page, Not(HasSubstr("<img src=x")));
    EXPECT_EQ(markup_problem(page), "") << hostile;
  }
}

}  // namespace
}  // namespace casvit::trainer
