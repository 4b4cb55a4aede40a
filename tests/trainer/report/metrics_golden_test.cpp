// Accuracies, averages, calibration, log loss, intervals and the exact test agree with numpy, scipy
// and scikit-learn, from golden files (golden/README.md).

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "trainer/report/bootstrap.h"
#include "trainer/report/calibration.h"
#include "trainer/report/comparison.h"
#include "trainer/report/confusion.h"

namespace casvit::trainer {
namespace {

using nlohmann::json;

constexpr double kTolerance = 1e-6;

const json& golden() {
  static const json all = json::parse(std::ifstream("trainer/report/golden/metrics.json"));
  return all;
}

Evaluation evaluation_of(const json& one, std::size_t model) {
  const json& answers = one.at("models").at(model);
  Evaluation evaluation;
  evaluation.classes = one.at("classes");
  evaluation.top_k = std::min(5, evaluation.classes);
  evaluation.label = one.at("label").get<std::vector<std::int32_t>>();
  evaluation.top = answers.at("top").get<std::vector<std::int32_t>>();
  evaluation.probability = answers.at("probability").get<std::vector<float>>();
  evaluation.loss = answers.at("loss").get<std::vector<double>>();
  for (std::size_t i = 0; i < evaluation.label.size(); ++i) evaluation.sample.push_back(i);
  return evaluation;
}

/// Calls `check(answers of the golden file, evaluation)` for both models of every case.
template <typename Check>
void for_each_evaluation(Check check) {
  ASSERT_GE(golden().at("cases").size(), 6U);
  for (const json& one : golden().at("cases")) {
    for (const std::size_t model : {0U, 1U}) {
      SCOPED_TRACE(one.at("name").get<std::string>() + ", model " + std::to_string(model));
      check(one.at("models").at(model), evaluation_of(one, model));
    }
  }
}

void expect_scores(const json& expected, const Scores& scores) {
  EXPECT_NEAR(expected.at(0), scores.precision, kTolerance);
  EXPECT_NEAR(expected.at(1), scores.recall, kTolerance);
  EXPECT_NEAR(expected.at(2), scores.f1, kTolerance);
}

TEST(MetricsGolden, AccuraciesAndLogLoss) {
  for_each_evaluation([](const json& expected, const Evaluation& evaluation) {
    const Accuracy accuracy = accuracy_of(evaluation);
    EXPECT_NEAR(expected.at("acc1"), accuracy.acc1(), kTolerance);
    EXPECT_NEAR(expected.at("acc5"), accuracy.acc5(), kTolerance);
    EXPECT_NEAR(expected.at("log_loss"), accuracy.loss, kTolerance);
  });
}

TEST(MetricsGolden, MacroMicroAndWeightedAverages) {
  for_each_evaluation([](const json& expected, const Evaluation& evaluation) {
    const ClassScores scores = class_scores(ConfusionMatrix(evaluation));
    expect_scores(expected.at("averages").at("macro"), scores.macro);
    expect_scores(expected.at("averages").at("micro"), scores.micro);
    expect_scores(expected.at("averages").at("weighted"), scores.weighted);
  });
}

TEST(MetricsGolden, CalibrationBinByBin) {
  for_each_evaluation([](const json& expected, const Evaluation& evaluation) {
    const Calibration calibration = calibration_of(evaluation);
    EXPECT_NEAR(expected.at("ece"), calibration.ece, kTolerance);
    ASSERT_EQ(calibration.bins.size(), 15U);
    for (std::size_t b = 0; b < 15; ++b) {
      const json& bin = expected.at("bins").at(b);
      EXPECT_EQ(bin.at(0), calibration.bins[b].count);
      EXPECT_NEAR(bin.at(1), calibration.bins[b].confidence, kTolerance);
      EXPECT_NEAR(bin.at(2), calibration.bins[b].accuracy, kTolerance);
    }
  });
}

TEST(MetricsGolden, BootstrapIntervalsAreNumpysOfTheSameResamples) {
  for (const json& one : golden().at("cases")) {
    SCOPED_TRACE(one.at("name").get<std::string>());
    const Evaluation first = evaluation_of(one, 0);
    const Evaluation second = evaluation_of(one, 1);
    const auto intervals = bootstrap_intervals({&first, &second});
    for (const std::size_t model : {0U, 1U}) {
      const json& expected = one.at("models").at(model).at("intervals");
      const auto expect = [&](const char* name, const Interval& interval) {
        EXPECT_NEAR(expected.at(name).at(0), interval.low, kTolerance) << name;
        EXPECT_NEAR(expected.at(name).at(1), interval.high, kTolerance) << name;
      };
      expect("acc1", intervals[model].acc1);
      expect("acc5", intervals[model].acc5);
      expect("macro_f1", intervals[model].macro_f1);
    }
  }
}

TEST(MetricsGolden, ExactTestIsScipys) {
  for (const json& one : golden().at("cases")) {
    SCOPED_TRACE(one.at("name").get<std::string>());
    const Comparison comparison = compare_answers(evaluation_of(one, 0), evaluation_of(one, 1));
    EXPECT_EQ(one.at("only_first"), comparison.only_first);
    EXPECT_EQ(one.at("only_second"), comparison.only_second);
    EXPECT_NEAR(one.at("p_value"), comparison.p_value, kTolerance);
  }
  for (const auto& [pair, p_value] : golden().at("sign_tests").items()) {
    const std::size_t comma = pair.find(',');
    const auto a = std::stoll(pair.substr(0, comma));
    const auto b = std::stoll(pair.substr(comma + 1));
    EXPECT_NEAR(p_value, exact_sign_test(a, b), kTolerance) << pair;
    EXPECT_EQ(exact_sign_test(a, b), exact_sign_test(b, a));
  }
}

}  // namespace
}  // namespace casvit::trainer
