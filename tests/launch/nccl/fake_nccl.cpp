// The functions of nccl.h.

#include <nccl.h>

#include <chrono>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "launch/reduction.h"
#include "tests/launch/nccl/fake_exchange.h"
#include "tests/launch/nccl/fake_stream.h"

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
