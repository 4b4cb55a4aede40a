#pragma once

// The inside of the fake NCCL: what a rank was asked for, and how ranks exchange it, over MPI.

#include <nccl.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/launch/nccl/fake_gpu.h"

/// Nothing is ever freed: what was aborted may still be looked at by who does not know yet.
struct ncclComm {
  int ranks = 1;
  int rank = 0;
  std::string key;           ///< the same on all its ranks, and on them alone
  std::vector<int> members;  ///< ranks of the world, found out by the first collective
  std::atomic<bool> aborted{false};
  std::atomic<bool> finalized{false};
  std::atomic<int> polls_in_progress{
      0};  ///< how often it says ncclInProgress yet; negative: always
  std::atomic<int> error{ncclSuccess};
};

namespace casvit::launch::fake {

/// Sends and receives of one group: each rank's with each, of one size.
struct Messages {
  ncclComm_t communicator = nullptr;
  cudaStream_t stream = nullptr;
  std::size_t bytes = 0;
  std::vector<const void*> sends;  ///< by peer
  std::vector<void*> receives;
};

/// What this process was asked for; one process is one rank.
struct Job {
  std::unique_ptr<Communicator> host;
  Faults faults;
  std::atomic<int> collectives{0};
  std::mutex mutex;
  std::vector<std::string> calls;
  int group_depth = 0;
  std::vector<std::pair<cudaStream_t, std::function<void()>>> grouped;
  Messages messages;
};

Job& job();

/// For calls().
void note(const std::string& call);
void nap();  ///< between two looks at something
ElementType element_of(ncclDataType_t type);

/// What a collective makes of its members' inputs, in order.
using Combine = std::function<void(const ncclComm&, const std::vector<const void*>&)>;

/// Puts a collective of `bytes` from each on the stream, or has it fail as `Faults` say.
ncclResult_t submit(const char* name, ncclComm_t communicator, cudaStream_t stream,
                    const void* send, std::size_t bytes, Combine combine);

/// Notes one message of the open group; the communicator uses them in no other way.
ncclResult_t add_message(const char* name, ncclComm_t communicator, cudaStream_t stream, int peer,
                         std::size_t bytes, const void* send, void* receive);

/// What the messages of a group do on the device: everybody sees what everybody sends, and takes
/// its own.
void exchange(const Messages& messages);

}  // namespace casvit::launch::fake
