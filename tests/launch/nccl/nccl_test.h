#pragma once

// The fixture of the tests of NcclCommunicator over the fakes.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "launch/nccl/device.h"
#include "launch/nccl_communicator.h"
#include "launch/reduction.h"
#include "tests/launch/nccl/fake_gpu.h"
#include "tests/launch/world_main.h"

namespace casvit::launch {

/// A GPU with a stream to compute on, and the communicator. While operations are in flight nothing
/// else may use the world: each test ends with everything done.
class NcclTest : public testing::Test {
 protected:
  NcclTest() {
    fake::install(test_world());
    cudaStreamCreateWithFlags(&compute_, cudaStreamNonBlocking);
    NcclOptions options;
    options.device = device_of_rank(test_world().local_rank());
    options.who = "rank " + std::to_string(rank_);
    options.timeout = std::chrono::milliseconds(60'000);
    options.compute_stream = [this] { return compute_; };
    options.on_issued = [this](std::uint64_t number) { last_issued_ = number; };
    options.sum_halves = sum_halves;
    options.find_dead = [this] { return std::string(died_ ? kDead : ""); };
    nccl_ = std::make_unique<NcclCommunicator>(test_world().communicator(), options);
  }
  ~NcclTest() override {
    nccl_.reset();
    fake::synchronize(compute_);
    cudaStreamDestroy(compute_);
  }

  /// What a program would have a kernel do.
  static void sum_halves(const void* parts, void* output, std::size_t blocks, std::size_t count,
                         ElementType type, void* stream) {
    fake::launch_on(static_cast<cudaStream_t>(stream), [=] {
      std::vector<const void*> inputs;
      for (std::size_t i = 0; i < blocks; ++i) {
        inputs.push_back(static_cast<const std::byte*>(parts) + i * count * element_bytes(type));
      }
      reduce(inputs, output, count, type, ReduceOp::kSum);
    });
  }

  /// Waits as a program would: the compute stream for the collective, the host for the stream.
  void finish(Completion completion) {
    completion.wait();
    EXPECT_TRUE(fake::synchronize(compute_));
    nccl_->synchronize();
  }

  const int rank_ = test_world().rank();
  const int size_ = test_world().size();
  const std::size_t ranks_ = static_cast<std::size_t>(test_world().size());
  cudaStream_t compute_ = nullptr;
  std::uint64_t last_issued_ = 0;
  static constexpr const char* kDead = "rank 9 on there died, the last that it issued was ...";
  std::atomic<bool> died_{false};
  std::unique_ptr<NcclCommunicator> nccl_;
};

}  // namespace casvit::launch
