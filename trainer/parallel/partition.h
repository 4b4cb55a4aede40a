#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "launch/communicator.h"
#include "trainer/model/state.h"
#include "trainer/parallel/bucket_layout.h"

namespace casvit::trainer {

/// Which elements of a float32 vector laid out as a model's parameters this rank keeps: all of
/// them, or, where optimizer state and EMA are sharded (Rajbhandari et al., "ZeRO",
/// arXiv:1910.02054, stage 1), its own part of every bucket. "Own" vectors hold those parts alone,
/// one after another.
class Partition {
 public:
  Partition() = default;
  /// @param layout of float32 parameters; `layout.owners` is 1 or the number of ranks
  Partition(BucketLayout layout, int rank);
  /// Everything on every rank, where the model has its parameters now.
  static Partition unsharded(const ModelState& state);

  bool is_sharded() const { return layout_.owners > 1; }
  bool owns(std::size_t parameter) const {
    return !is_sharded() || layout_.owner[parameter] == rank_;
  }
  /// Elements of the whole vector, and of an own one.
  std::int64_t length() const { return layout_.length / kBytes; }
  std::int64_t own_length() const { return layout_.owned_length() / kBytes; }
  /// Offset of each parameter in the whole vector, for ModelState::arrange.
  std::vector<std::int64_t> offsets() const;
  /// A parameter's place in an own vector, flat. It must be this rank's.
  at::Tensor own_view(const at::Tensor& own, std::size_t parameter, std::int64_t elements) const;

  /// This rank's parts of a whole vector, as an own vector. Where nothing is sharded it is `whole`
  /// itself.
  at::Tensor take(const at::Tensor& whole) const;
  /// The whole vector of everyone's own vectors; collective where sharded.
  at::Tensor gather(const at::Tensor& own, launch::Communicator& communicator) const;
  /// Completes a whole vector of which every rank has written its own parts; collective.
  void complete(const at::Tensor& whole, launch::Communicator& communicator) const;

 private:
  static constexpr std::int64_t kBytes = 4;  // float32
  template <typename Visit>
  void for_each_own_part(Visit visit) const;

  BucketLayout layout_;
  int rank_ = 0;
};

}  // namespace casvit::trainer
