#include "trainer/engine/parameter_distributions.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace casvit::trainer {
namespace {

constexpr std::size_t kBins = 30;

struct Group {
  std::string name;
  std::vector<at::Tensor> tensors;  ///< contiguous float32 in the host's memory
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
    group.tensors.push_back(tensor.detach().to(at::kCPU, at::kFloat).contiguous());
  }
  return groups;
}

struct Extent {
  double least = 0;
  double most = 0;
  double norm = 0;
};

Extent extent_of(const Group& group) {
  std::vector<at::Tensor> least;
  std::vector<at::Tensor> most;
  std::vector<at::Tensor> norms;
  for (const at::Tensor& tensor : group.tensors) {
    const auto [low, high] = at::aminmax(tensor);
    least.push_back(low);
    most.push_back(high);
    norms.push_back(at::linalg_vector_norm(tensor));
  }
  return {at::stack(least).min().item<double>(), at::stack(most).max().item<double>(),
          at::linalg_vector_norm(at::stack(norms).to(at::kDouble)).item<double>()};
}

/// Counts what is between the ends of `extent`, which differ. Several counts side by side: most
/// numbers are in one bin, and each would wait for the one before it. at::histc takes several times
/// as long.
std::array<std::int64_t, kBins> counts_of(const Group& group, const Extent& extent) {
  constexpr std::size_t kLanes = 4;
  std::array<std::array<std::int64_t, kBins>, kLanes> lanes{};
  const double scale = kBins / (extent.most - extent.least);
  const auto bin_of = [&](float value) {
    const auto bin = static_cast<std::size_t>((static_cast<double>(value) - extent.least) * scale);
    return std::min(bin, kBins - 1);
  };
  for (const at::Tensor& tensor : group.tensors) {
    const auto* values = tensor.const_data_ptr<float>();
    const auto count = static_cast<std::size_t>(tensor.numel());
    std::size_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        ++lanes[lane][bin_of(values[i + lane])];
      }
    }
    for (; i < count; ++i) {
      ++lanes[0][bin_of(values[i])];
    }
  }
  for (std::size_t lane = 1; lane < kLanes; ++lane) {
    for (std::size_t bin = 0; bin < kBins; ++bin) {
      lanes[0][bin] += lanes[lane][bin];
    }
  }
  return lanes[0];
}

std::vector<HistogramBin> bins_of(const Group& group, const Extent& extent, std::int64_t elements) {
  std::vector<HistogramBin> bins(kBins);
  if (extent.least == extent.most) {  // as tensorboard/plugins/histogram/summary_v2.py has it
    std::ranges::fill(bins, HistogramBin{extent.least, extent.most, 0});
    bins.back().count = static_cast<double>(elements);
    return bins;
  }
  const std::array<std::int64_t, kBins> counts = counts_of(group, extent);
  const double width = (extent.most - extent.least) / kBins;
  for (std::size_t i = 0; i < kBins; ++i) {
    const double left = extent.least + static_cast<double>(i) * width;
    const double right = extent.least + static_cast<double>(i + 1) * width;
    bins[i] = {left, i + 1 == kBins ? extent.most : right, static_cast<double>(counts[i])};
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
