#include "tests/launch/nccl/fake_exchange.h"

#include <chrono>
#include <cstring>
#include <thread>

#include "tests/launch/nccl/fake_stream.h"

namespace casvit::launch::fake {
namespace {

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

}  // namespace

Job& job() {
  static Job the_job;
  return the_job;
}

void note(const std::string& call) {
  const std::lock_guard lock(job().mutex);
  job().calls.push_back(call);
}

void nap() { std::this_thread::sleep_for(std::chrono::microseconds(200)); }

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
