#include "launch/nccl/nccl_handle.h"

#include <cstdio>
#include <future>
#include <thread>
#include <utility>

#include "launch/error.h"

namespace casvit::launch {
namespace {

constexpr std::chrono::microseconds kPoll{200};

}  // namespace

void NcclHandle::start(int ranks, const ncclUniqueId& id, int rank) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  CASVIT_CHECK_NCCL(ncclCommInitRankConfig(&handle_, ranks, id, rank, &config));
}

void NcclHandle::start_split(const NcclHandle& parent, int color, int rank) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  CASVIT_CHECK_NCCL(ncclCommSplit(parent.get(), color, rank, &handle_, &config));
}

ncclResult_t NcclHandle::state(ncclResult_t what) const {
  const std::lock_guard lock(mutex_);
  if (handle_ == nullptr) return what;
  ncclResult_t found = ncclSuccess;
  const ncclResult_t code = ncclCommGetAsyncError(handle_, &found);
  return code == ncclSuccess || code == ncclInProgress ? found : code;
}

void NcclHandle::settle(const std::string& doing, Duration limit) const {
  const auto start = std::chrono::steady_clock::now();
  while (true) {
    const ncclResult_t found = state(ncclInvalidUsage);
    if (found == ncclSuccess) return;
    if (found != ncclInProgress) {
      throw CommunicationError(doing + ": " + nccl_error_text(found, nullptr));
    }
    if (limit.count() > 0 && std::chrono::steady_clock::now() - start >= limit) {
      char text[48];
      std::snprintf(text, sizeof text, ": not done after %.3g s",
                    std::chrono::duration<double>(limit).count());
      throw CommunicationError(doing + text);
    }
    std::this_thread::sleep_for(kPoll);
  }
}

ncclResult_t NcclHandle::trouble() const {
  const ncclResult_t found = state(ncclSuccess);
  return found == ncclInProgress ? ncclSuccess : found;
}

ncclComm_t NcclHandle::get() const {
  const std::lock_guard lock(mutex_);
  return handle_;
}

void NcclHandle::finish(Duration limit) {
  CASVIT_CHECK_NCCL(ncclCommFinalize(get()));
  settle("finishing the communicator", limit);
  CASVIT_CHECK_NCCL(ncclCommDestroy(release()));
}

ncclComm_t NcclHandle::release() {
  const std::lock_guard lock(mutex_);
  return std::exchange(handle_, nullptr);
}

bool abort_within(std::vector<ncclComm_t> communicators, NcclHandle::Duration limit) {
  std::packaged_task<void()> abort([communicators = std::move(communicators)] {
    // Its own errors are of no interest: the communicator is given up.
    for (ncclComm_t communicator : communicators) {
      if (communicator != nullptr) ncclCommAbort(communicator);
    }
  });
  std::future<void> done = abort.get_future();
  std::thread(std::move(abort)).detach();
  return done.wait_for(limit) == std::future_status::ready;
}

}  // namespace casvit::launch
