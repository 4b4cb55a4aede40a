#include "trainer/parallel/partition.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <string>
#include <utility>

namespace casvit::trainer {

Partition::Partition(BucketLayout layout, int rank) : layout_(std::move(layout)), rank_(rank) {}

Partition Partition::unsharded(const ModelState& state) {
  BucketLayout layout;
  BucketLayout::Bucket all;
  all.length = layout.length = state.parameters().numel() * kBytes;
  for (const ModelState::Entry* entry : state.parameter_entries()) {
    all.parameters.push_back(layout.offset.size());
    layout.offset.push_back(entry->offset * kBytes);
    layout.owner.push_back(0);
    layout.bucket.push_back(0);
  }
  layout.buckets.push_back(std::move(all));
  return {std::move(layout), 0};
}

std::vector<std::int64_t> Partition::offsets() const {
  std::vector<std::int64_t> elements;
  for (const std::int64_t bytes : layout_.offset) {
    elements.push_back(bytes / kBytes);
  }
  return elements;
}

at::Tensor Partition::own_view(const at::Tensor& own, std::size_t parameter,
                               std::int64_t elements) const {
  return own.narrow(0, layout_.owned_offset(parameter) / kBytes, elements);
}

/// visit(begin in the whole vector, begin in the own one, length) for each bucket.
template <typename Visit>
void Partition::for_each_own_part(Visit visit) const {
  std::int64_t own_begin = 0;
  for (std::size_t b = 0; b < layout_.buckets.size(); ++b) {
    const std::int64_t length = layout_.part_length(b) / kBytes;
    visit(layout_.part_begin(b, layout_.owners > 1 ? rank_ : 0) / kBytes, own_begin, length);
    own_begin += length;
  }
}

at::Tensor Partition::take(const at::Tensor& whole) const {
  if (!is_sharded()) {
    return whole;
  }
  const at::NoGradGuard no_grad;
  at::Tensor own = at::empty({own_length()}, whole.options());
  for_each_own_part([&](std::int64_t begin, std::int64_t own_begin, std::int64_t length) {
    own.narrow(0, own_begin, length).copy_(whole.narrow(0, begin, length));
  });
  return own;
}

at::Tensor Partition::gather(const at::Tensor& own, launch::Communicator& communicator) const {
  const at::NoGradGuard no_grad;
  if (!is_sharded()) {
    return own;
  }
  at::Tensor whole = at::zeros({length()}, own.options());
  for_each_own_part([&](std::int64_t begin, std::int64_t own_begin, std::int64_t part) {
    whole.narrow(0, begin, part).copy_(own.narrow(0, own_begin, part));
  });
  complete(whole, communicator);
  // On a GPU waiting only orders streams: a failure must surface before the values are saved. Not
  // in `complete`, where every step would wait for it.
  communicator.synchronize();
  return whole;
}

void Partition::complete(const at::Tensor& whole, launch::Communicator& communicator) const {
  if (!is_sharded()) {
    return;
  }
  if (!whole.is_cpu() && !communicator.on_device()) {
    const at::Tensor host = whole.cpu();
    complete(host, communicator);
    at::Tensor(whole).copy_(host);
    return;
  }
  std::vector<launch::Completion> under_way;
  communicator.start_group();
  for (std::size_t b = 0; b < layout_.buckets.size(); ++b) {
    const BucketLayout::Bucket& bucket = layout_.buckets[b];
    const at::Tensor all = whole.narrow(0, bucket.begin / kBytes, bucket.length / kBytes);
    const std::int64_t part = layout_.part_length(b) / kBytes;
    const at::Tensor mine = all.narrow(0, rank_ * part, part);
    communicator.announce("updated parameters (bucket " + std::to_string(b) + ")");
    under_way.push_back(communicator.all_gather(mine.const_data_ptr(), all.mutable_data_ptr(),
                                                static_cast<std::size_t>(part),
                                                launch::ElementType::kFloat32));
  }
  communicator.end_group();
  for (launch::Completion& completion : under_way) {
    completion.wait();
  }
}

}  // namespace casvit::trainer
