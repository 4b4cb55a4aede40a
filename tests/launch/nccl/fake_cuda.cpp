#include <cuda_runtime.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "tests/launch/nccl/fake_gpu.h"
#include "tests/launch/nccl/fake_stream.h"

namespace casvit::launch::fake {
namespace {

std::atomic<bool> broken{false};
std::atomic<int> device_count{0};  // read by the communicator's own threads too
std::atomic<bool> one_for_all{false};

}  // namespace

void break_device() { broken = true; }

void set_device_count(int count) { device_count = count; }
void show_everyone_the_same_device(bool yes) { one_for_all = yes; }

void launch_on(cudaStream_t stream, std::function<void()> body) { stream->put(std::move(body)); }

bool synchronize(cudaStream_t stream) {
  stream->wait_until_empty();
  return !broken;
}

}  // namespace casvit::launch::fake

using casvit::launch::fake::broken;

CUstream_st::CUstream_st() : thread([this] { run(); }) {}

CUstream_st::~CUstream_st() {
  {
    const std::lock_guard lock(mutex);
    stop = true;
    changed.notify_all();
  }
  thread.join();
}

void CUstream_st::put(std::function<void()> work) {
  const std::lock_guard lock(mutex);
  queue.push_back(std::move(work));
  changed.notify_all();
}

void CUstream_st::wait_until_empty() {
  std::unique_lock lock(mutex);
  changed.wait(lock, [this] { return queue.empty() && !busy; });
}

void CUstream_st::run() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return !queue.empty() || stop; });
    if (queue.empty()) return;
    const std::function<void()> work = std::move(queue.front());
    queue.pop_front();
    busy = true;
    lock.unlock();
    work();
    lock.lock();
    busy = false;
    changed.notify_all();
  }
}

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = casvit::launch::fake::device_count;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= casvit::launch::fake::device_count) return cudaErrorInvalidDevice;
  return broken ? cudaErrorLaunchFailure : cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp* properties, int device) {
  std::memset(properties, 0, sizeof *properties);
  const int number = casvit::launch::fake::one_for_all ? 0 : device;
  std::strcpy(properties->name, "Fake GPU");
  properties->uuid.bytes[0] = static_cast<char>(0xf0);
  properties->uuid.bytes[15] = static_cast<char>(number);
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *free = 60'000'000'000;
  *total = 80'000'000'000;
  return cudaSuccess;
}

const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorLaunchFailure   ? "unspecified launch failure"
         : error == cudaErrorInvalidDevice ? "invalid device ordinal"
                                           : "fake error";
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  *memory = std::calloc(1, bytes);
  return *memory == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes,
                            enum cudaMemcpyKind /*kind*/, cudaStream_t stream) {
  stream->put([=] { std::memcpy(to, from, bytes); });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int flags) {
  if (flags != cudaStreamNonBlocking) return cudaErrorInvalidValue;
  *stream = new CUstream_st;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int flags) {
  if (flags != 0) return cudaErrorInvalidValue;
  const std::shared_ptr<EventState> state = event->state;
  const std::lock_guard lock(state->mutex);
  stream->put([state, ticket = state->recorded] {
    std::unique_lock wait(state->mutex);
    state->changed.wait(wait, [&] { return state->passed >= ticket; });
  });
  return broken ? cudaErrorLaunchFailure : cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int flags) {
  if (flags != cudaEventDisableTiming) return cudaErrorInvalidValue;
  *event = new CUevent_st;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const std::shared_ptr<EventState> state = event->state;
  const std::lock_guard lock(state->mutex);
  stream->put([state, ticket = ++state->recorded] {
    const std::lock_guard pass(state->mutex);
    state->passed = ticket;
    state->changed.notify_all();
  });
  return broken ? cudaErrorLaunchFailure : cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (broken) return cudaErrorLaunchFailure;
  const std::lock_guard lock(event->state->mutex);
  return event->state->passed == event->state->recorded ? cudaSuccess : cudaErrorNotReady;
}

}  // extern "C"
