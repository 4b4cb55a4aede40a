#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>

#include "dataio/loader/loader.h"

namespace casvit::trainer {

/// Where and in which precision the model runs.
struct Compute {
  at::Device device = at::kCPU;
  /// Autocast's type; nullopt: float32 throughout.
  std::optional<at::ScalarType> autocast;

  bool loss_scaling() const { return autocast == at::kHalf; }
  std::string precision() const;  ///< "float32", "bf16 autocast", "fp16 autocast"
  std::string describe() const;   ///< "cpu, float32", "cuda:1, bf16 autocast"
};

/// Resolves `device: auto|cpu|cuda` and `precision.amp: auto|off|bf16|fp16` on this machine: auto
/// is bf16 where the processor has bf16 arithmetic (AVX512-BF16, AMX, GPUs from Ampere on), fp16 on
/// older GPUs, off elsewhere: emulated bf16 is many times slower than float32.
/// @throws ConfigError for cuda without a GPU (or in a program built without), fp16 on the CPU.
Compute choose_compute(const std::string& device, const std::string& amp, int local_rank);

/// The most memory of a GPU that this process has held for tensors, bytes; 0 on the CPU.
std::uint64_t peak_device_bytes(const at::Device& device);

/// Whether this processor computes in bf16 natively.
bool cpu_has_bf16();

/// Autocast for the lifetime of the object.
class AutocastScope {
 public:
  explicit AutocastScope(const Compute& compute);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  at::DeviceType device_;
  bool was_enabled_ = false;
  at::ScalarType was_type_ = at::kFloat;
  bool active_ = false;
};

/// Where batches on their way to `device` should lie: page-locked memory for a GPU, which copies
/// from it without a detour; ordinary memory for the CPU.
dataio::BufferAllocator batch_memory(const at::Device& device);

/// A batch's pictures, all views of one after another, as `[N * views, 3, H, W]` channels-last on
/// the device; on the CPU without a copy (the tensor keeps the buffer alive).
at::Tensor images_tensor(const dataio::Batch& batch, const at::Device& device);
/// A training batch's soft targets as `[N, num_classes]`.
at::Tensor targets_tensor(const dataio::Batch& batch, const at::Device& device);

}  // namespace casvit::trainer
