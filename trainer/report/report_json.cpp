#include "trainer/report/report_json.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "trainer/report/judgement_json.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

using Json = nlohmann::ordered_json;

/// A number, or null where it is not finite: JSON has no other way.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json bootstrap_json() {
  const BootstrapOptions options;
  return {{"method", "percentile, over pictures"},
          {"level", options.level},
          {"resamples", options.resamples},
          {"seed", options.seed}};
}

Json calibration_json(const Calibration& calibration) {
  Json bins = Json::array();
  for (const CalibrationBin& bin : calibration.bins) {
    bins.push_back({{"low", bin.low},
                    {"high", bin.high},
                    {"count", bin.count},
                    {"confidence", bin.confidence},
                    {"accuracy", bin.accuracy}});
  }
  return bins;
}

Json comparison_json(const Comparison& comparison) {
  return {{"only_model_right", comparison.only_first},
          {"only_ema_right", comparison.only_second},
          {"mcnemar_p", comparison.p_value}};
}

Json against_json(const Figures& figures) {
  const Opponent& opponent = *figures.input.against;
  Json out = {{"own_name", sanitize_utf8(opponent.own_name)},
              {"name", sanitize_utf8(opponent.name)}};
  out.update(paired_json(*figures.against, figures.classes));
  return out;
}

/// null where the history does not tell.
Json time_json(const TimeBudget& time) {
  if (!(time.seconds > 0)) return nullptr;
  Json shares = Json::object();
  for (const TimeShare& share : time.shares) shares[share.name] = number(share.seconds);
  return {{"goodput", time.goodput()},
          {"seconds", time.seconds},
          {"seconds_in_steps", time.in_steps},
          {"seconds_between_starts", time.between_starts},
          {"starts", time.starts},
          {"lost_steps", time.lost_steps},
          {"seconds_by_use", shares}};
}

/// Key -> default, for those keys that have another value.
Json changed_json(const std::vector<ConfigValue>& values) {
  Json changed = Json::object();
  for (const ConfigValue& one : values) {
    if (one.value != one.default_value) {
      changed[sanitize_utf8(one.key)] = sanitize_utf8(one.default_value);
    }
  }
  return changed;
}

Json scores_json(const Scores& scores) {
  return {{"precision", scores.precision},
          {"recall", scores.recall},
          {"f1", scores.f1},
          {"support", scores.support}};
}

/// An unquoted scalar as YAML's core schema reads it.
Json plain_scalar_json(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  const char* begin = text.data();
  const char* end = begin + text.size();
  std::int64_t whole = 0;
  if (const auto read = std::from_chars(begin, end, whole);
      read.ec == std::errc() && read.ptr == end) {
    return whole;
  }
  std::uint64_t large = 0;
  if (const auto read = std::from_chars(begin, end, large);
      read.ec == std::errc() && read.ptr == end) {
    return large;
  }
  double real = 0;
  if (const auto read = std::from_chars(begin, end, real);
      read.ec == std::errc() && read.ptr == end && std::isfinite(real)) {
    return real;
  }
  return sanitize_utf8(text);
}

Json yaml_json(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return node.Tag() == "!" ? Json(sanitize_utf8(node.Scalar()))
                               : plain_scalar_json(node.Scalar());
    case YAML::NodeType::Sequence: {
      Json list = Json::array();
      for (const YAML::Node& element : node) list.push_back(yaml_json(element));
      return list;
    }
    case YAML::NodeType::Map: {
      Json object = Json::object();
      for (const auto& entry : node) {
        object[sanitize_utf8(entry.first.Scalar())] = yaml_json(entry.second);
      }
      return object;
    }
    default:
      return nullptr;
  }
}

template <typename Value>
Json facts_json(const std::map<std::string, Value>& facts) {
  Json object = Json::object();
  for (const auto& [name, value] : facts) {
    if constexpr (std::is_same_v<Value, std::string>) {
      object[sanitize_utf8(name)] = sanitize_utf8(value);
    } else {
      object[sanitize_utf8(name)] = number(value);
    }
  }
  return object;
}

}  // namespace

std::string report_json(const Figures& figures) {
  const ConfusionMatrix& matrix = figures.matrix;
  Json names = Json::array();
  Json per_class = Json::object();
  Json rows = Json::array();
  for (int c = 0; c < matrix.classes(); ++c) {
    const auto index = static_cast<std::size_t>(c);
    const std::string name = sanitize_utf8(figures.classes[index]);
    names.push_back(name);
    per_class[name] = scores_json(figures.scores.classes[index]);
    Json row = Json::array();
    for (int as = 0; as < matrix.classes(); ++as) row.push_back(matrix.at(c, as));
    rows.push_back(std::move(row));
  }
  const Json report = {
      {"title", sanitize_utf8(figures.input.title)},
      {"weights", figures.weights},
      {"model", judgement_json(figures.model)},
      {"ema", figures.ema ? judgement_json(*figures.ema) : Json(nullptr)},
      {"comparison", figures.comparison ? comparison_json(*figures.comparison) : Json(nullptr)},
      {"against", figures.against ? against_json(figures) : Json(nullptr)},
      {"bootstrap", bootstrap_json()},
      {"samples", figures.headline.samples()},
      {"classes", std::move(names)},
      {"confusion_matrix", std::move(rows)},
      {"per_class", std::move(per_class)},
      {"macro_avg", scores_json(figures.scores.macro)},
      {"micro_avg", scores_json(figures.scores.micro)},
      {"weighted_avg", scores_json(figures.scores.weighted)},
      {"calibration", calibration_json(figures.best().calibration)},
      {"train_samples", figures.input.train_counts},
      {"time", time_json(figures.time)},
      {"memory", facts_json(figures.input.memory)},
      {"config_defaults", changed_json(figures.input.config_values)},
      {"config", yaml_json(YAML::Load(figures.input.config_yaml))},
      {"data", facts_json(figures.input.data)},
      {"versions", facts_json(figures.input.versions)},
      {"cost", facts_json(figures.input.cost)}};
  return report.dump() + "\n";
}

}  // namespace casvit::trainer
