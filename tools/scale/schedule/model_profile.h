#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace casvit::scale {

/// What the schedule of a step needs to know of a model: a file of `tools/scale/models`, written by
/// `casvit_scale_profile`.
struct ModelProfile {
  struct Parameter {
    std::string name;
    std::int64_t elements = 0;  ///< float32
    /// When backward has its gradient: 0 at the start of backward, 1 at its end.
    double arrival = 0;
  };

  std::string name;
  int image_size = 0;
  std::vector<Parameter> parameters;     ///< in the model's order
  std::int64_t statistics_elements = 0;  ///< running means and variances
  double macs =
      0;  ///< multiply-accumulates of one picture's forward pass in convolutions and linears
  double forward_share = 0;  ///< of forward and backward together

  std::int64_t elements() const;
};

/// @throws std::runtime_error naming the file and what is wrong with it
ModelProfile read_profile(const std::string& path);

}  // namespace casvit::scale
