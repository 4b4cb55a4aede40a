#include "launch/nccl_communicator.h"

#include <array>
#include <bit>
#include <deque>
#include <exception>
#include <stdexcept>
#include <utility>

#include "launch/arguments.h"
#include "launch/error.h"
#include "launch/nccl/device.h"
#include "launch/nccl/flight.h"

namespace casvit::launch {
namespace {

ncclDataType_t nccl_type(ElementType type) {
  switch (type) {
    case ElementType::kFloat32:
      return ncclFloat32;
    case ElementType::kFloat64:
      return ncclFloat64;
    case ElementType::kBFloat16:
      return ncclBfloat16;
    case ElementType::kFloat16:
      return ncclFloat16;
    case ElementType::kInt64:
      return ncclInt64;
    case ElementType::kUInt8:
      return ncclUint8;
  }
  throw std::invalid_argument("an element type that NCCL does not have");
}

ncclRedOp_t nccl_op(ReduceOp op) { return op == ReduceOp::kMax ? ncclMax : ncclSum; }

/// A sum of two has one value, but a 16-bit one would be rounded at every level of the tree.
void check_tree_type(ReduceOp op, ElementType type) {
  if (op == ReduceOp::kTreeSum && element_bytes(type) == 2) {
    throw std::invalid_argument(std::string("a tree sum of ") + element_name(type) +
                                " is not offered between GPUs; exchange float32");
  }
}

std::string describe(const char* operation, std::size_t count, ElementType type) {
  return std::string(operation) + " of " + std::to_string(count) + " " + element_name(type);
}

std::string describe(const char* operation, ReduceOp op, std::size_t count, ElementType type) {
  return describe((std::string(operation) + " (" + reduce_op_name(op) + ")").c_str(), count, type);
}

/// The ranks that differ from `rank` in this bit alone, or in nothing, have this number in common.
int pair_of(int rank, int level) {
  const int below = (1 << level) - 1;
  return ((rank >> (level + 1)) << level) | (rank & below);
}

}  // namespace

/// Note: Halves.
/// NCCL adds bfloat16 in bfloat16: with n ranks a sum is rounded n - 1 times, and small gradients
/// vanish beside large ones. Two have one sum, for rounding through float32 first changes nothing
/// (24 digits are at least twice 11 and two more: Figueroa 1995). For more ranks the parts travel
/// as they are, each to the rank that owns it, which adds them in float32 and rounds once; then
/// all gather. What goes over a rank's links is what NCCL's ring would send; between nodes it is
/// more, for parts are not added within a node first.
class NcclCommunicator::State {
 public:
  State(Communicator& host, NcclOptions options)
      : options_(std::move(options)), rank_(host.rank()), size_(host.size()) {
    CASVIT_CHECK_CUDA(cudaSetDevice(options_.device));
    refuse_shared_devices(host, options_.device);
    stream_ = std::make_unique<DeviceStream>();
    barrier_flag_ = std::make_unique<DeviceScratch>();
    scratch_ = std::make_unique<DeviceScratch>();
    ncclUniqueId id{};
    if (rank_ == 0) CASVIT_CHECK_NCCL(ncclGetUniqueId(&id));
    host.broadcast(&id, sizeof id, ElementType::kUInt8, /*root=*/0).wait();
    create("creating NCCL's communicator", all_, [&] { all_.start(size_, id, rank_); });
    control_ = std::make_unique<FlightControl>(options_);
    control_->add(all_);
  }

  ~State() {
    // Unwinding, after whatever went wrong here: the others will not come to what is in flight.
    if (std::uncaught_exceptions() > 0) {
      std::vector<ncclComm_t> communicators;
      for (NcclHandle* handle : control_->retire()) communicators.push_back(handle->release());
      abort_within(std::move(communicators), options_.abort_limit);
      return;
    }
    // Orderly where nothing failed; whoever destroys it after a failure has been told already.
    try {
      control_->drain();
      std::vector<NcclHandle*> handles = control_->retire();
      for (; !handles.empty(); handles.pop_back()) handles.back()->finish(options_.timeout);
    } catch (const CommunicationError&) {  // NOLINT(bugprone-empty-catch)
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// Issues what `call` hands to NCCL.
  template <typename Call>
  Completion issue(std::string description, const std::string& purpose, Call call) {
    if (!purpose.empty()) description += " for " + purpose;
    if (group_open_) return issue_in_group(description, call);
    return issue_flight(description, [&] {
      submit(call);
      all_.settle(kHanding, options_.timeout);
    });
  }

  /// A tree sum, in place, level by level, within issue_alone.
  void tree_sum(void* buffer, std::size_t count, ElementType type) {
    make_pairs();
    for (NcclHandle& pair : pairs_) {
      submit([&] {
        return ncclAllReduce(buffer, buffer, count, nccl_type(type), ncclSum, pair.get(), stream());
      });
      pair.settle(kHanding, options_.timeout);
    }
  }

  /// `output[count]` is the sum of everyone's `input[rank * count ...]`; within issue_alone.
  void sum_halves(const void* input, void* output, std::size_t count, ElementType type) {
    const std::size_t part = count * element_bytes(type);
    auto* const parts = static_cast<std::byte*>(scratch(part * static_cast<std::size_t>(size_)));
    submit([] { return ncclGroupStart(); });
    for (int peer = 0; peer < size_; ++peer) {
      const std::size_t at = part * static_cast<std::size_t>(peer);
      const auto* const theirs = static_cast<const std::byte*>(input) + at;
      submit([&] { return ncclSend(theirs, count, nccl_type(type), peer, all(), stream()); });
      submit([&] { return ncclRecv(parts + at, count, nccl_type(type), peer, all(), stream()); });
    }
    submit([] { return ncclGroupEnd(); });
    all_.settle(kHanding, options_.timeout);
    options_.sum_halves(parts, output, static_cast<std::size_t>(size_), count, type, stream());
  }

  /// In place; within issue_alone. The elements that the ranks cannot share evenly, fewer than
  /// there are ranks, go to everybody.
  void sum_all_halves(std::byte* buffer, std::size_t count, ElementType type) {
    const auto ranks = static_cast<std::size_t>(size_);
    const std::size_t share = count / ranks;
    const std::size_t share_bytes = share * element_bytes(type);
    const std::size_t rest = count % ranks;
    if (share > 0) {
      std::byte* const mine = buffer + share_bytes * static_cast<std::size_t>(rank_);
      sum_halves(buffer, mine, share, type);
      gather(mine, buffer, share, type);
    }
    if (rest > 0) {
      std::byte* const last = buffer + share_bytes * ranks;
      void* const all_last = scratch(rest * element_bytes(type) * ranks);
      gather(last, all_last, rest, type);
      options_.sum_halves(all_last, last, ranks, rest, type, stream());
    }
  }

  /// Whether a sum is taken by sum_halves. @throws std::invalid_argument where it cannot be
  bool sums_halves(ReduceOp op, ElementType type) const {
    if (op != ReduceOp::kSum || element_bytes(type) != 2 || size_ <= 2) return false;
    if (options_.sum_halves) return true;
    throw std::invalid_argument(std::string("sums of ") + element_name(type) +
                                " between more than two GPUs would be rounded at every addition; "
                                "exchange float32");
  }

  /// Everybody's `flag` is as large as the largest, when everybody is here; within issue_alone.
  void meet(void* flag) {
    submit([&] { return ncclAllReduce(flag, flag, 1, ncclInt64, ncclMax, all(), stream()); });
    all_.settle(kHanding, options_.timeout);
  }

  /// Runs `body` as one operation that begins and ends on its own, also within a group: each level
  /// of a tree needs the last.
  template <typename Body>
  Completion issue_alone(std::string description, const std::string& purpose, Body body) {
    const bool grouped = group_open_;
    if (grouped) end_group();
    if (!purpose.empty()) description += " for " + purpose;
    Completion completion = issue_flight(description, body);
    if (grouped) start_group();
    return completion;
  }

  void start_group() {
    control_->check();
    if (group_open_) throw std::logic_error("a group of collectives within a group");
    group_open_ = true;
  }

  void end_group() {
    group_open_ = false;
    if (!group_) return;  // nothing was issued in it
    const std::shared_ptr<Flight> group = std::exchange(group_, nullptr);
    attempt(*group, [&] {
      submit([] { return ncclGroupEnd(); });
      all_.settle(kHanding, options_.timeout);
    });
    control_->issued(*group, stream());
  }

  FlightControl& control() { return *control_; }
  ncclComm_t all() const { return all_.get(); }
  cudaStream_t stream() const { return stream_->get(); }
  int rank() const { return rank_; }
  int size() const { return size_; }
  void* barrier_flag() { return barrier_flag_->reserve(sizeof(std::int64_t)); }
  void* scratch(std::size_t bytes) { return scratch_->reserve(bytes); }

 private:
  static constexpr const char* kHanding = "handing it to NCCL";

  void gather(const void* mine, void* all_parts, std::size_t count, ElementType type) {
    submit([&] { return ncclAllGather(mine, all_parts, count, nccl_type(type), all(), stream()); });
    all_.settle(kHanding, options_.timeout);
  }

  template <typename Body>
  Completion issue_flight(const std::string& description, Body body) {
    const std::shared_ptr<Flight> flight =
        control_->begin(description, control_->compute_stream(), stream());
    attempt(*flight, body);
    control_->issued(*flight, stream());
    return Completion(flight);
  }

  /// The operations of a group start and end together: the first one's flight stands for all.
  template <typename Call>
  Completion issue_in_group(const std::string& description, Call call) {
    if (group_) {
      // These buffers may have become ready later than the first one's.
      DeviceEvent ready;
      ready.record(control_->compute_stream());
      ready.hold_back(stream());
    } else {
      group_ = control_->begin(description, control_->compute_stream(), stream());
      attempt(*group_, [&] { submit([] { return ncclGroupStart(); }); });
    }
    attempt(*group_, [&] { submit(call); });
    return Completion(group_);
  }

  /// What goes wrong in `body` ends the communicator, with the flight's name in the message.
  template <typename Body>
  void attempt(const Flight& flight, Body body) {
    try {
      body();
    } catch (const std::exception& error) {
      control_->refused(flight, error.what());
    }
  }

  template <typename Call>
  void submit(Call call) {
    const ncclResult_t code = call();
    if (code != ncclSuccess && code != ncclInProgress) {
      throw CommunicationError(nccl_error_text(code, nullptr));
    }
  }

  template <typename Start>
  void create(const std::string& doing, NcclHandle& handle, Start start) {
    const std::string where = doing + " failed on " + options_.who;
    try {
      start();
      handle.settle(doing, options_.timeout);
    } catch (const CommunicationError& error) {
      const bool aborted = abort_within({handle.release()}, options_.abort_limit);
      throw CommunicationError(where + ": " + error.what() +
                               (aborted ? "" : "; ncclCommAbort did not come back"));
    }
  }

  /// The communicators of two ranks that tree sums go through, a level each, made when needed.
  void make_pairs() {
    for (int level = static_cast<int>(pairs_.size()); (1 << level) < size_; ++level) {
      NcclHandle& pair = pairs_.emplace_back();
      create("creating NCCL's communicator of two", pair,
             [&] { pair.start_split(all_, pair_of(rank_, level), rank_); });
      control_->add(pair);
    }
  }

  const NcclOptions options_;
  const int rank_;
  const int size_;
  std::unique_ptr<DeviceStream> stream_;
  std::unique_ptr<DeviceScratch> barrier_flag_;
  std::unique_ptr<DeviceScratch> scratch_;
  NcclHandle all_;
  std::deque<NcclHandle> pairs_;
  bool group_open_ = false;
  std::shared_ptr<Flight> group_;           ///< none before something was issued in the open group
  std::unique_ptr<FlightControl> control_;  ///< the first to go
};

NcclCommunicator::NcclCommunicator(Communicator& host, NcclOptions options)
    : state_(std::make_unique<State>(host, std::move(options))) {}
NcclCommunicator::~NcclCommunicator() = default;

int NcclCommunicator::rank() const { return state_->rank(); }
int NcclCommunicator::size() const { return state_->size(); }

Completion NcclCommunicator::all_reduce(void* buffer, std::size_t count, ElementType type,
                                        ReduceOp op) {
  check_op(op, size());
  check_tree_type(op, type);
  check_buffer(buffer, checked_bytes(count, type, 1), "all_reduce");
  const bool halves = state_->sums_halves(op, type);
  const std::string purpose = take_purpose();
  if (count == 0) return {};
  const std::string description = describe("all_reduce", op, count, type);
  if (op == ReduceOp::kTreeSum) {
    return state_->issue_alone(description, purpose,
                               [&] { state_->tree_sum(buffer, count, type); });
  }
  if (halves) {
    return state_->issue_alone(description, purpose, [&] {
      state_->sum_all_halves(static_cast<std::byte*>(buffer), count, type);
    });
  }
  return state_->issue(description, purpose, [&] {
    return ncclAllReduce(buffer, buffer, count, nccl_type(type), nccl_op(op), state_->all(),
                         state_->stream());
  });
}

Completion NcclCommunicator::reduce_scatter(const void* input, void* output, std::size_t count,
                                            ElementType type, ReduceOp op) {
  check_op(op, size());
  check_tree_type(op, type);
  const std::size_t bytes = checked_bytes(count, type, size());
  check_buffer(input, bytes, "reduce_scatter");
  check_buffer(output, bytes, "reduce_scatter");
  const bool halves = state_->sums_halves(op, type);
  const std::string purpose = take_purpose();
  if (count == 0) return {};
  const std::string description = describe("reduce_scatter", op, count, type);
  if (halves) {
    return state_->issue_alone(description, purpose,
                               [&] { state_->sum_halves(input, output, count, type); });
  }
  if (op != ReduceOp::kTreeSum) {
    return state_->issue(description, purpose, [&] {
      return ncclReduceScatter(input, output, count, nccl_type(type), nccl_op(op), state_->all(),
                               state_->stream());
    });
  }
  const std::size_t part = bytes / static_cast<std::size_t>(size());
  const std::size_t mine = part * static_cast<std::size_t>(rank());
  if (static_cast<const std::byte*>(input) + mine == output) {
    void* const whole = static_cast<std::byte*>(output) - mine;
    return state_->issue_alone(description, purpose, [&] {
      state_->tree_sum(whole, count * static_cast<std::size_t>(size()), type);
    });
  }
  return state_->issue_alone(description, purpose, [&] {
    void* const copy = state_->scratch(bytes);
    cudaStream_t stream = state_->stream();
    CASVIT_CHECK_CUDA(cudaMemcpyAsync(copy, input, bytes, cudaMemcpyDeviceToDevice, stream));
    state_->tree_sum(copy, count * static_cast<std::size_t>(size()), type);
    CASVIT_CHECK_CUDA(cudaMemcpyAsync(output, static_cast<std::byte*>(copy) + mine, part,
                                      cudaMemcpyDeviceToDevice, stream));
  });
}

Completion NcclCommunicator::all_gather(const void* input, void* output, std::size_t count,
                                        ElementType type) {
  const std::size_t bytes = checked_bytes(count, type, size());
  check_buffer(input, bytes, "all_gather");
  check_buffer(output, bytes, "all_gather");
  const std::string purpose = take_purpose();
  if (count == 0) return {};
  return state_->issue(describe("all_gather", count, type), purpose, [&] {
    return ncclAllGather(input, output, count, nccl_type(type), state_->all(), state_->stream());
  });
}

Completion NcclCommunicator::broadcast(void* buffer, std::size_t count, ElementType type,
                                       int root) {
  check_root(root, size());
  check_buffer(buffer, checked_bytes(count, type, 1), "broadcast");
  const std::string purpose = take_purpose();
  if (count == 0) return {};
  return state_->issue(describe("broadcast", count, type), purpose, [&] {
    return ncclBroadcast(buffer, buffer, count, nccl_type(type), root, state_->all(),
                         state_->stream());
  });
}

void NcclCommunicator::barrier() {
  void* const flag = state_->barrier_flag();
  const std::string purpose = take_purpose();
  state_->issue_alone("barrier", purpose, [&] { state_->meet(flag); });
  state_->control().drain();
}

void NcclCommunicator::synchronize() { state_->control().drain(); }
void NcclCommunicator::start_group() { state_->start_group(); }
void NcclCommunicator::end_group() { state_->end_group(); }

}  // namespace casvit::launch
