#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace casvit::trainer::golden {

struct Gradient {
  std::vector<std::int64_t> shape;
  double l2 = 0;
  std::vector<double> first;  ///< up to three values
};

/// Reference values of the published model; tests/trainer/model/golden/README.md has the format.
struct File {
  std::string path, arch;
  int num_classes = 0, batch = 0, pixels = 0;
  std::int64_t n_parameters = 0;
  double label_smoothing = 0, train_loss = 0, grad_norm = 0;
  std::vector<std::int64_t> targets;
  std::vector<std::vector<double>> eval_logits, train_logits;  ///< `[batch][num_classes]`
  std::vector<std::string> state_dict_keys;
  std::map<std::string, Gradient> gradients;
  std::map<std::string, std::vector<double>> buffers;  ///< first values after one training forward
};

/// Every *.json of a folder. @throws std::runtime_error where there is none.
std::vector<File> read_folder(const std::string& folder);

/// The tensor that the format's integer hash gives to `name`, float32 values in the type asked for.
at::Tensor fill(const std::string& name, const std::vector<std::int64_t>& shape,
                at::ScalarType type);

}  // namespace casvit::trainer::golden
