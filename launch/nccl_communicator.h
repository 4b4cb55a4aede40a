#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "launch/communicator.h"

namespace casvit::launch {

class World;

struct NcclOptions {
  int device = 0;
  /// "rank 1 of 4 on host", for messages.
  std::string who;
  /// How long an operation may take from when its buffers are ready, and how long NCCL's own
  /// management may; zero: for ever.
  std::chrono::milliseconds timeout{600'000};
  /// How long aborting may take before the communicator is given up as it is.
  std::chrono::milliseconds abort_limit{5'000};
  /// The stream (cudaStream_t) on which the calling thread computes, asked at every operation.
  std::function<void*()> compute_stream;
  /// Told the number of each operation that was handed to NCCL; may be empty.
  std::function<void(std::uint64_t)> on_issued;
  /// Who may be to blame for an operation that does not end; may be empty.
  std::function<std::string(std::uint64_t)> accuse;
  /// Asked once a second while operations are in flight, and when one fails: who of this node died,
  /// "rank 1 on host died, ..."; nothing where nobody did. May be empty.
  std::function<std::string()> find_dead;
  /// Puts the sum of 16-bit floats on a stream (cudaStream_t): `blocks` of `count` each lie one
  /// after the other at `parts`; they are added in that order, element by element, in float32, and
  /// rounded once into `output[count]`, which does not overlap them. May be empty: such sums over
  /// more than two ranks are refused then.
  std::function<void(const void* parts, void* output, std::size_t blocks, std::size_t count,
                     ElementType type, void* stream)>
      sum_halves;
  /// Called, on a thread of the communicator's, when it failed and nobody learnt of it by an
  /// exception within moments: the caller is stuck elsewhere, and nothing is left but to end the
  /// process. May be empty.
  std::function<void(const std::string&)> on_failure;
};

/// Those of a rank of this world: its name and timeout, blame by what its node knows, and the end
/// of the world for a failure that nobody notices. @param world outlives the communicator
NcclOptions nccl_options(World& world, int device, std::function<void*()> compute_stream);

/// Collectives between GPUs over NCCL, a rank a GPU.
///
/// Streams: an operation begins when what the compute stream holds at the call is done, and runs on
/// a stream of the communicator's. `Completion::wait` has the compute stream of the moment wait for
/// it, not the host; buffers are device memory. `barrier` and `synchronize` block the host.
///
/// Sums of float32 and float64 are NCCL's: of an order that is its own, alike on all ranks; the
/// maximum of NaN is NCCL's. Sums of 16-bit floats are not, for NCCL would round at every addition
/// (the note "Halves" in nccl_communicator.cpp): they are accumulated in float32, in rank order. A
/// tree sum goes through communicators of two ranks each, level by level, for a sum of two has one
/// value: float32, float64 and integers only, at log2(ranks) times the traffic.
///
/// Nothing waits for ever: a thread of the communicator's watches NCCL's asynchronous errors and
/// the oldest operation's time. On a failure it aborts NCCL, which ends what runs on the device,
/// and every call and wait from then on throws, naming the operation.
class NcclCommunicator final : public Communicator {
 public:
  /// Collective over `host`, which carries NCCL's id and is not used later.
  /// @throws WorldError when two ranks share a GPU. @throws CommunicationError
  NcclCommunicator(Communicator& host, NcclOptions options);
  /// Waits for what was issued, up to the timeout; while an exception is under way it aborts that.
  ~NcclCommunicator() override;
  NcclCommunicator(const NcclCommunicator&) = delete;
  NcclCommunicator& operator=(const NcclCommunicator&) = delete;

  int rank() const override;
  int size() const override;
  bool on_device() const override { return true; }
  Completion all_reduce(void* buffer, std::size_t count, ElementType type, ReduceOp op) override;
  /// A tree sum in place leaves sums in all of `input`.
  Completion reduce_scatter(const void* input, void* output, std::size_t count, ElementType type,
                            ReduceOp op) override;
  Completion all_gather(const void* input, void* output, std::size_t count,
                        ElementType type) override;
  Completion broadcast(void* buffer, std::size_t count, ElementType type, int root) override;
  void barrier() override;
  void synchronize() override;
  void start_group() override;
  void end_group() override;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace casvit::launch
