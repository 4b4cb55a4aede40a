#include "trainer/checkpoint/info_json.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <type_traits>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using nlohmann::json;

/// Calls `visit(key, member)` for every member. The one list that both directions share; a member
/// added to CheckpointInfo does not compile until it stands here.
template <class Info, class Visitor>
void visit_members(Info& info, const Visitor& visit) {
  auto& [step, epoch, step_in_epoch, epoch_loss_sum, replaced, replaced_in_epoch, skipped,
         skipped_in_epoch, skipped_in_row, patience_acc1, evaluations_since_best, best_acc1,
         best_epoch, seconds_before, config_yaml, classes, data_hash, normalization_mean,
         normalization_std, image_size, eval_crop_ratio, ranks, threads, precision, bucket_bytes,
         versions] = info;
  visit("step", step);
  visit("epoch", epoch);
  visit("step_in_epoch", step_in_epoch);
  visit("epoch_loss_sum", epoch_loss_sum);
  visit("replaced", replaced);
  visit("replaced_in_epoch", replaced_in_epoch);
  visit("skipped", skipped);
  visit("skipped_in_epoch", skipped_in_epoch);
  visit("skipped_in_row", skipped_in_row);
  visit("patience_acc1", patience_acc1);
  visit("evaluations_since_best", evaluations_since_best);
  visit("best_acc1", best_acc1);
  visit("best_epoch", best_epoch);
  visit("seconds_before", seconds_before);
  visit("config_yaml", config_yaml);
  visit("classes", classes);
  visit("data_hash", data_hash);
  visit("normalization_mean", normalization_mean);
  visit("normalization_std", normalization_std);
  visit("image_size", image_size);
  visit("eval_crop_ratio", eval_crop_ratio);
  visit("ranks", ranks);
  visit("threads", threads);
  visit("precision", precision);
  visit("bucket_bytes", bucket_bytes);
  visit("versions", versions);
}

/// Members that checkpoints of earlier versions lack.
bool is_newer_than_some(std::string_view key) {
  return key.starts_with("replaced") || key.starts_with("skipped") || key == "patience_acc1" ||
         key == "evaluations_since_best" || key == "precision" || key == "bucket_bytes";
}

json to_json(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value)) return "NaN";
  return value > 0 ? "Infinity" : "-Infinity";
}
template <class T>
json to_json(const T& value) {
  return value;
}

/// Each reads one member and returns what it needed to be where it was not that, else nullptr.
const char* read(const json& value, double& member) {
  if (value.is_number()) {
    member = value.get<double>();
  } else if (value == "NaN") {
    member = std::numeric_limits<double>::quiet_NaN();
  } else if (value == "Infinity") {
    member = std::numeric_limits<double>::infinity();
  } else if (value == "-Infinity") {
    member = -std::numeric_limits<double>::infinity();
  } else {
    return "a number";
  }
  return nullptr;
}

/// Every integer of CheckpointInfo counts something.
template <class T>
requires std::is_integral_v<T>
const char* read(const json& value, T& member) {
  if (!value.is_number_unsigned() ||
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<T>::max())) {
    return "a whole number, not negative, in range";
  }
  member = value.get<T>();
  return nullptr;
}

const char* read(const json& value, std::string& member) {
  if (!value.is_string()) return "a string";
  member = value.get<std::string>();
  return nullptr;
}

const char* read(const json& value, std::vector<std::string>& member) {
  if (!value.is_array()) return "a list of strings";
  for (const json& element : value) {
    if (!element.is_string()) return "a list of strings";
    member.push_back(element.get<std::string>());
  }
  return nullptr;
}

}  // namespace

std::string info_to_json(const CheckpointInfo& info) {
  nlohmann::ordered_json object;
  visit_members(info, [&](const char* key, const auto& member) { object[key] = to_json(member); });
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

CheckpointInfo info_from_json(const std::string& text, const std::string& path) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) {
    throw CheckpointError(path + ": corrupt checkpoint: casvit_info is not a JSON object");
  }
  CheckpointInfo info;
  visit_members(info, [&](const char* key, auto& member) {
    const auto found = object.find(key);
    if (found == object.end()) {
      if (is_newer_than_some(key)) return;
      throw CheckpointError(path + ": corrupt checkpoint: casvit_info has no " + key);
    }
    if (const char* needed = read(*found, member)) {
      throw CheckpointError(path + ": corrupt checkpoint: casvit_info." + key + " is not " +
                            needed);
    }
  });
  return info;
}

}  // namespace casvit::trainer
