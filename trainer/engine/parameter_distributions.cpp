#include "trainer/engine/parameter_distributions.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace casvit::trainer {
namespace {

constexpr int kBins = 30;

struct Group {
  std::string name;
  std::vector<at::Tensor> tensors;
};

/// "network.4" of "network.4.1.attn.qkv.weight", and of what is not a part of the network the first
/// word.
std::string group_of(const std::string& parameter) {
  const std::size_t dot = parameter.find('.');
  const std::string first = parameter.substr(0, dot);
  return first == "network" ? parameter.substr(0, parameter.find('.', dot + 1)) : first;
}

/// @param pick a parameter's tensor of interest; undefined: it is left out
template <typename Pick>
std::vector<Group> grouped(const ModelState& model, Pick pick) {
  std::vector<Group> groups;
  for (const ModelState::Entry* entry : model.parameter_entries()) {
    const at::Tensor tensor = pick(*entry);
    if (!tensor.defined()) {
      continue;
    }
    const std::string name = group_of(entry->name);
    const auto found = std::ranges::find(groups, name, &Group::name);
    Group& group = found != groups.end() ? *found : groups.emplace_back(Group{name, {}});
    group.tensors.push_back(tensor.detach().to(at::kFloat));
  }
  return groups;
}

struct Extent {
  double least = 0;
  double most = 0;
  double norm = 0;
};

/// One wait for the device.
Extent extent_of(const Group& group) {
  std::vector<at::Tensor> least;
  std::vector<at::Tensor> most;
  std::vector<at::Tensor> squares;
  for (const at::Tensor& tensor : group.tensors) {
    const auto [low, high] = at::aminmax(tensor);
    least.push_back(low);
    most.push_back(high);
    squares.push_back(at::square(at::linalg_vector_norm(tensor, 2, {}, false, at::kDouble)));
  }
  const at::Tensor found =
      at::stack({at::stack(least).min().to(at::kDouble), at::stack(most).max().to(at::kDouble),
                 at::stack(squares).sum()})
          .cpu();
  const auto* values = found.const_data_ptr<double>();
  return {values[0], values[1], std::sqrt(values[2])};
}

/// Counted tensor by tensor: float32, in which they are counted, would not hold those of a large
/// group.
at::Tensor counts_of(const Group& group, const Extent& extent) {
  at::Tensor counts;
  for (const at::Tensor& tensor : group.tensors) {
    const at::Tensor some = at::histc(tensor, kBins, extent.least, extent.most).to(at::kDouble);
    counts = counts.defined() ? counts.add_(some) : some;
  }
  return counts.cpu().contiguous();
}

std::vector<HistogramBin> bins_of(const Group& group, const Extent& extent, std::int64_t elements) {
  std::vector<HistogramBin> bins(kBins);
  if (extent.least == extent.most) {  // as tensorboard/plugins/histogram/summary_v2.py has it
    std::ranges::fill(bins, HistogramBin{extent.least, extent.most, 0});
    bins.back().count = static_cast<double>(elements);
    return bins;
  }
  const at::Tensor counts = counts_of(group, extent);
  const auto* count = counts.const_data_ptr<double>();
  const double width = (extent.most - extent.least) / kBins;
  for (int i = 0; i < kBins; ++i) {
    bins[static_cast<std::size_t>(i)] = {
        extent.least + i * width, i + 1 == kBins ? extent.most : extent.least + (i + 1) * width,
        count[i]};
  }
  return bins;
}

std::vector<Distribution> distributions(const std::vector<Group>& groups) {
  std::vector<Distribution> out;
  for (const Group& group : groups) {
    const Extent extent = extent_of(group);
    if (!std::isfinite(extent.least) || !std::isfinite(extent.most)) {
      continue;
    }
    Distribution one;
    one.group = group.name;
    for (const at::Tensor& tensor : group.tensors) {
      one.elements += tensor.numel();
    }
    one.norm = extent.norm;
    one.bins = bins_of(group, extent, one.elements);
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace

std::vector<Distribution> weight_distributions(const ModelState& model) {
  const at::NoGradGuard no_grad;
  return distributions(grouped(model, [](const ModelState::Entry& entry) { return entry.tensor; }));
}

std::vector<Distribution> gradient_distributions(const ModelState& model) {
  const at::NoGradGuard no_grad;
  std::vector<Distribution> found =
      distributions(grouped(model, [](const ModelState::Entry& entry) {
        return entry.tensor.requires_grad() ? entry.tensor.grad() : at::Tensor();
      }));
  // Laying them out anew leaves zeros, which no step does in every group.
  if (std::ranges::all_of(found, [](const Distribution& one) { return one.norm == 0; })) {
    found.clear();
  }
  return found;
}

}  // namespace casvit::trainer
