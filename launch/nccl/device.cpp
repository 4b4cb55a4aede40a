#include "launch/nccl/device.h"

#include <cstring>
#include <map>
#include <vector>

#include "launch/error.h"
#include "launch/nccl/check.h"

namespace casvit::launch {
namespace {

/// As nvidia-smi -L prints it.
std::string uuid_text(const cudaUUID_t& uuid) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text = "GPU";
  for (std::size_t i = 0; i < sizeof(uuid.bytes); ++i) {
    if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    const auto byte = static_cast<unsigned char>(uuid.bytes[i]);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

}  // namespace

int device_of_rank(int local_rank) {
  int devices = 0;
  CASVIT_CHECK_CUDA(cudaGetDeviceCount(&devices));
  if (devices == 1) return 0;
  if (local_rank >= devices) {
    throw WorldError("this node has " + std::to_string(devices) + " GPUs, and rank " +
                     std::to_string(local_rank) +
                     " of the node (counted from 0) gets none; start one rank a GPU");
  }
  return local_rank;
}

DeviceFacts describe_device(int device) {
  cudaDeviceProp properties{};
  CASVIT_CHECK_CUDA(cudaGetDeviceProperties(&properties, device));
  CASVIT_CHECK_CUDA(cudaSetDevice(device));
  std::size_t free = 0;
  std::size_t total = 0;
  CASVIT_CHECK_CUDA(cudaMemGetInfo(&free, &total));
  return {properties.name, uuid_text(properties.uuid), total, free};
}

void refuse_shared_devices(Communicator& host, int device) {
  cudaDeviceProp properties{};
  CASVIT_CHECK_CUDA(cudaGetDeviceProperties(&properties, device));
  const std::vector<std::string> all = all_gather_strings(host, uuid_text(properties.uuid));
  std::map<std::string, std::size_t> owners;
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    const auto [owner, is_new] = owners.try_emplace(all[rank], rank);
    if (is_new) continue;
    throw WorldError("ranks " + std::to_string(owner->second) + " and " + std::to_string(rank) +
                     " would share one GPU (" + all[rank] +
                     "); start one rank a GPU, and show each node's ranks different ones");
  }
}

}  // namespace casvit::launch
