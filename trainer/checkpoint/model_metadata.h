#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace casvit::trainer {

/// How a picture becomes the model's input.
struct Preprocessing {
  std::array<float, 3> mean{};  ///< of RGB in [0, 1]
  std::array<float, 3> std{};
  int image_size = 0;          ///< side of the square that the model sees, pixels
  double eval_crop_ratio = 0;  ///< image_size / what the short side is resized to
  std::string interpolation;   ///< "bicubic", "bilinear"
  bool apply_orientation = false;
};

/// What whoever runs a model must know besides its weights; exported files carry it for every
/// reader, as metadata of safetensors and ONNX under the same keys:
///
///   architecture        "rcvit_xs"
///   preprocessing       one JSON object: Preprocessing's members, and in words what they imply
///   classes             JSON list of names in the order of the logits; left out where unknown
///   weights             "ema" or "model": which of a training's
///   training_data_hash  left out where unknown
///   producer            "casvit 0.1.0"
struct ModelMetadata {
  std::string architecture;
  Preprocessing preprocessing;
  std::vector<std::string> classes;
  std::string weights;
  std::string training_data_hash;
};

std::map<std::string, std::string> to_strings(const ModelMetadata& metadata);

/// The way back, from the metadata of any file; nullopt where they have no `preprocessing`.
/// @throws CheckpointError naming `path` and the key that cannot be read.
std::optional<ModelMetadata> model_metadata(const std::map<std::string, std::string>& strings,
                                            const std::string& path);

/// "0.485,0.456,0.406", as CheckpointInfo has it, with the digits that bring float32 back exactly.
std::string normalization_text(const std::array<float, 3>& values);
/// @throws CheckpointError naming `path`.
std::array<double, 3> parse_normalization(const std::string& text, const std::string& path);

}  // namespace casvit::trainer
