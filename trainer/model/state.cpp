#include "trainer/model/state.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace casvit::trainer {
namespace {

std::int64_t element_count(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    count *= extent;
  }
  return count;
}

std::int64_t aligned(std::int64_t count) {
  return (count + kFlatAlignment - 1) / kFlatAlignment * kFlatAlignment;
}

}  // namespace

ModelState::ModelState(std::vector<TensorSpec> specs, at::ScalarType type, at::Device device) {
  std::int64_t parameter_size = 0;
  std::int64_t buffer_size = 0;
  std::int64_t counter_size = 0;
  entries_.reserve(specs.size());
  for (TensorSpec& spec : specs) {
    index_.emplace(spec.name, entries_.size());
    entries_.push_back(
        {.name = std::move(spec.name), .role = spec.role, .tensor = {}, .offset = 0});
  }
  const auto place = [&](TensorRole role, std::int64_t& size) {
    for (std::size_t i = 0; i < specs.size(); ++i) {
      if (entries_[i].role == role) {
        entries_[i].offset = size;
        size += aligned(element_count(specs[i].shape));
      }
    }
  };
  place(TensorRole::kDecayed, parameter_size);
  place(TensorRole::kPlain, parameter_size);
  place(TensorRole::kRunningMean, buffer_size);
  place(TensorRole::kRunningVariance, buffer_size);
  for (Entry& entry : entries_) {
    if (entry.role == TensorRole::kBatchesTracked) {
      entry.offset = counter_size++;
    }
  }

  parameters_ = at::zeros({parameter_size}, at::TensorOptions().dtype(type).device(device));
  buffers_ = at::zeros({buffer_size}, at::TensorOptions().dtype(type).device(device));
  counters_ = at::zeros({counter_size}, at::TensorOptions().dtype(at::kLong));
  for (std::size_t i = 0; i < specs.size(); ++i) {
    Entry& entry = entries_[i];
    const at::Tensor& flat = entry.is_parameter()                        ? parameters_
                             : entry.role == TensorRole::kBatchesTracked ? counters_
                                                                         : buffers_;
    // detach(): every view is a leaf of its own, so that autograd never sees the flat tensor.
    entry.tensor =
        flat.narrow(0, entry.offset, element_count(specs[i].shape)).view(specs[i].shape).detach();
    if (entry.role == TensorRole::kRunningVariance) {
      entry.tensor.fill_(1);
    }
  }
}

const ModelState::Entry& ModelState::entry(const std::string& name) const {
  if (const Entry* entry = find(name)) {
    return *entry;
  }
  throw std::out_of_range("the model has no tensor " + name);
}

const ModelState::Entry* ModelState::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second];
}

std::int64_t ModelState::parameter_count() const {
  std::int64_t count = 0;
  for (const Entry& entry : entries_) {
    count += entry.is_parameter() ? entry.tensor.numel() : 0;
  }
  return count;
}

std::vector<const ModelState::Entry*> ModelState::parameter_entries() const {
  std::vector<const Entry*> parameters;
  for (const Entry& entry : entries_) {
    if (entry.is_parameter()) {
      parameters.push_back(&entry);
    }
  }
  return parameters;
}

void ModelState::arrange(const std::vector<std::int64_t>& offsets, std::int64_t length) {
  const at::NoGradGuard no_grad;
  at::Tensor moved = at::zeros({length}, parameters_.options());
  std::size_t next = 0;
  for (Entry& entry : entries_) {
    if (!entry.is_parameter()) {
      continue;
    }
    entry.offset = offsets.at(next++);
    at::Tensor place =
        moved.narrow(0, entry.offset, entry.tensor.numel()).view(entry.tensor.sizes());
    place.copy_(entry.tensor);
    entry.tensor.set_data(place);
  }
  parameters_ = moved;
}

void ModelState::copy_from(const ModelState& other) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    entries_[i].tensor.copy_(other.entries_[i].tensor);
  }
}

}  // namespace casvit::trainer
