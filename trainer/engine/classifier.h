#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "trainer/engine/model_file.h"

namespace casvit::trainer {

/// Classifies encoded pictures as `casvit_dist eval` does: our decoder, the evaluation transform
/// that the file of the model describes, float32 on the CPU. Not thread-safe.
class Classifier {
 public:
  /// @param path a checkpoint, or an exported .safetensors file
  /// @param overrides for what the file does not say (plain weights)
  /// @throws CheckpointError for a file that is missing or no model; ConfigError where its
  /// preprocessing is unknown
  explicit Classifier(const std::string& path, WeightsChoice use = WeightsChoice::kAuto,
                      const std::vector<Override>& overrides = {});

  struct Guess {
    std::string name;        ///< of the class; its number where the file names none
    double probability = 0;  ///< softmax of the logits
  };
  /// The `count` likeliest classes (all, where there are fewer), by falling probability.
  /// @param picture bytes of a JPEG, PNG or WebP file
  /// @throws dataio::InputError for a picture that does not decode
  std::vector<Guess> classify(std::span<const std::uint8_t> picture, int count) const;
  /// The same of a file, which errors name.
  std::vector<Guess> classify_file(const std::string& path, int count) const;

 private:
  LoadedModel loaded_;
  dataio::EvalTransformOptions transform_;
};

}  // namespace casvit::trainer
