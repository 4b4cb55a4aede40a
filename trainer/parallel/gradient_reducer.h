#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "launch/communicator.h"
#include "trainer/parallel/bucket_layout.h"
#include "trainer/parallel/bucket_schedule.h"

namespace casvit::trainer {

struct ReducerOptions {
  std::int64_t bucket_bytes = 4 << 20;
  std::int64_t first_bucket_bytes = 512 << 10;
  /// Sum over shards in one fixed binary tree: the same bits on any number of ranks. Shards and
  /// ranks are powers of two.
  bool reproducible = false;
  /// Exchange float32 gradients as bfloat16 (accumulated in float32).
  bool bfloat16_transport = false;
  /// Each rank gets the sums of its own part of every bucket only.
  bool scatter = false;
  /// Of the parameters, for messages; may be empty.
  std::vector<std::string> names;
  /// Parameters that get no gradient: they require none, and buckets of nothing else are never
  /// exchanged. Empty: none are.
  std::vector<bool> frozen;
};

/// One exchange of a step, for a trace.
struct ExchangeSpan {
  std::string name;
  std::int64_t bytes = 0;
  /// From its issue to when it was complete; between GPUs, to when the host had waited for it.
  std::chrono::steady_clock::time_point begin, end;
};

/// Sums gradients over this rank's shards and over ranks, exchanging buckets while backward is
/// still running (Li et al., "PyTorch Distributed: Experiences on Accelerating Data Parallel
/// Training", VLDB 2020). Gradients live in the buckets: backward adds to them in place, and
/// outside reproducible mode nothing is copied. What is summed with them but is no gradient (batch
/// statistics, the loss) is the tail, exchanged last.
///
///   reducer.start_step(shards);
///   for each shard: reducer.start_shard(); forward, tail().add_(...), backward
///   reducer.finish();
///
/// All ranks make the same calls, from one thread each; hooks run wherever backward does.
class GradientReducer {
 public:
  /// @param communicator of host memory, or of the device of the parameters
  /// @param parameters leaves that require gradients, on one device; their gradients are set to
  /// views of the buckets. The first layout takes them from the last to the first.
  /// @param tail_elements float32
  GradientReducer(std::vector<at::Tensor> parameters, std::int64_t tail_elements,
                  launch::Communicator& communicator, const ReducerOptions& options);
  ~GradientReducer();
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  /// Sets all sums to zero. @param shards that this rank will add
  void start_step(std::int64_t shards);
  /// Before the forward pass of each shard.
  void start_shard();
  /// After the last backward: exchanges what is left and waits. @throws CommunicationError
  void finish();
  /// What the last step exchanged with other ranks, in order.
  std::vector<ExchangeSpan> exchanges() const;

  /// The sums, laid out by `layout()`, as bytes; with `scatter` only this rank's parts are sums.
  const at::Tensor& gradients() const { return gradients_; }
  /// float32
  const at::Tensor& tail() const { return tail_; }
  const BucketLayout& layout() const { return layout_; }
  std::int64_t bucket_bytes() const { return options_.bucket_bytes; }

  /// Whether a step has shown in which order gradients arrive.
  bool order_known() const { return !learning_; }
  /// Lays the gradients out anew: in the order of arrival on rank 0 and with buckets of the size
  /// that rank 0 gives, which every rank adopts. Between steps; collective. Parameters stay where
  /// they are.
  void rearrange(std::int64_t bucket_bytes);

 private:
  class Hooks;
  /// The sums of 2^level consecutive shards (reproducible mode).
  struct Subtree {
    int level = 0;
    at::Tensor sums;
  };
  struct Exchange {
    std::optional<std::size_t> bucket;  ///< none: the tail
    launch::Completion completion;
    at::Tensor transported;  ///< what is exchanged in place of the bucket, where it is not itself
    ExchangeSpan span;       ///< its end: when it had been waited for
  };
  void adopt(const std::vector<std::size_t>& order);
  void on_gradient(std::size_t parameter);
  void launch_buckets(const BucketSchedule::Range& range);
  /// Whether no gradient ever reaches the bucket: it is zero on every rank.
  bool is_frozen(std::size_t bucket) const;
  void exchange(std::optional<std::size_t> bucket);
  void issue(Exchange& exchange, at::Tensor sums);
  at::Tensor part(const at::Tensor& bytes, std::optional<std::size_t> bucket) const;
  std::string describe(std::optional<std::size_t> bucket) const;
  void put_shard_aside();
  void complete_arrival();

  std::vector<at::Tensor> parameters_;
  std::int64_t tail_elements_;
  launch::Communicator& communicator_;
  ReducerOptions options_;
  BucketLayout layout_;
  at::Tensor sums_;              ///< bytes: gradients, then the tail
  at::Tensor gradients_, tail_;  ///< views of it
  std::vector<Subtree> subtrees_;
  std::vector<at::Tensor> spare_;  ///< vectors like `sums_`, for subtrees

  std::int64_t shards_ = 0;  ///< of this step
  std::int64_t shard_ = -1;  ///< under way
  BucketSchedule schedule_;
  std::vector<Exchange> exchanges_;   ///< that were launched, in order
  std::vector<std::size_t> arrival_;  ///< parameters in the order of the first step
  bool learning_ = true;
  std::unique_ptr<Hooks> hooks_;
};

}  // namespace casvit::trainer
