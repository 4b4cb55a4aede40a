#include "trainer/parallel/device_communicator.h"

#ifdef CASVIT_WITH_CUDA
#include <c10/cuda/CUDAStream.h>

#include "launch/nccl_communicator.h"
#endif

namespace casvit::trainer {

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
  return std::make_unique<launch::NcclCommunicator>(
      world.communicator(), launch::nccl_options(world, device.index(), current_stream));
#else
  return nullptr;  // a program built without CUDA has no such device
#endif
}

}  // namespace casvit::trainer
