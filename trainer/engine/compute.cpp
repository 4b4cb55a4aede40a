#include "trainer/engine/compute.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>

#ifdef CASVIT_WITH_CUDA
#include <c10/cuda/CUDACachingAllocator.h>
#include <cuda_runtime_api.h>

#include "launch/nccl/device.h"
#endif

#include <algorithm>
#include <stdexcept>
#include <string>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

at::Device choose_device(const std::string& name, int local_rank) {
  if (name == "cpu") {
    return at::kCPU;
  }
#ifdef CASVIT_WITH_CUDA
  const int devices =
      at::hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().deviceCount()) : 0;
  if (devices > 0) {
    return {at::kCUDA, static_cast<at::DeviceIndex>(launch::device_of_rank(local_rank))};
  }
  if (name == "cuda") {
    throw ConfigError(
        "device: cuda was asked for, but no GPU can be used here; use device: cpu or auto");
  }
#else
  static_cast<void>(local_rank);
  if (name == "cuda") {
    throw ConfigError(
        "device: cuda was asked for, but this program was built without CUDA; build the cuda "
        "preset (tools/build cuda), or use device: cpu or auto");
  }
#endif
  return at::kCPU;
}

bool device_has_bf16(const at::Device& device) {
  if (device.is_cpu()) {
    return cpu_has_bf16();
  }
#ifdef CASVIT_WITH_CUDA
  int major = 0;
  const cudaError_t status =
      cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device.index());
  return status == cudaSuccess && major >= 8;  // Ampere
#else
  return false;
#endif
}

}  // namespace

bool cpu_has_bf16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") != 0;  // every processor with AMX has it too
#elif defined(__ARM_FEATURE_BF16)
  return true;
#else
  return false;
#endif
}

std::uint64_t peak_device_bytes(const at::Device& device) {
#ifdef CASVIT_WITH_CUDA
  if (device.is_cuda()) {
    const auto stats = c10::cuda::CUDACachingAllocator::getDeviceStats(device.index());
    constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    return static_cast<std::uint64_t>(stats.reserved_bytes[kAll].peak);
  }
#else
  static_cast<void>(device);
#endif
  return 0;
}

std::string Compute::precision() const {
  if (!autocast) {
    return "float32";
  }
  return *autocast == at::kHalf ? "fp16 autocast" : "bf16 autocast";
}

std::string Compute::describe() const { return device.str() + ", " + precision(); }

Compute choose_compute(const std::string& device, const std::string& amp, int local_rank) {
  Compute compute;
  compute.device = choose_device(device, local_rank);
  if (amp == "fp16" && compute.device.is_cpu()) {
    throw ConfigError("precision.amp: fp16 needs a GPU; on the CPU use auto, bf16 or off");
  }
  if (amp == "bf16" || (amp == "auto" && device_has_bf16(compute.device))) {
    compute.autocast = at::kBFloat16;
  } else if (amp == "fp16" || (amp == "auto" && compute.device.is_cuda())) {
    compute.autocast = at::kHalf;
  }
  return compute;
}

AutocastScope::AutocastScope(const Compute& compute) : device_(compute.device.type()) {
  if (!compute.autocast) {
    return;
  }
  active_ = true;
  was_enabled_ = at::autocast::is_autocast_enabled(device_);
  was_type_ = at::autocast::get_autocast_dtype(device_);
  at::autocast::set_autocast_enabled(device_, true);
  at::autocast::set_autocast_dtype(device_, *compute.autocast);
}

AutocastScope::~AutocastScope() {
  if (active_) {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, was_enabled_);
    at::autocast::set_autocast_dtype(device_, was_type_);
  }
}

dataio::BufferAllocator batch_memory(const at::Device& device) {
#ifdef CASVIT_WITH_CUDA
  if (device.is_cuda()) {
    const auto check = [](cudaError_t status, const char* what) {
      if (status != cudaSuccess) {
        throw std::runtime_error(std::string(what) + " failed: " + cudaGetErrorString(status));
      }
    };
    return {[check, index = static_cast<int>(device.index())](std::size_t bytes) {
              // A loader's thread would otherwise make a context on GPU 0, whoever's that is.
              check(cudaSetDevice(index), "cudaSetDevice");
              void* memory = nullptr;
              check(cudaHostAlloc(&memory, bytes, cudaHostAllocPortable), "cudaHostAlloc");
              return memory;
            },
            // At exit the driver may have gone before the last batch, and the memory with it.
            [](void* memory) { static_cast<void>(cudaFreeHost(memory)); }};
  }
#else
  static_cast<void>(device);
#endif
  return {};
}

at::Tensor images_tensor(const dataio::Batch& batch, const at::Device& device) {
  const std::int64_t views = static_cast<std::int64_t>(batch.labels.size()) * batch.views;
  const std::int64_t size = batch.image_size;
  const std::shared_ptr<float[]> owner = batch.images;
  at::Tensor nhwc = at::from_blob(
      owner.get(), {views, size, size, 3}, [owner](void*) {},
      at::TensorOptions().dtype(at::kFloat));
  const at::Tensor images = nhwc.permute({0, 3, 1, 2});
  return device.is_cpu() ? images : images.to(device);
}

at::Tensor targets_tensor(const dataio::Batch& batch, const at::Device& device) {
  const auto samples = static_cast<std::int64_t>(batch.labels.size());
  const auto classes = static_cast<std::int64_t>(batch.targets.size()) / samples;
  const at::Tensor targets = at::empty({samples, classes}, at::kFloat);
  std::copy(batch.targets.begin(), batch.targets.end(), targets.mutable_data_ptr<float>());
  return targets.to(device);
}

}  // namespace casvit::trainer
