// Two models on the same pictures: counts, intervals, tables and the page's section.

#include "trainer/report/paired_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "made_up_run.h"
#include "markup.h"
#include "trainer/report/change_tables.h"
#include "trainer/report/figures.h"
#include "trainer/report/judgement_json.h"
#include "trainer/report/page.h"

namespace casvit::trainer {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Answers to six pictures, one without a label.
Evaluation answers(const std::vector<std::int32_t>& top, const std::vector<float>& probability) {
  Evaluation evaluation;
  evaluation.classes = 3;
  evaluation.top_k = 1;
  evaluation.sample = {10, 11, 12, 13, 14, 15};
  evaluation.label = {0, 0, 1, 2, 2, -1};
  evaluation.top = top;
  evaluation.probability = probability;
  evaluation.loss = {1, 1, 1, 1, 1, std::nan("")};
  return evaluation;
}

Evaluation own() { return answers({0, 0, 0, 1, 2, 0}, {0.9F, 0.8F, 0.7F, 0.6F, 0.5F, 0.4F}); }
Evaluation other() { return answers({1, 1, 1, 2, 2, 1}, {0.3F, 0.5F, 0.7F, 0.9F, 0.8F, 0.6F}); }

TEST(PairedComparison, CountsWhatChanged) {
  const PairedComparison paired = paired_comparison(own(), other());
  EXPECT_EQ(paired.answers.only_first, 2);
  EXPECT_EQ(paired.answers.only_second, 2);
  EXPECT_EQ(paired.own.accuracy.correct1, 3);
  EXPECT_EQ(paired.other.accuracy.correct1, 3);
  EXPECT_EQ(paired.gained, (std::vector<std::size_t>{1, 0})) << "the other surest of 1";
  EXPECT_EQ(paired.lost, (std::vector<std::size_t>{2, 3})) << "the model surest of 2";
  ASSERT_EQ(paired.classes.size(), 3U);
  EXPECT_EQ(paired.classes[0].support, 2);
  EXPECT_EQ(paired.classes[0].gained, 2);
  EXPECT_EQ(paired.classes[1].lost, 1);
  EXPECT_EQ(paired.classes[2].both, 1);
  EXPECT_EQ(paired.classes[2].right(), 1);
  EXPECT_EQ(paired.classes[2].right_by_other(), 2);
}

TEST(PairedComparison, AModelDoesNotDifferFromItself) {
  const Evaluation one = made_up_evaluation(12, 500, 0.8, 3);
  const PairedComparison paired = paired_comparison(one, one);
  EXPECT_EQ(paired.difference.acc1.low, 0);
  EXPECT_EQ(paired.difference.acc1.high, 0);
  EXPECT_EQ(paired.answers.p_value, 1);
  EXPECT_GT(paired.own.intervals.acc1.high, paired.own.intervals.acc1.low);
  EXPECT_TRUE(paired.gained.empty() && paired.lost.empty());
}

TEST(PairedComparison, TheIntervalIsThatOfPairedDifferences) {
  // Normal approximation of the mean of n values in {-1, 0, 1}; unpaired it would be wider.
  const Evaluation first = made_up_evaluation(12, 4000, 0.9, 1);
  const Evaluation second = made_up_evaluation(12, 4000, 0.85, 2);
  const PairedComparison paired = paired_comparison(first, second);
  const double gained = static_cast<double>(paired.answers.only_first) / 4000;
  const double lost = static_cast<double>(paired.answers.only_second) / 4000;
  const double mean = gained - lost;
  const double half = 196 * std::sqrt((gained + lost - mean * mean) / 4000);
  EXPECT_NEAR(paired.difference.acc1.low, 100 * mean - half, 0.1 * half);
  EXPECT_NEAR(paired.difference.acc1.high, 100 * mean + half, 0.1 * half);
}

TEST(PairedComparison, EachModelKeepsTheIntervalThatItHasAlone) {
  const Evaluation first = made_up_evaluation(5, 300, 0.9, 1);
  const Evaluation second = made_up_evaluation(5, 300, 0.7, 2);
  const PairedComparison paired = paired_comparison(first, second);
  EXPECT_EQ(paired.other.intervals.macro_f1.low, bootstrap_intervals({&second})[0].macro_f1.low);
}

TEST(PairedComparison, OtherPicturesAreADefect) {
  Evaluation moved = other();
  moved.sample[0] = 99;
  EXPECT_THROW(paired_comparison(own(), moved), std::logic_error);
  Evaluation relabelled = other();
  relabelled.label[0] = 2;
  EXPECT_THROW(paired_comparison(own(), relabelled), std::logic_error);
}

ReportInput compared_report() {
  ReportInput input;
  input.title = "compared";
  input.classes = {"a", "b", "c,d"};
  input.model = own();
  input.path = [](std::uint64_t sample) { return "p/" + std::to_string(sample) + ".jpg"; };
  input.against = Opponent{"new.safetensors", "old.safetensors", other()};
  return input;
}

TEST(PairedTables, NameEveryChangedPictureAndClass) {
  const ReportInput input = compared_report();
  const Figures figures(input);
  EXPECT_EQ(changed_pictures_csv(figures),
            "path,label,change,answer,probability,other_answer,other_probability\n"
            "p/11.jpg,a,gained,a,0.8,b,0.5\n"
            "p/10.jpg,a,gained,a,0.9,b,0.3\n"
            "p/12.jpg,b,lost,a,0.7,b,0.7\n"
            "p/13.jpg,\"c,d\",lost,b,0.6,\"c,d\",0.9\n");
  EXPECT_EQ(class_changes_csv(figures),
            "class,support,right,other_right,gained,lost\n"
            "a,2,2,0,2,0\nb,1,0,1,0,1\n\"c,d\",2,1,2,0,1\n");
}

TEST(PairedJson, HasBothAndTheirDifference) {
  const auto json = paired_json(paired_comparison(own(), other()), {"a", "b", "c"});
  EXPECT_EQ(json["own"]["acc1"], 60);
  EXPECT_EQ(json["other"]["correct1"], 3);
  EXPECT_EQ(json["difference"]["acc1"], 0);
  EXPECT_EQ(json["difference"]["acc1_interval"].size(), 2U);
  EXPECT_EQ(json["only_own_right"], 2);
  EXPECT_EQ(json["mcnemar_p"], 1);
  EXPECT_EQ(json["per_class"]["c"]["other_right"], 2);
}

TEST(AgainstSection, IsThereWhereThereIsSomethingToCompare) {
  ReportInput input = compared_report();
  const std::string page = report_page(Figures(input));
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, HasSubstr("Against another model"));
  EXPECT_THAT(page, HasSubstr("<dd>old.safetensors</dd>"));
  EXPECT_THAT(page, HasSubstr("Right by this alone (2)"));
  EXPECT_THAT(page, HasSubstr("no more than chance explains (p = 1.0000"));
  input.against.reset();
  EXPECT_THAT(report_page(Figures(input)), Not(HasSubstr("Against another model")));
}

TEST(AgainstSection, StaysSmallAndUnbroken) {
  ReportInput input = made_up_report();
  input.ema.reset();
  input.classes.clear();
  input.train_counts.clear();
  const std::string hostile = "</script><script>alert(1)</script>\"'&\xff";
  for (int c = 0; c < 1000; ++c) input.classes.push_back(hostile + std::to_string(c));
  input.model = made_up_evaluation(1000, 20000, 0.6, 1);
  input.against = Opponent{hostile, hostile, made_up_evaluation(1000, 20000, 0.5, 2)};
  input.thumbnail = [](std::uint64_t) {
    return Thumbnail{"image/jpeg", std::string(40000, '\xd8'), ""};
  };
  const std::string page = report_page(Figures(input));
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_LT(page.size(), 6'000'000U);
  EXPECT_THAT(page, HasSubstr("class_changes.csv has all"));
  EXPECT_THAT(page, HasSubstr("changed_pictures.csv has all"));
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
}

TEST(AgainstSection, NothingKnownIsSaid) {
  ReportInput input = compared_report();
  input.model.label.assign(6, -1);
  input.against->evaluation.label.assign(6, -1);
  EXPECT_THAT(report_page(Figures(input)), HasSubstr("there is nothing to compare"));
}

}  // namespace
}  // namespace casvit::trainer
