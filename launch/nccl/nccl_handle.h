#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "launch/nccl/check.h"

namespace casvit::launch {

/// One communicator of NCCL's (its handle), made without blocking. NCCL's calls come back at once
/// and may leave work that goes on (ncclInProgress): `settle` waits for that under a deadline. One
/// thread may use it while another one asks for trouble or releases it.
class NcclHandle {
 public:
  using Duration = std::chrono::milliseconds;

  NcclHandle() = default;
  NcclHandle(const NcclHandle&) = delete;
  NcclHandle& operator=(const NcclHandle&) = delete;
  /// Collective; begins to make the communicator of all ranks. `settle` says when it is there.
  void start(int ranks, const ncclUniqueId& id, int rank);
  /// Collective over `parent`; begins to make one of those that give the same color.
  void start_split(const NcclHandle& parent, int color, int rank);

  /// Waits until what was called last has been taken up.
  /// @throws CommunicationError when it failed, or took longer than `limit`; "creating the
  /// communicator: ..." for doing "creating the communicator".
  void settle(const std::string& doing, Duration limit) const;

  /// Not ncclInProgress, but what is wrong; ncclSuccess while nothing is.
  ncclResult_t trouble() const;
  /// Null once released: NCCL refuses that.
  ncclComm_t get() const;

  /// Waits for what was issued and frees it. @throws CommunicationError
  void finish(Duration limit);
  /// For whoever aborts it, which frees it.
  ncclComm_t release();

 private:
  /// The asynchronous state; `what` where it cannot be asked for any more.
  ncclResult_t state(ncclResult_t what) const;

  mutable std::mutex mutex_;  ///< so that nobody asks what is being released
  ncclComm_t handle_ = nullptr;
};

/// Ends whatever the communicators do and frees them, on a thread of its own, for NCCL promises no
/// time. False when that took longer than `limit`: the thread then goes on alone.
bool abort_within(std::vector<ncclComm_t> communicators, NcclHandle::Duration limit);

}  // namespace casvit::launch
