#pragma once

#include <cstdint>
#include <string>

#include "launch/communicator.h"

namespace casvit::launch {

/// The GPU of the rank that is number `local_rank` on its node: the one of that number, or the only
/// one where each rank is shown one alone (CUDA_VISIBLE_DEVICES, Slurm's --gpus-per-task).
/// @throws WorldError where there are too few.
int device_of_rank(int local_rank);

struct DeviceFacts {
  std::string name;  ///< "NVIDIA H100 80GB HBM3"
  std::string uuid;  ///< as nvidia-smi -L prints it
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
};

/// @throws CommunicationError where the device cannot be used.
DeviceFacts describe_device(int device);

/// Makes sure that no two ranks compute on one GPU, by the GPUs' UUIDs, whatever number each rank
/// knows its own by. Collective over `host`.
/// @throws WorldError naming both ranks and the GPU.
void refuse_shared_devices(Communicator& host, int device);

}  // namespace casvit::launch
