#include "trainer/checkpoint/model_metadata.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "trainer/error.h"
#include "trainer/report/text.h"

namespace casvit::trainer {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kWarpedFrom = 384;  // dataio::EvalTransformOptions

/// With the digits that bring the float32 back, not the thirty of its double.
json three(const std::array<float, 3>& values) {
  json list = json::array();
  for (const float value : values) {
    list.push_back(std::stod(shortest(value)));
  }
  return list;
}

std::string resize_in_words(const Preprocessing& preprocessing) {
  const std::string size = std::to_string(preprocessing.image_size);
  if (preprocessing.image_size >= kWarpedFrom) {
    return "to " + size + " x " + size + ", whatever the picture's shape";
  }
  const int side = static_cast<int>(preprocessing.image_size / preprocessing.eval_crop_ratio);
  return "short side to " + std::to_string(side) + ", then the central " + size + " x " + size;
}

std::string dump(const ordered_json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string find(const std::map<std::string, std::string>& strings, const char* key) {
  const auto found = strings.find(key);
  return found == strings.end() ? "" : found->second;
}

Preprocessing preprocessing_of(const json& object) {
  Preprocessing result;
  object.at("mean").get_to(result.mean);
  object.at("std").get_to(result.std);
  object.at("image_size").get_to(result.image_size);
  object.at("eval_crop_ratio").get_to(result.eval_crop_ratio);
  object.at("interpolation").get_to(result.interpolation);
  object.at("apply_orientation").get_to(result.apply_orientation);
  return result;
}

}  // namespace

std::map<std::string, std::string> to_strings(const ModelMetadata& metadata) {
  const Preprocessing& preprocessing = metadata.preprocessing;
  const ordered_json object{{"image_size", preprocessing.image_size},
                            {"eval_crop_ratio", preprocessing.eval_crop_ratio},
                            {"resize", resize_in_words(preprocessing)},
                            {"interpolation", preprocessing.interpolation},
                            {"apply_orientation", preprocessing.apply_orientation},
                            {"channel_order", "RGB"},
                            {"layout", "NCHW"},
                            {"range", {0, 1}},
                            {"mean", three(preprocessing.mean)},
                            {"std", three(preprocessing.std)}};
  std::map<std::string, std::string> strings{{"architecture", metadata.architecture},
                                             {"preprocessing", dump(object)},
                                             {"weights", metadata.weights},
                                             {"producer", std::string("casvit ") + CASVIT_VERSION}};
  if (!metadata.classes.empty()) {
    strings.emplace("classes", dump(metadata.classes));
  }
  if (!metadata.training_data_hash.empty()) {
    strings.emplace("training_data_hash", metadata.training_data_hash);
  }
  return strings;
}

std::optional<ModelMetadata> model_metadata(const std::map<std::string, std::string>& strings,
                                            const std::string& path) {
  if (!strings.contains("preprocessing")) {
    return std::nullopt;
  }
  ModelMetadata metadata;
  metadata.architecture = find(strings, "architecture");
  metadata.weights = find(strings, "weights");
  metadata.training_data_hash = find(strings, "training_data_hash");
  const char* key = "preprocessing";
  try {
    metadata.preprocessing = preprocessing_of(json::parse(strings.at(key)));
    key = "classes";
    if (strings.contains(key)) {
      json::parse(strings.at(key)).get_to(metadata.classes);
    }
  } catch (const json::exception& error) {
    throw CheckpointError(path + ": its metadata \"" + key + "\" cannot be read: " + error.what());
  }
  return metadata;
}

std::string normalization_text(const std::array<float, 3>& values) {
  return formatted("%.9g,%.9g,%.9g", static_cast<double>(values[0]), static_cast<double>(values[1]),
                   static_cast<double>(values[2]));
}

std::array<double, 3> parse_normalization(const std::string& text, const std::string& path) {
  std::istringstream stream(text);
  std::array<double, 3> values{};
  char comma = ',';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) {
      stream >> comma;
    }
    stream >> values[i];
  }
  if (!stream || comma != ',') {
    throw CheckpointError(path + ": the stored normalisation \"" + text +
                          "\" is not three numbers");
  }
  return values;
}

}  // namespace casvit::trainer
