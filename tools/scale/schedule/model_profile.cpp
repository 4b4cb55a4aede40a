#include "tools/scale/schedule/model_profile.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace casvit::scale {
namespace {

ModelProfile parse(std::istream& stream) {
  const nlohmann::json json = nlohmann::json::parse(stream);
  ModelProfile profile;
  profile.name = json.at("model");
  profile.image_size = json.at("image_size");
  profile.statistics_elements = json.at("statistics_elements");
  profile.macs = json.at("macs");
  profile.forward_share = json.at("forward_share");
  for (const nlohmann::json& entry : json.at("parameters")) {
    ModelProfile::Parameter parameter;
    parameter.name = entry.at("name");
    parameter.elements = entry.at("elements");
    parameter.arrival = entry.at("arrival");
    if (parameter.elements <= 0 || parameter.arrival < 0 || parameter.arrival > 1) {
      throw std::runtime_error(parameter.name + " needs elements > 0 and an arrival in 0 to 1");
    }
    profile.parameters.push_back(parameter);
  }
  if (profile.parameters.empty()) {
    throw std::runtime_error("there are no parameters");
  }
  return profile;
}

}  // namespace

std::int64_t ModelProfile::elements() const {
  std::int64_t sum = 0;
  for (const Parameter& parameter : parameters) {
    sum += parameter.elements;
  }
  return sum;
}

ModelProfile read_profile(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    throw std::runtime_error(path + " cannot be read; tools/scale/models holds the profiles");
  }
  try {
    return parse(file);
  } catch (const std::exception& error) {
    throw std::runtime_error(path + " is no model profile: " + error.what());
  }
}

}  // namespace casvit::scale
