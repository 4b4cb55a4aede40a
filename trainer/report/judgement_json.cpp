#include "trainer/report/judgement_json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

using Json = nlohmann::ordered_json;

/// A number, or null where it is not finite: JSON has no other way.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json interval_json(const Interval& interval) { return {interval.low, interval.high}; }

}  // namespace

Json judgement_json(const Judgement& judgement) {
  const Accuracy& accuracy = judgement.accuracy;
  return {{"acc1", number(accuracy.acc1())},
          {"acc5", number(accuracy.acc5())},
          {"loss", number(accuracy.loss)},
          {"samples", accuracy.samples},
          {"correct1", accuracy.correct1},
          {"correct5", accuracy.correct5},
          {"acc1_interval", interval_json(judgement.intervals.acc1)},
          {"acc5_interval", interval_json(judgement.intervals.acc5)},
          {"macro_f1", judgement.macro_f1},
          {"macro_f1_interval", interval_json(judgement.intervals.macro_f1)},
          {"log_loss", number(accuracy.loss)},
          {"ece", judgement.calibration.ece}};
}

Json paired_json(const PairedComparison& paired, const std::vector<std::string>& classes) {
  const Judgement& own = paired.own;
  const Judgement& other = paired.other;
  Json per_class = Json::object();
  for (std::size_t c = 0; c < paired.classes.size(); ++c) {
    const ClassChange& change = paired.classes[c];
    per_class[c < classes.size() ? sanitize_utf8(classes[c]) : std::to_string(c)] = {
        {"support", change.support},
        {"right", change.right()},
        {"other_right", change.right_by_other()},
        {"gained", change.gained},
        {"lost", change.lost}};
  }
  return {{"own", judgement_json(own)},
          {"other", judgement_json(other)},
          {"difference",
           {{"acc1", own.accuracy.acc1() - other.accuracy.acc1()},
            {"acc1_interval", interval_json(paired.difference.acc1)},
            {"acc5", own.accuracy.acc5() - other.accuracy.acc5()},
            {"acc5_interval", interval_json(paired.difference.acc5)},
            {"macro_f1", own.macro_f1 - other.macro_f1},
            {"macro_f1_interval", interval_json(paired.difference.macro_f1)},
            {"log_loss", number(own.accuracy.loss - other.accuracy.loss)}}},
          {"only_own_right", paired.answers.only_first},
          {"only_other_right", paired.answers.only_second},
          {"mcnemar_p", paired.answers.p_value},
          {"per_class", std::move(per_class)}};
}

}  // namespace casvit::trainer
