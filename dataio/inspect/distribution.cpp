#include "dataio/inspect/distribution.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace casvit::dataio {
namespace {

struct Edge {
  double lower;
  const char* name;
};

constexpr std::array kSideEdges{
    Edge{0, "under 32"},        Edge{32, "32 to 63"},       Edge{64, "64 to 95"},
    Edge{96, "96 to 127"},      Edge{128, "128 to 159"},    Edge{160, "160 to 191"},
    Edge{192, "192 to 223"},    Edge{224, "224 to 255"},    Edge{256, "256 to 319"},
    Edge{320, "320 to 383"},    Edge{384, "384 to 511"},    Edge{512, "512 to 767"},
    Edge{768, "768 to 1023"},   Edge{1024, "1024 to 1535"}, Edge{1536, "1536 to 2047"},
    Edge{2048, "2048 to 4095"}, Edge{4096, "4096 and more"}};

constexpr std::array kAspectEdges{Edge{0, "under 1:3"},    Edge{1.0 / 3, "1:3 to 1:2"},
                                  Edge{0.5, "1:2 to 2:3"}, Edge{2.0 / 3, "2:3 to 1:1"},
                                  Edge{1, "1:1"},          Edge{1.0 + 1e-9, "1:1 to 3:2"},
                                  Edge{1.5, "3:2 to 2:1"}, Edge{2, "2:1 to 3:1"},
                                  Edge{3, "3:1 and more"}};

template <std::size_t N>
std::vector<Bin> histogram(const std::array<Edge, N>& edges, const std::vector<double>& values) {
  std::vector<Bin> bins;
  bins.reserve(edges.size());
  for (const Edge& edge : edges) bins.push_back({edge.name, 0});
  for (const double value : values) {
    const auto after = std::upper_bound(edges.begin(), edges.end(), value,
                                        [](double v, const Edge& edge) { return v < edge.lower; });
    ++bins[static_cast<std::size_t>(after - edges.begin()) - 1].count;
  }
  const auto filled = [](const Bin& bin) { return bin.count > 0; };
  bins.erase(std::find_if(bins.rbegin(), bins.rend(), filled).base(), bins.end());
  bins.erase(bins.begin(), std::find_if(bins.begin(), bins.end(), filled));
  return bins;
}

}  // namespace

Quantiles quantiles_of(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  const auto last = static_cast<double>(values.size() - 1);
  const auto at = [&values, last](double share) {
    return values[static_cast<std::size_t>(std::floor(share * last))];
  };
  return {at(0), at(0.1), at(0.5), at(0.9), at(1)};
}

SizeDistribution size_distribution(const MappedIndex& index) {
  const std::uint64_t samples = index.samples();
  std::vector<double> values(samples);
  const auto fill = [&values, samples](const auto& value_of) -> std::vector<double>& {
    for (std::uint64_t i = 0; i < samples; ++i) values[i] = value_of(i);
    return values;
  };
  SizeDistribution sizes;
  sizes.width =
      quantiles_of(fill([&index](std::uint64_t i) { return double{1} * index.width[i]; }));
  sizes.height =
      quantiles_of(fill([&index](std::uint64_t i) { return double{1} * index.height[i]; }));
  sizes.bytes =
      quantiles_of(fill([&index](std::uint64_t i) { return double{1} * index.length[i]; }));
  sizes.shorter_side = quantiles_of(fill([&index](std::uint64_t i) {
    return static_cast<double>(std::min(index.width[i], index.height[i]));
  }));
  sizes.sides = histogram(kSideEdges, values);
  sizes.aspect_ratio = quantiles_of(fill(
      [&index](std::uint64_t i) { return static_cast<double>(index.width[i]) / index.height[i]; }));
  sizes.aspects = histogram(kAspectEdges, values);
  return sizes;
}

ClassBalance class_balance(const std::vector<std::uint64_t>& counts) {
  ClassBalance balance;
  const auto [least, greatest] = std::minmax_element(counts.begin(), counts.end());
  balance.least = *least;
  balance.greatest = *greatest;
  balance.ratio = *least == 0 ? std::numeric_limits<double>::infinity()
                              : static_cast<double>(*greatest) / static_cast<double>(*least);
  double total = 0;
  for (const std::uint64_t count : counts) total += static_cast<double>(count);
  double entropy = 0;
  for (const std::uint64_t count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / total;
    entropy -= share * std::log(share);
  }
  if (counts.size() > 1) balance.evenness = entropy / std::log(static_cast<double>(counts.size()));
  return balance;
}

}  // namespace casvit::dataio
