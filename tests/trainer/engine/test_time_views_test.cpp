// Test-time augmentation: which views a list names, and what several views of a picture say.

#include "trainer/engine/test_time_views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "trainer/engine/judge.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using dataio::EvalView;
using Place = dataio::EvalView::Place;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(TestTimeViews, ListsMultiply) {
  EXPECT_TRUE(test_time_views("").empty());
  EXPECT_EQ(test_time_views("hflip"),
            (std::vector<EvalView>{{Place::kCentre, false, false}, {Place::kCentre, true, false}}));
  EXPECT_EQ(test_time_views("vflip")[1], (EvalView{Place::kCentre, false, true}));
  EXPECT_EQ(test_time_views("hflip,vflip").size(), 4U);
  EXPECT_EQ(test_time_views("five-crop").size(), 5U);
  EXPECT_EQ(test_time_views("five-crop,hflip,vflip").size(), 20U);
}

TEST(TestTimeViews, TenCropIsTorchvisions) {
  // ten_crop: the five of the picture, then the five of its mirror image.
  const std::vector<EvalView> ten = test_time_views("hflip,five-crop");
  ASSERT_EQ(ten.size(), 10U);
  EXPECT_EQ(ten, test_time_views("five-crop,hflip")) << "the order of the words is of no account";
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(ten[i].mirrored, i >= 5);
}

TEST(TestTimeViews, MistakesAreNamed) {
  for (const char* list : {"ten-crop", "hflip,", ",", "hflip,rotate", "HFLIP"}) {
    EXPECT_THAT([&] { test_time_views(list); },
                ThrowsMessage<ConfigError>(HasSubstr("is none of hflip, vflip, five-crop")))
        << list;
  }
  EXPECT_THAT([] { test_time_views("hflip,hflip"); },
              ThrowsMessage<ConfigError>(HasSubstr("hflip is there twice")));
}

Evaluation of_three_classes() {
  Evaluation evaluation;
  evaluation.classes = 3;
  evaluation.top_k = 2;
  return evaluation;
}

TEST(JudgeViews, TheMeanOfProbabilitiesCounts) {
  // Softmax of log p is p: views that say (0.6, 0.3, 0.1) and (0.1, 0.8, 0.1).
  std::vector<float> logits;
  for (const double p : {0.6, 0.3, 0.1, 0.1, 0.8, 0.1}) {
    logits.push_back(static_cast<float>(std::log(p)) + 5);
  }
  Evaluation evaluation = of_three_classes();
  judge_views(logits.data(), 2, 7, 0, evaluation);
  EXPECT_EQ(evaluation.sample, (std::vector<std::uint64_t>{7}));
  EXPECT_EQ(evaluation.top, (std::vector<std::int32_t>{1, 0}));
  EXPECT_NEAR(evaluation.probability[0], 0.55, 1e-6);
  EXPECT_NEAR(evaluation.probability[1], 0.35, 1e-6);
  EXPECT_NEAR(evaluation.loss[0], -std::log(0.35), 1e-6);
}

TEST(JudgeViews, OneViewSaysWhatItsLogitsSay) {
  const std::vector<float> logits{0.3F, -1.5F, 2.25F};
  Evaluation views = of_three_classes();
  Evaluation plain = of_three_classes();
  judge_views(logits.data(), 1, 0, 1, views);
  judge(logits.data(), 0, 1, plain);
  EXPECT_EQ(views.top, plain.top);
  EXPECT_EQ(views.probability, plain.probability);
  EXPECT_NEAR(views.loss[0], plain.loss[0], 1e-12);
}

TEST(JudgeViews, ImprobableIsNotImpossible) {
  const std::vector<float> logits{2000, 0, 0, 2000, 0, 0};  // exp(-2000) is 0 in float64
  Evaluation evaluation = of_three_classes();
  judge_views(logits.data(), 2, 0, 1, evaluation);
  EXPECT_NEAR(evaluation.loss[0], 2000, 1e-9);
  judge_views(logits.data(), 2, 1, -1, evaluation);
  EXPECT_TRUE(std::isnan(evaluation.loss[1])) << "no label";
}

}  // namespace
}  // namespace casvit::trainer
