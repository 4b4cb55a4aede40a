#pragma once

// GPUs and NCCL made of threads and host memory: streams are queues that a thread each works off,
// collectives exchange for real, over MPI. The functions are those of cuda_runtime.h and nccl.h;
// this is what tests set up and look at.

#include <cuda_runtime.h>

#include <functional>
#include <string>
#include <vector>

#include "launch/world.h"

namespace casvit::launch::fake {

/// What goes wrong on this rank. Collectives are counted from 1, in the order of the calls.
struct Faults {
  int error_at = 0;          ///< the call returns ncclSystemError
  int call_stalls_at = 0;    ///< the call does not come back before the communicator is aborted
  int stream_stalls_at = 0;  ///< it comes back, but the device never gets it done
  int async_error_at = 0;  ///< the call is good, and then ncclCommGetAsyncError has ncclRemoteError
  int device_fails_at = 0;    ///< what runs on the device crashes there
  bool init_fails = false;    ///< ncclCommInitRankConfig returns ncclSystemError
  bool init_stalls = false;   ///< the communicator never comes about
  bool abort_stalls = false;  ///< ncclCommAbort does not come back, and ends nothing
};

/// Before anything else; NCCL's ranks are the world's. While operations are in flight nothing else
/// may use the world.
void install(World& world);
Faults& faults();

/// GPUs of this node; as many as it has ranks unless set.
void set_device_count(int count);
/// Has all ranks see one and the same GPU under whatever number.
void show_everyone_the_same_device(bool yes);

/// Runs `body` on a stream, after what it holds: a kernel.
void launch_on(cudaStream_t stream, std::function<void()> body);
/// Blocks until the stream is empty; false after a fault of the device.
bool synchronize(cudaStream_t stream);

/// How many collectives there were, as Faults counts them.
int collectives();
/// The functions of NCCL that this rank called, in order, but for polling and texts of errors.
std::vector<std::string> calls();
void forget_calls();

}  // namespace casvit::launch::fake
