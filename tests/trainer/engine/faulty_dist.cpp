// casvit_dist with faults: linked with its commands into a program for training_faults_test.py,
// whose environment says what goes wrong, on which rank and at which call. The functions below take
// the place of the libraries' own.
//
//   CASVIT_TEST_FAULT       mpi-fails, mpi-hangs, backward-throws, fsync-is-slow, disk-is-full
//   CASVIT_TEST_FAULT_RANK  where
//   CASVIT_TEST_FAULT_CALL  at which call of the function at fault, from 1

#include <ATen/ATen.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <torch/library.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "launch/mpi/check.h"

namespace {

/// Messages of this size are gradients, and nothing else is.
constexpr int kGradientBytes = 64 << 10;

int number_from(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? -1 : std::atoi(text);
}

/// Whether this fault is this rank's.
bool planned(std::string_view fault) {
  const char* text = std::getenv("CASVIT_TEST_FAULT");
  return text != nullptr && fault == text &&
         number_from("CASVIT_TEST_FAULT_RANK") == number_from("OMPI_COMM_WORLD_RANK");
}

/// Counts calls; true at the one that is to fail, of which it says the time.
bool is_time(std::atomic<int>& calls) {
  if (++calls != number_from("CASVIT_TEST_FAULT_CALL")) return false;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  std::fprintf(stderr, "fault at %.3f\n", std::chrono::duration<double>(now).count());
  return true;
}

[[noreturn]] void hang() {
  while (true) std::this_thread::sleep_for(std::chrono::hours(1));
}

at::Tensor log_softmax_backward(const at::Tensor& gradient, const at::Tensor& output,
                                std::int64_t dim, at::ScalarType /*input_type*/) {
  static std::atomic<int> calls{0};
  if (planned("backward-throws") && is_time(calls)) {
    throw std::runtime_error("a gradient of the test went wrong");
  }
  return gradient - output.exp() * gradient.sum(dim, /*keepdim=*/true);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, CPU, library) {
  library.impl("_log_softmax_backward_data", log_softmax_backward);
}

extern "C" int MPI_Irecv(void* data, int count, MPI_Datatype type, int peer, int tag,
                         MPI_Comm communicator, MPI_Request* request) {
  static const bool kFails = planned("mpi-fails");
  static const bool kHangs = planned("mpi-hangs");
  static std::atomic<int> calls{0};
  if (count >= kGradientBytes && (kFails || kHangs) && is_time(calls)) {
    if (kHangs) hang();
    return MPI_ERR_OTHER;
  }
  return PMPI_Irecv(data, count, type, peer, tag, communicator, request);
}

// By the names that the linker knows: headers name the parameters of these in their own way.
extern "C" int slow_fsync(int descriptor) __asm__("fsync");
int slow_fsync(int descriptor) {
  if (planned("fsync-is-slow")) std::this_thread::sleep_for(std::chrono::seconds(1));
  return static_cast<int>(syscall(SYS_fsync, descriptor));
}

extern "C" int full_statvfs(const char* path, struct statvfs* disk) __asm__("statvfs");
int full_statvfs(const char* path, struct statvfs* disk) {
  // Of everything that is asked for here, only free space counts.
  *disk = {};
  disk->f_frsize = 4096;
  disk->f_blocks = 1'000'000'000;
  disk->f_bavail = planned("disk-is-full") ? 100 : disk->f_blocks;
  return access(path, F_OK);
}
