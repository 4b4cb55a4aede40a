#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <cstring>
#include <string>
#include <vector>

#include "trainer/checkpoint/checkpoint.h"

namespace casvit::trainer {

/// [0, 1, 2, ...] of a shape.
inline at::Tensor counting(at::IntArrayRef shape, at::ScalarType dtype = at::kFloat) {
  std::int64_t count = 1;
  for (const std::int64_t dimension : shape) count *= dimension;
  return at::arange(count, at::TensorOptions().dtype(dtype)).reshape(shape);
}

/// Same dtype, shape and bytes (in row-major order).
inline bool same_bytes(const at::Tensor& left, const at::Tensor& right) {
  const at::Tensor a = left.contiguous(at::MemoryFormat::Contiguous);
  const at::Tensor b = right.contiguous(at::MemoryFormat::Contiguous);
  return a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() &&
         (a.nbytes() == 0 || std::memcmp(a.const_data_ptr(), b.const_data_ptr(), a.nbytes()) == 0);
}

inline bool same_tensors(const std::vector<NamedTensor>& left,
                         const std::vector<NamedTensor>& right) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (left[i].name != right[i].name || !same_bytes(left[i].tensor, right[i].tensor)) return false;
  }
  return true;
}

/// A small checkpoint whose tensors and info all depend on `step`.
inline Checkpoint example_checkpoint(std::int64_t step, std::int64_t elements = 12) {
  Checkpoint checkpoint;
  checkpoint.info.step = step;
  checkpoint.info.epoch = static_cast<int>(step / 10);
  checkpoint.info.classes = {"Maize", "Charlock"};
  const auto value = static_cast<double>(step);
  checkpoint.tensors = {{"model.head.weight", at::full({elements}, value)},
                        {"model.norm.num_batches_tracked", at::full({}, step, at::kLong)},
                        {"ema.head.weight", at::full({elements}, value / 2)}};
  return checkpoint;
}

}  // namespace casvit::trainer
