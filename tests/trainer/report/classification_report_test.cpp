// The text and the averages of scikit-learn, from golden files (golden/README.md).

#include "trainer/report/classification_report.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

namespace casvit::trainer {
namespace {

using nlohmann::json;

json golden() {
  std::ifstream file("trainer/report/golden/classification_reports.json");
  return json::parse(file);
}

Evaluation evaluation_of(const json& one) {
  Evaluation evaluation;
  evaluation.classes = static_cast<int>(one.at("classes").size());
  evaluation.top_k = 1;
  evaluation.label = one.at("y_true").get<std::vector<std::int32_t>>();
  evaluation.top = one.at("y_pred").get<std::vector<std::int32_t>>();
  evaluation.sample.resize(evaluation.label.size());
  evaluation.probability.resize(evaluation.label.size());
  evaluation.loss.resize(evaluation.label.size());
  return evaluation;
}

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

void expect_bits(const json& hexadecimal, const Scores& scores) {
  const auto number = [&](std::size_t i) {
    return std::strtod(hexadecimal.at(i).get<std::string>().c_str(), nullptr);
  };
  EXPECT_EQ(bits(number(0)), bits(scores.precision));
  EXPECT_EQ(bits(number(1)), bits(scores.recall));
  EXPECT_EQ(bits(number(2)), bits(scores.f1));
}

TEST(ClassificationReport, EqualsScikitLearnCharacterForCharacterAndBitForBit) {
  const json cases = golden();
  ASSERT_GE(cases.size(), 10U);
  for (const json& one : cases) {
    SCOPED_TRACE(one.at("name").get<std::string>());
    const ClassScores scores = class_scores(ConfusionMatrix(evaluation_of(one)));
    EXPECT_EQ(classification_report(scores, one.at("classes").get<std::vector<std::string>>()),
              one.at("report").get<std::string>());
    expect_bits(one.at("macro"), scores.macro);
    expect_bits(one.at("weighted"), scores.weighted);
  }
}

TEST(ClassificationReport, UnknownLabelsAreLeftOut) {
  Evaluation evaluation = evaluation_of(golden().at(0));
  const std::vector<std::string> classes(12, "class");
  const std::string before =
      classification_report(class_scores(ConfusionMatrix(evaluation)), classes);
  evaluation.label.push_back(-1);
  evaluation.top.push_back(3);
  EXPECT_EQ(classification_report(class_scores(ConfusionMatrix(evaluation)), classes), before);
}

TEST(ClassificationReport, NothingKnownIsZeroEverywhere) {
  Evaluation evaluation;
  evaluation.classes = 3;
  evaluation.top_k = 1;
  const ClassScores scores = class_scores(ConfusionMatrix(evaluation));
  EXPECT_EQ(scores.accuracy, 0);
  EXPECT_EQ(scores.weighted.f1, 0);
}

}  // namespace
}  // namespace casvit::trainer
