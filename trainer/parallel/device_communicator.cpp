#include "trainer/parallel/device_communicator.h"

#ifdef CASVIT_WITH_CUDA
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "launch/nccl_communicator.h"
#endif

namespace casvit::trainer {
#ifdef CASVIT_WITH_CUDA
namespace {

/// NcclOptions::sum_halves.
void sum_halves(const void* parts, void* output, std::size_t blocks, std::size_t count,
                launch::ElementType type, void* stream, c10::DeviceIndex device) {
  const c10::cuda::CUDAStreamGuard guard(
      c10::cuda::getStreamFromExternal(static_cast<cudaStream_t>(stream), device));
  const at::NoGradGuard no_grad;
  const auto options =
      at::TensorOptions()
          .dtype(type == launch::ElementType::kBFloat16 ? at::kBFloat16 : at::kHalf)
          .device(at::kCUDA, device);
  const auto length = static_cast<std::int64_t>(count);
  const at::Tensor all =
      at::from_blob(const_cast<void*>(parts), {static_cast<std::int64_t>(blocks), length}, options);
  at::Tensor sum = all[0].to(at::kFloat);
  for (std::int64_t block = 1; block < all.size(0); ++block) {
    sum.add_(all[block]);
  }
  at::from_blob(output, {length}, options).copy_(sum);
}

}  // namespace
#endif

std::unique_ptr<launch::Communicator> make_device_communicator(launch::World& world,
                                                               const c10::Device& device) {
  if (!device.is_cuda() || world.size() == 1) {
    return nullptr;
  }
#ifdef CASVIT_WITH_CUDA
  // Backward issues collectives from threads of its own, whose current stream is asked each time.
  const auto current_stream = [index = device.index()]() -> void* {
    return c10::cuda::getCurrentCUDAStream(index).stream();
  };
  launch::NcclOptions options = launch::nccl_options(world, device.index(), current_stream);
  options.sum_halves = [index = device.index()](const void* parts, void* output, std::size_t blocks,
                                                std::size_t count, launch::ElementType type,
                                                void* stream) {
    sum_halves(parts, output, blocks, count, type, stream, index);
  };
  return std::make_unique<launch::NcclCommunicator>(world.communicator(), options);
#else
  return nullptr;  // a program built without CUDA has no such device
#endif
}

}  // namespace casvit::trainer
