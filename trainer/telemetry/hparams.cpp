#include "trainer/telemetry/hparams.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "trainer/report/text.h"

// Fields and numbers: tensorboard/plugins/hparams/{plugin_data,api}.proto and protobuf's
// struct.proto.

namespace casvit::trainer {
namespace {

enum class DataType { kString = 1, kBool = 2, kFloat64 = 3 };
enum class DatasetType { kTraining = 1, kValidation = 2 };

struct TypedValue {
  DataType type;
  WireMessage value;  ///< a google.protobuf.Value
};

std::optional<double> number_of(const std::string& yaml) {
  double number = 0;
  const char* end = yaml.data() + yaml.size();
  const auto result = std::from_chars(yaml.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return number;
}

/// Of a value as YAML; nothing for null.
std::optional<TypedValue> typed(const std::string& yaml) {
  if (yaml == "null") return std::nullopt;
  if (yaml == "true" || yaml == "false") {
    return TypedValue{DataType::kBool, WireMessage().varint(4, yaml == "true" ? 1 : 0)};
  }
  if (const std::optional<double> number = number_of(yaml)) {
    return TypedValue{DataType::kFloat64, WireMessage().float64(2, *number)};
  }
  return TypedValue{DataType::kString, WireMessage().bytes(3, sanitize_utf8(yaml))};
}

WireMessage column(const ConfigValue& key, DataType type) {
  return WireMessage()
      .bytes(1, key.key)
      .varint(4, static_cast<int>(type))
      .varint(7, key.value != key.default_value ? 1 : 0);
}

WireMessage column(const RunMetric& metric) {
  const DatasetType data = metric.validation ? DatasetType::kValidation : DatasetType::kTraining;
  return WireMessage()
      .message(1, WireMessage().bytes(2, metric.tag))
      .bytes(3, metric.name)
      .varint(5, static_cast<int>(data));
}

}  // namespace

void add_session_start(Summary& summary, const std::vector<ConfigValue>& config,
                       const std::vector<RunMetric>& metrics, double started) {
  std::vector<ConfigValue> keys = config;
  // Not std::ranges: clang 14 does not compile what that returns.
  std::stable_partition(keys.begin(), keys.end(),
                        [](const ConfigValue& key) { return key.value != key.default_value; });
  WireMessage columns;
  WireMessage values;
  columns.float64(3, started);
  for (const ConfigValue& key : keys) {
    const std::optional<TypedValue> value = typed(key.value);
    if (!value) continue;
    columns.message(4, column(key, value->type));
    values.message(1, WireMessage().bytes(1, key.key).message(2, value->value));
  }
  for (const RunMetric& metric : metrics) columns.message(5, column(metric));
  values.float64(5, started);
  summary.hparams("_hparams_/experiment", WireMessage().message(2, columns));
  summary.hparams("_hparams_/session_start_info", WireMessage().message(3, values));
}

void add_session_end(Summary& summary, SessionStatus status, double ended) {
  const WireMessage end = WireMessage().varint(1, static_cast<int>(status)).float64(2, ended);
  summary.hparams("_hparams_/session_end_info", WireMessage().message(4, end));
}

}  // namespace casvit::trainer
