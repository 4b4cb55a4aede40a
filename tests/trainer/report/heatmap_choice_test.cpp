// Which pictures the report looks into.

#include "trainer/report/heatmap_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace casvit::trainer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Answer {
  std::int32_t label, answered;
  float confidence;
};

Evaluation evaluation_of(const std::vector<Answer>& answers) {
  Evaluation evaluation;
  evaluation.classes = 4;
  evaluation.top_k = 2;
  for (const Answer& one : answers) {
    evaluation.sample.push_back(100 + evaluation.sample.size());
    evaluation.label.push_back(one.label);
    evaluation.top.insert(evaluation.top.end(), {one.answered, (one.answered + 1) % 4});
    evaluation.probability.insert(evaluation.probability.end(), {one.confidence, 0});
    evaluation.loss.push_back(1);
  }
  return evaluation;
}

TEST(HeatmapChoice, TakesTheSurestMistakesThenTheSurestRightAnswers) {
  const Evaluation evaluation =
      evaluation_of({{0, 0, 0.9F}, {1, 2, 0.6F}, {2, 2, 0.95F}, {1, 3, 0.8F}, {3, 3, 0.7F}});
  EXPECT_THAT(choose_for_heatmaps(evaluation, 2, 2), ElementsAre(3, 1, 2, 0));
}

TEST(HeatmapChoice, EveryKindHasItsTurnBeforeOneComesAgain) {
  const Evaluation evaluation = evaluation_of(
      {{0, 1, 0.9F}, {0, 1, 0.8F}, {1, 0, 0.3F}, {2, 2, 0.9F}, {2, 2, 0.8F}, {3, 3, 0.3F}});
  EXPECT_THAT(choose_for_heatmaps(evaluation, 2, 2), ElementsAre(0, 2, 3, 5));
  EXPECT_THAT(choose_for_heatmaps(evaluation, 3, 3), ElementsAre(0, 2, 1, 3, 5, 4));
}

TEST(HeatmapChoice, EqualConfidenceGoesByTheOrderOfTheData) {
  const Evaluation evaluation =
      evaluation_of({{0, 1, 0.5F}, {1, 2, 0.5F}, {2, 3, 0.5F}, {3, 3, 1.0F}});
  EXPECT_THAT(choose_for_heatmaps(evaluation, 2, 1), ElementsAre(0, 1, 3));
}

TEST(HeatmapChoice, OneSortFillsThePlacesOfTheOther) {
  const std::vector<Answer> right{{0, 0, 0.9F}, {1, 1, 0.8F}, {2, 2, 0.7F}};
  EXPECT_THAT(choose_for_heatmaps(evaluation_of(right), 2, 1), ElementsAre(0, 1, 2));
  EXPECT_THAT(choose_for_heatmaps(evaluation_of({{0, 1, 0.9F}, {1, 0, 0.8F}}), 1, 1),
              ElementsAre(0, 1));
  EXPECT_THAT(choose_for_heatmaps(evaluation_of({}), 4, 2), IsEmpty());
}

TEST(HeatmapChoice, LeavesOutUnknownLabelsAndAnswersThatAreNoNumbers) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(choose_for_heatmaps(evaluation_of({{-1, 0, 0.9F}, {0, 1, nan}, {2, 2, 0.1F}}), 4, 2),
              ElementsAre(2));
}

}  // namespace
}  // namespace casvit::trainer
