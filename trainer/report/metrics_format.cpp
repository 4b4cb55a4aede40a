#include "trainer/report/metrics_format.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

/// Calls `visit(name, value)` for every figure of a line, in the order in which they are written.
template <typename Metrics, typename Visit>
requires std::same_as<std::remove_const_t<Metrics>, StepMetrics>
void visit_members(Metrics& metrics, Visit visit) {
  visit("step", metrics.step);
  visit("epoch", metrics.epoch);
  visit("loss", metrics.loss);
  visit("lr", metrics.lr);
  visit("grad_norm", metrics.grad_norm);
  visit("images_per_second", metrics.images_per_second);
  visit("data_seconds", metrics.data_seconds);
  visit("comm_exposed_seconds", metrics.comm_exposed_seconds);
  visit("compute_seconds", metrics.compute_seconds);
  visit("optimizer_seconds", metrics.optimizer_seconds);
  visit("loss_scale", metrics.loss_scale);
  visit("seconds", metrics.seconds);
}

template <typename Metrics, typename Visit>
requires std::same_as<std::remove_const_t<Metrics>, EpochMetrics>
void visit_members(Metrics& metrics, Visit visit) {
  visit("step", metrics.step);
  visit("epoch", metrics.epoch);
  visit("train_loss", metrics.train_loss);
  visit("seconds", metrics.seconds);
  visit("images_per_second", metrics.images_per_second);
  visit("model_acc1", metrics.model_acc1);
  visit("model_acc5", metrics.model_acc5);
  visit("model_loss", metrics.model_loss);
  visit("ema_acc1", metrics.ema_acc1);
  visit("ema_acc5", metrics.ema_acc5);
  visit("ema_loss", metrics.ema_loss);
  visit("replaced", metrics.replaced);
  visit("skipped", metrics.skipped);
}

template <typename Metrics, typename Visit>
requires std::same_as<std::remove_const_t<Metrics>, RankMetrics>
void visit_members(Metrics& metrics, Visit visit) {
  visit("step", metrics.step);
  visit("epoch", metrics.epoch);
  visit("steps", metrics.steps);
  visit("data_seconds", metrics.data_seconds);
  visit("compute_seconds", metrics.compute_seconds);
  visit("comm_exposed_seconds", metrics.comm_exposed_seconds);
  visit("optimizer_seconds", metrics.optimizer_seconds);
  visit("idle_seconds", metrics.idle_seconds);
}

template <typename Metrics, typename Visit>
requires std::same_as<std::remove_const_t<Metrics>, StartMetrics>
void visit_members(Metrics& metrics, Visit visit) {
  visit("step", metrics.step);
  visit("epoch", metrics.epoch);
  visit("ranks", metrics.ranks);
  visit("began", metrics.began);
  visit("starting_seconds", metrics.starting_seconds);
  visit("previous_ended", metrics.previous_ended);
  visit("lost_steps", metrics.lost_steps);
}

template <typename Metrics, typename Visit>
requires std::same_as<std::remove_const_t<Metrics>, PauseMetrics>
void visit_members(Metrics& metrics, Visit visit) {
  visit("step", metrics.step);
  visit("epoch", metrics.epoch);
  visit("on", metrics.on);
  visit("seconds", metrics.seconds);
}

constexpr std::array<std::string_view, 22> kColumns{"kind",
                                                    "step",
                                                    "epoch",
                                                    "loss",
                                                    "lr",
                                                    "grad_norm",
                                                    "images_per_second",
                                                    "data_seconds",
                                                    "comm_exposed_seconds",
                                                    "compute_seconds",
                                                    "optimizer_seconds",
                                                    "loss_scale",
                                                    "train_loss",
                                                    "seconds",
                                                    "model_acc1",
                                                    "model_acc5",
                                                    "model_loss",
                                                    "ema_acc1",
                                                    "ema_acc5",
                                                    "ema_loss",
                                                    "replaced",
                                                    "skipped"};

/// A figure as text; nullopt where it was not measured.
template <typename T>
std::optional<std::string> figure(T value, std::string_view not_finite) {
  if constexpr (std::is_integral_v<T>) {
    return std::to_string(value);
  } else {
    return std::isfinite(value) ? shortest(value) : std::string(not_finite);
  }
}

std::optional<std::string> figure(const std::optional<double>& value, std::string_view not_finite) {
  return value ? figure(*value, not_finite) : std::nullopt;
}

std::optional<std::string> figure(const std::vector<double>& values, std::string_view not_finite) {
  std::string list;
  for (const double value : values) {
    list += (list.empty() ? "" : ", ") + *figure(value, not_finite);
  }
  return "[" + list + "]";
}

std::optional<std::string> figure(const std::string& value, std::string_view /*not_finite*/) {
  return nlohmann::json(sanitize_utf8(value)).dump();
}

template <typename Metrics>
std::string json_line(std::string_view kind, const Metrics& metrics) {
  std::string out = R"({"kind": ")" + std::string(kind) + "\"";
  visit_members(metrics, [&](std::string_view name, const auto& value) {
    if (const auto text = figure(value, "null")) {
      out += ", \"" + std::string(name) + "\": " + *text;
    }
  });
  return out + "}";
}

template <typename Metrics>
std::string csv_line(std::string_view kind, const Metrics& metrics) {
  std::array<std::string, kColumns.size()> cells;
  cells[0] = kind;
  visit_members(metrics, [&](std::string_view name, const auto& value) {
    const auto column = std::ranges::find(kColumns, name) - kColumns.begin();
    cells.at(static_cast<std::size_t>(column)) = figure(value, "").value_or("");
  });
  std::string out = cells[0];
  for (std::size_t i = 1; i < cells.size(); ++i) out += ',' + cells[i];
  return out;
}

double number_or_nan(const nlohmann::json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

void read_figure(const nlohmann::json& line, std::string_view name, std::int64_t& value) {
  value = line.at(std::string(name)).get<std::int64_t>();
}

void read_figure(const nlohmann::json& line, std::string_view name, int& value) {
  value = line.at(std::string(name)).get<int>();
}

void read_figure(const nlohmann::json& line, std::string_view name, std::string& value) {
  value = line.at(std::string(name)).get<std::string>();
}

void read_figure(const nlohmann::json& line, std::string_view name, float& value) {
  value = static_cast<float>(number_or_nan(line.at(std::string(name))));
}

void read_figure(const nlohmann::json& line, std::string_view name, double& value) {
  value = number_or_nan(line.at(std::string(name)));
}

void read_figure(const nlohmann::json& line, std::string_view name, std::optional<double>& value) {
  const auto found = line.find(std::string(name));
  if (found != line.end()) value = number_or_nan(*found);
}

void read_figure(const nlohmann::json& line, std::string_view name, std::vector<double>& values) {
  for (const nlohmann::json& value : line.at(std::string(name))) {
    values.push_back(number_or_nan(value));
  }
}

template <typename Metrics>
std::int64_t read_line(const nlohmann::json& line, std::vector<Metrics>& into) {
  Metrics metrics;
  visit_members(metrics,
                [&](std::string_view name, auto& value) { read_figure(line, name, value); });
  into.push_back(metrics);
  return metrics.step;
}

}  // namespace

std::string to_json_line(const StepMetrics& metrics) { return json_line("step", metrics); }
std::string to_json_line(const EpochMetrics& metrics) { return json_line("epoch", metrics); }

std::string to_json_line(const RankMetrics& metrics) { return json_line("ranks", metrics); }

std::string to_json_line(const StartMetrics& metrics) { return json_line("start", metrics); }

std::string to_json_line(const PauseMetrics& metrics) { return json_line("pause", metrics); }

std::string csv_header() {
  std::string out(kColumns[0]);
  for (std::size_t i = 1; i < kColumns.size(); ++i) out += ',' + std::string(kColumns[i]);
  return out;
}

std::string to_csv_line(const StepMetrics& metrics) { return csv_line("step", metrics); }
std::string to_csv_line(const EpochMetrics& metrics) { return csv_line("epoch", metrics); }

std::int64_t parse_json_line(const std::string& line, History& history) {
  const nlohmann::json json = nlohmann::json::parse(line);
  const auto kind = json.at("kind").get<std::string>();
  if (kind == "step") return read_line(json, history.steps);
  if (kind == "epoch") return read_line(json, history.epochs);
  if (kind == "ranks") return read_line(json, history.ranks);
  if (kind == "start") return read_line(json, history.starts);
  if (kind == "pause") return read_line(json, history.pauses);
  throw std::runtime_error("unknown kind \"" + kind + "\"");
}

}  // namespace casvit::trainer
