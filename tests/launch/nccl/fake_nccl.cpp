#include <nccl.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "launch/reduction.h"
#include "tests/launch/nccl/fake_gpu.h"
#include "tests/launch/nccl/fake_stream.h"

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
namespace {

/// Sends and receives of one group: each rank's with each, of one size.
struct Messages {
  ncclComm_t communicator = nullptr;
  cudaStream_t stream = nullptr;
  std::size_t bytes = 0;
  std::vector<const void*> sends;  ///< by peer
  std::vector<void*> receives;
};

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

Job& job() {
  static Job the_job;
  return the_job;
}

void note(const std::string& call) {
  const std::lock_guard lock(job().mutex);
  job().calls.push_back(call);
}

void nap() { std::this_thread::sleep_for(std::chrono::microseconds(200)); }

void until_aborted(const ncclComm& communicator) {
  while (!communicator.aborted) nap();
}

/// Everyone's `bytes`, a rank of the world after the other; nothing when it was aborted or failed.
/// What MPI may still write to lives for ever then.
std::shared_ptr<std::vector<std::byte>> gather(ncclComm& communicator, const void* mine,
                                               std::size_t bytes) {
  Communicator& host = *job().host;
  const auto ranks = static_cast<std::size_t>(host.size());
  auto* const buffers = new std::pair<std::vector<std::byte>, std::vector<std::byte>>;
  buffers->first.resize(bytes);
  if (bytes > 0) std::memcpy(buffers->first.data(), mine, bytes);
  buffers->second.resize(bytes * ranks);
  try {
    Completion completion =
        host.all_gather(buffers->first.data(), buffers->second.data(), bytes, ElementType::kUInt8);
    while (!completion.done()) {
      if (communicator.aborted) return nullptr;
      nap();
    }
    completion.wait();
  } catch (const std::exception&) {
    communicator.error = ncclRemoteError;
    until_aborted(communicator);
    return nullptr;
  }
  auto all = std::make_shared<std::vector<std::byte>>(std::move(buffers->second));
  delete buffers;
  return all;
}

/// Who has the same key. False when that went wrong.
bool find_members(ncclComm& communicator) {
  if (!communicator.members.empty()) return true;
  constexpr std::size_t kKeyBytes = 160;
  std::string key = communicator.key;
  key.resize(kKeyBytes);
  const auto all = gather(communicator, key.data(), kKeyBytes);
  if (!all) return false;
  for (int rank = 0; rank < job().host->size(); ++rank) {
    const auto* theirs = all->data() + kKeyBytes * static_cast<std::size_t>(rank);
    if (std::memcmp(theirs, key.data(), kKeyBytes) == 0) communicator.members.push_back(rank);
  }
  if (communicator.ranks == 0) communicator.ranks = static_cast<int>(communicator.members.size());
  if (communicator.ranks != static_cast<int>(communicator.members.size())) {
    communicator.error = ncclInvalidUsage;  // ids that differ
    return false;
  }
  for (std::size_t i = 0; i < communicator.members.size(); ++i) {
    if (communicator.members[i] == job().host->rank()) communicator.rank = static_cast<int>(i);
  }
  return true;
}

ElementType element_of(ncclDataType_t type) {
  switch (type) {
    case ncclFloat32:
      return ElementType::kFloat32;
    case ncclFloat64:
      return ElementType::kFloat64;
    case ncclBfloat16:
      return ElementType::kBFloat16;
    case ncclFloat16:
      return ElementType::kFloat16;
    case ncclInt64:
      return ElementType::kInt64;
    default:
      return ElementType::kUInt8;
  }
}

/// What a collective makes of its members' inputs, in order.
using Combine = std::function<void(const ncclComm&, const std::vector<const void*>&)>;

ncclResult_t submit(const char* name, ncclComm_t communicator, cudaStream_t stream,
                    const void* send, std::size_t bytes, Combine combine) {
  if (communicator == nullptr || communicator->aborted || communicator->finalized) {
    return ncclInvalidArgument;
  }
  note(name);
  const Faults& faults = job().faults;
  const int call = ++job().collectives;
  if (call == faults.error_at) return ncclSystemError;
  if (call == faults.call_stalls_at) {
    until_aborted(*communicator);
    return ncclInternalError;
  }
  std::function<void()> kernel = [=] {
    if (communicator->aborted) return;
    if (call == faults.stream_stalls_at) return until_aborted(*communicator);
    if (call == faults.device_fails_at) return break_device();
    if (!find_members(*communicator)) return;
    const auto all = gather(*communicator, send, bytes);
    if (!all) return;
    std::vector<const void*> inputs;
    for (const int member : communicator->members) {
      inputs.push_back(all->data() + bytes * static_cast<std::size_t>(member));
    }
    combine(*communicator, inputs);
  };
  if (job().group_depth > 0) {
    job().grouped.emplace_back(stream, std::move(kernel));
  } else {
    stream->put(std::move(kernel));
  }
  if (call == faults.async_error_at) communicator->error = ncclRemoteError;
  // Taken up a little later, every other time.
  if (call % 2 == 0) return ncclSuccess;
  communicator->polls_in_progress = 2;
  return ncclInProgress;
}

/// Notes one message of the open group; the communicator uses them in no other way.
ncclResult_t add_message(const char* name, ncclComm_t communicator, cudaStream_t stream, int peer,
                         std::size_t bytes, const void* send, void* receive) {
  note(name);
  Messages& messages = job().messages;
  if (communicator == nullptr || communicator->aborted || communicator->finalized) {
    return ncclInvalidArgument;
  }
  if (job().group_depth == 0 || (messages.bytes != 0 && messages.bytes != bytes)) {
    return ncclInvalidUsage;
  }
  messages.communicator = communicator;
  messages.stream = stream;
  messages.bytes = bytes;
  const auto expected = send != nullptr ? messages.sends.size() : messages.receives.size();
  if (peer != static_cast<int>(expected)) return ncclInvalidUsage;
  if (send != nullptr) messages.sends.push_back(send);
  if (receive != nullptr) messages.receives.push_back(receive);
  return ncclSuccess;
}

/// What the messages of a group do on the device: everybody sees what everybody sends, and takes
/// its own.
void exchange(const Messages& messages) {
  ncclComm& communicator = *messages.communicator;
  if (communicator.aborted || !find_members(communicator)) return;
  if (messages.sends.size() != communicator.members.size() ||
      messages.receives.size() != messages.sends.size()) {
    communicator.error = ncclInvalidUsage;
    return;
  }
  std::vector<std::byte> mine;
  for (const void* send : messages.sends) {
    const auto* begin = static_cast<const std::byte*>(send);
    mine.insert(mine.end(), begin, begin + messages.bytes);
  }
  const auto all = gather(communicator, mine.data(), mine.size());
  if (!all) return;
  for (std::size_t i = 0; i < messages.receives.size(); ++i) {
    const auto world_rank = static_cast<std::size_t>(communicator.members[i]);
    std::memcpy(messages.receives[i],
                all->data() + mine.size() * world_rank +
                    messages.bytes * static_cast<std::size_t>(communicator.rank),
                messages.bytes);
  }
}

}  // namespace

void install(World& world) {
  job().host = world.make_communicator(std::size_t{1} << 20);
  set_device_count(world.local_size());
}

Faults& faults() { return job().faults; }

int collectives() { return job().collectives; }

std::vector<std::string> calls() {
  const std::lock_guard lock(job().mutex);
  return job().calls;
}

void forget_calls() {
  const std::lock_guard lock(job().mutex);
  job().calls.clear();
}

}  // namespace casvit::launch::fake

namespace fake = casvit::launch::fake;

extern "C" {

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  fake::note("ncclGetUniqueId");
  std::memset(id, 0, sizeof *id);
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  std::memcpy(id->internal, &now, sizeof now);
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* communicator, int ranks, ncclUniqueId id, int rank,
                                    ncclConfig_t* config) {
  fake::note("ncclCommInitRankConfig");
  if (config->blocking != 0 || config->magic != 0xcafebeef) return ncclInvalidUsage;
  if (rank < 0 || rank >= ranks) return ncclInvalidArgument;
  if (fake::job().faults.init_fails) return ncclSystemError;
  *communicator = new ncclComm;
  (*communicator)->ranks = ranks;
  (*communicator)->rank = rank;
  (*communicator)->key = std::string(id.internal, sizeof id.internal);
  (*communicator)->polls_in_progress = fake::job().faults.init_stalls ? -1 : 3;
  return ncclInProgress;
}

ncclResult_t ncclCommSplit(ncclComm_t communicator, int color, int /*key*/, ncclComm_t* split,
                           ncclConfig_t* config) {
  fake::note("ncclCommSplit");
  if (config->blocking != 0 || communicator == nullptr) return ncclInvalidUsage;
  static int splits = 0;  // counted alike on all ranks
  *split = new ncclComm;
  (*split)->ranks = 0;
  (*split)->key =
      communicator->key + " split " + std::to_string(splits++) + " " + std::to_string(color);
  (*split)->polls_in_progress = 3;
  return ncclInProgress;
}

ncclResult_t ncclCommFinalize(ncclComm_t communicator) {
  fake::note("ncclCommFinalize");
  communicator->finalized = true;
  communicator->polls_in_progress = 2;
  return ncclInProgress;
}

ncclResult_t ncclCommDestroy(ncclComm_t communicator) {
  fake::note("ncclCommDestroy");
  return communicator->finalized ? ncclSuccess : ncclInvalidUsage;
}

ncclResult_t ncclCommAbort(ncclComm_t communicator) {
  fake::note("ncclCommAbort");
  while (fake::job().faults.abort_stalls) fake::nap();
  communicator->aborted = true;
  return ncclSuccess;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t communicator, ncclResult_t* error) {
  if (communicator == nullptr) return ncclInvalidArgument;
  *error = static_cast<ncclResult_t>(communicator->error.load());
  if (*error != ncclSuccess) return ncclSuccess;
  int polls = communicator->polls_in_progress;
  if (polls != 0) *error = ncclInProgress;
  if (polls > 0) communicator->polls_in_progress.compare_exchange_strong(polls, polls - 1);
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t result) {
  switch (result) {
    case ncclSystemError:
      return "unhandled system error";
    case ncclRemoteError:
      return "remote process exited or there was a network error";
    case ncclInvalidUsage:
      return "invalid usage";
    case ncclInternalError:
      return "internal error";
    case ncclInvalidArgument:
      return "invalid argument";
    default:
      return "no error";
  }
}

const char* ncclGetLastError(ncclComm_t /*communicator*/) { return ""; }

ncclResult_t ncclAllReduce(const void* send, void* receive, std::size_t count, ncclDataType_t type,
                           ncclRedOp_t op, ncclComm_t communicator, cudaStream_t stream) {
  using casvit::launch::ReduceOp;
  const auto element = fake::element_of(type);
  return fake::submit("ncclAllReduce", communicator, stream, send,
                      count * casvit::launch::element_bytes(element),
                      [=](const ncclComm&, const std::vector<const void*>& inputs) {
                        casvit::launch::reduce(inputs, receive, count, element,
                                               op == ncclMax ? ReduceOp::kMax : ReduceOp::kSum);
                      });
}

ncclResult_t ncclReduceScatter(const void* send, void* receive, std::size_t count,
                               ncclDataType_t type, ncclRedOp_t op, ncclComm_t communicator,
                               cudaStream_t stream) {
  using casvit::launch::ReduceOp;
  const auto element = fake::element_of(type);
  const std::size_t part = count * casvit::launch::element_bytes(element);
  return fake::submit(
      "ncclReduceScatter", communicator, stream, send,
      part * static_cast<std::size_t>(communicator == nullptr ? 0 : communicator->ranks),
      [=](const ncclComm& all, const std::vector<const void*>& inputs) {
        std::vector<const void*> parts;
        for (const void* input : inputs) {
          parts.push_back(static_cast<const std::byte*>(input) +
                          part * static_cast<std::size_t>(all.rank));
        }
        casvit::launch::reduce(parts, receive, count, element,
                               op == ncclMax ? ReduceOp::kMax : ReduceOp::kSum);
      });
}

ncclResult_t ncclAllGather(const void* send, void* receive, std::size_t count, ncclDataType_t type,
                           ncclComm_t communicator, cudaStream_t stream) {
  const std::size_t part = count * casvit::launch::element_bytes(fake::element_of(type));
  return fake::submit("ncclAllGather", communicator, stream, send, part,
                      [=](const ncclComm&, const std::vector<const void*>& inputs) {
                        auto* to = static_cast<std::byte*>(receive);
                        for (const void* input : inputs) {
                          std::memcpy(to, input, part);
                          to += part;
                        }
                      });
}

ncclResult_t ncclBroadcast(const void* send, void* receive, std::size_t count, ncclDataType_t type,
                           int root, ncclComm_t communicator, cudaStream_t stream) {
  const std::size_t bytes = count * casvit::launch::element_bytes(fake::element_of(type));
  return fake::submit("ncclBroadcast", communicator, stream, send, bytes,
                      [=](const ncclComm&, const std::vector<const void*>& inputs) {
                        std::memcpy(receive, inputs[static_cast<std::size_t>(root)], bytes);
                      });
}

ncclResult_t ncclSend(const void* send, std::size_t count, ncclDataType_t type, int peer,
                      ncclComm_t communicator, cudaStream_t stream) {
  return fake::add_message("ncclSend", communicator, stream, peer,
                           count * casvit::launch::element_bytes(fake::element_of(type)), send,
                           nullptr);
}

ncclResult_t ncclRecv(void* receive, std::size_t count, ncclDataType_t type, int peer,
                      ncclComm_t communicator, cudaStream_t stream) {
  return fake::add_message("ncclRecv", communicator, stream, peer,
                           count * casvit::launch::element_bytes(fake::element_of(type)), nullptr,
                           receive);
}

ncclResult_t ncclGroupStart() {
  fake::note("ncclGroupStart");
  ++fake::job().group_depth;
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() {
  fake::note("ncclGroupEnd");
  if (--fake::job().group_depth > 0) return ncclSuccess;
  if (fake::Messages messages = std::exchange(fake::job().messages, {}); messages.bytes > 0) {
    messages.stream->put([messages] { fake::exchange(messages); });
  }
  for (auto& [stream, kernel] : std::exchange(fake::job().grouped, {})) {
    stream->put(std::move(kernel));
  }
  return ncclInProgress;
}

}  // extern "C"
