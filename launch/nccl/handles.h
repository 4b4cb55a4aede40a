#pragma once

#include <cstddef>
#include <utility>

#include "launch/nccl/check.h"

namespace casvit::launch {

/// A stream of our own, which does not wait for the default stream. What it returns on destruction
/// is of no use to anybody by then.
class DeviceStream {
 public:
  DeviceStream() { CASVIT_CHECK_CUDA(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
  DeviceStream(const DeviceStream&) = delete;
  DeviceStream& operator=(const DeviceStream&) = delete;
  ~DeviceStream() { cudaStreamDestroy(stream_); }

  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

/// A point on a stream, without its time.
class DeviceEvent {
 public:
  DeviceEvent() { CASVIT_CHECK_CUDA(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming)); }
  DeviceEvent(const DeviceEvent&) = delete;
  DeviceEvent& operator=(const DeviceEvent&) = delete;
  ~DeviceEvent() { cudaEventDestroy(event_); }

  void record(cudaStream_t stream) { CASVIT_CHECK_CUDA(cudaEventRecord(event_, stream)); }
  /// What is put on `stream` from now on begins after this.
  void hold_back(cudaStream_t stream) const {
    CASVIT_CHECK_CUDA(cudaStreamWaitEvent(stream, event_, 0));
  }
  /// @throws CommunicationError when something on the device failed.
  bool passed() const {
    const cudaError_t code = cudaEventQuery(event_);
    if (code == cudaErrorNotReady) return false;
    check_cuda(code, "cudaEventQuery", __FILE__, __LINE__);
    return true;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

/// Memory on the device that grows and never shrinks.
class DeviceScratch {
 public:
  DeviceScratch() = default;
  DeviceScratch(const DeviceScratch&) = delete;
  DeviceScratch& operator=(const DeviceScratch&) = delete;
  ~DeviceScratch() { cudaFree(memory_); }

  /// At least so many bytes. Growing waits for the device: what used the former memory is over.
  void* reserve(std::size_t bytes) {
    if (bytes > bytes_) {
      CASVIT_CHECK_CUDA(cudaFree(std::exchange(memory_, nullptr)));
      bytes_ = 0;
      CASVIT_CHECK_CUDA(cudaMalloc(&memory_, bytes));
      bytes_ = bytes;
    }
    return memory_;
  }

 private:
  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace casvit::launch
