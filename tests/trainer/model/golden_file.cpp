#include "tests/trainer/model/golden_file.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/trainer/model/hashed_values.h"

namespace casvit::trainer::golden {
namespace {

bool ends_with(const std::string& name, const std::string& ending) {
  return name.size() >= ending.size() &&
         name.compare(name.size() - ending.size(), ending.size(), ending) == 0;
}

File parse(const std::filesystem::path& path) {
  std::ifstream stream(path);
  const nlohmann::json json = nlohmann::json::parse(stream);
  File file;
  file.path = path.string();
  file.arch = json.at("arch");
  file.num_classes = json.at("num_classes");
  file.batch = json.at("batch");
  file.pixels = json.at("pixels");
  file.n_parameters = json.at("n_parameters");
  file.label_smoothing = json.at("label_smoothing");
  file.train_loss = json.at("train_loss");
  file.grad_norm = json.at("grad_norm");
  json.at("targets").get_to(file.targets);
  json.at("eval_logits").get_to(file.eval_logits);
  json.at("train_logits").get_to(file.train_logits);
  json.at("state_dict_keys").get_to(file.state_dict_keys);
  for (const auto& [name, value] : json.at("parameters").items()) {
    file.gradients[name] = {value.at("shape"), value.at("grad_l2"), value.at("grad_first")};
  }
  for (const auto& [name, value] : json.at("buffers_after_one_train_forward").items()) {
    file.buffers[name] = value.at("first").get<std::vector<double>>();
  }
  return file;
}

}  // namespace

std::vector<File> read_folder(const std::string& folder) {
  std::vector<File> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") {
      files.push_back(parse(entry.path()));
    }
  }
  if (files.empty()) {
    throw std::runtime_error(folder + " holds no golden .json file");
  }
  return files;
}

at::Tensor fill(const std::string& name, const std::vector<std::int64_t>& shape,
                at::ScalarType type) {
  const at::Tensor values = at::empty(shape, at::kFloat);
  const double fan_in = shape.size() < 2 ? 1 : static_cast<double>(values.numel() / shape[0]);
  const auto value_of = [&](double u) {
    if (name == "input") return 4 * (u - 0.5);
    if (ends_with(name, "running_var")) return 0.5 + u;
    if (ends_with(name, "running_mean")) return 0.2 * (u - 0.5);
    if (shape.size() >= 2) return 0.7 * (u - 0.5) * 2 * std::sqrt(3 / fan_in);
    if (ends_with(name, "weight")) return 0.8 + 0.4 * u;
    return 0.2 * (u - 0.5);
  };
  auto* out = values.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    out[i] = static_cast<float>(value_of(hashed_uniform(name, static_cast<std::size_t>(i))));
  }
  return values.to(type);
}

}  // namespace casvit::trainer::golden
