#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

namespace casvit::trainer {

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

/// A safetensors file in memory. Tensors are contiguous (NCHW / OIHW) on the CPU.
struct TensorFile {
  std::vector<NamedTensor> tensors;
  std::map<std::string, std::string> metadata;  ///< the header's __metadata__

  /// nullptr where there is none of that name.
  const at::Tensor* find(const std::string& name) const;
};

/// The tensor as a file holds it: contiguous (row-major) on the CPU, without gradient; the tensor
/// itself where it is that already.
at::Tensor stored_form(const at::Tensor& tensor);

/// Writes a safetensors file (https://github.com/huggingface/safetensors, format.md) aside, fsyncs
/// file and folder, and renames: under its name it is whole or not there. Any dense dtype that the
/// format has; GPU and channels-last tensors are brought to contiguous CPU memory first.
/// Data stand in the order of Python's library: widest dtype first, then by name.
/// @throws OutputError naming the path and the system's reason; std::invalid_argument for tensors
/// that no file can hold (a name twice or not UTF-8, not dense, a dtype that the format lacks).
void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata);

/// Reads one. Sizes are checked before anything is allocated; offsets must tile the data exactly.
/// @throws CheckpointError naming file and defect.
TensorFile read_safetensors(const std::string& path);

}  // namespace casvit::trainer
