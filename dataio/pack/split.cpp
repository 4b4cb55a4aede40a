#include "dataio/pack/split.h"

#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <sstream>

#include "dataio/container/display.h"
#include "dataio/error.h"
#include "dataio/random/counter_rng.h"
#include "dataio/random/permutation.h"

namespace casvit::dataio {
namespace {

constexpr double kSumTolerance = 1e-6;
constexpr const char* kExample = "; write for instance --split train=0.8,val=0.2";

[[noreturn]] void refuse(const std::string& reason) {
  throw UsageError("--split: " + reason + kExample);
}

SplitShare parse_share(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos)
    refuse(std::string("'") + display_path(text) + "' is not NAME=FRACTION");
  SplitShare share{text.substr(0, equals), 0};
  const std::string number = text.substr(equals + 1);
  if (!is_part_name(share.name)) {
    refuse("the name '" + display_path(share.name) + "' is not made of letters, digits, - and _");
  }
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), share.fraction);
  if (error != std::errc() || end != number.data() + number.size() ||
      !(share.fraction > 0 && share.fraction <= 1)) {
    refuse(std::string("'") + display_path(number) + "' is not a fraction above 0 and at most 1");
  }
  return share;
}

/// How many of `pictures` each share gets.
std::vector<std::uint64_t> share_sizes(std::uint64_t pictures,
                                       const std::vector<SplitShare>& shares) {
  std::vector<std::uint64_t> sizes(shares.size());
  std::vector<double> remainders(shares.size());
  for (std::size_t s = 0; s < shares.size(); ++s) {
    const double exact = shares[s].fraction * static_cast<double>(pictures);
    // 0.1 * 30 is a hair below 3 in binary, and means 3.
    sizes[s] = static_cast<std::uint64_t>(std::floor(exact + kSumTolerance));
    remainders[s] = exact - static_cast<double>(sizes[s]);
  }
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&remainders](std::size_t a, std::size_t b) {
    return remainders[a] > remainders[b];
  });
  std::uint64_t dealt = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
  for (std::size_t k = 0; dealt < pictures; ++k, ++dealt) ++sizes[order[k % order.size()]];
  for (std::uint64_t& size : sizes) {
    if (size == 0 && pictures >= shares.size()) {
      --*std::max_element(sizes.begin(), sizes.end());
      size = 1;
    }
  }
  return sizes;
}

}  // namespace

bool is_part_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

std::vector<SplitShare> parse_split(const std::string& text) {
  std::vector<SplitShare> shares;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    SplitShare share = parse_share(part);
    for (const SplitShare& other : shares) {
      if (other.name == share.name) refuse("the name '" + share.name + "' appears twice");
    }
    shares.push_back(std::move(share));
  }
  const double sum =
      std::accumulate(shares.begin(), shares.end(), 0.0,
                      [](double total, const SplitShare& share) { return total + share.fraction; });
  if (!(std::abs(sum - 1) <= kSumTolerance)) {
    std::ostringstream shown;
    shown << sum;
    refuse("the fractions add up to " + shown.str() + ", not to 1");
  }
  return shares;
}

std::vector<std::size_t> stratified_split(std::span<const std::int32_t> labels,
                                          const std::vector<std::string>& classes,
                                          const std::vector<SplitShare>& shares,
                                          std::uint64_t seed) {
  std::vector<std::vector<std::size_t>> members(classes.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    members.at(static_cast<std::size_t>(labels[i])).push_back(i);
  }
  std::vector<std::size_t> share_of(labels.size());
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (members[c].empty()) continue;
    const std::uint64_t class_key = XXH3_64bits_withSeed(
        classes[c].data(), classes[c].size(), static_cast<std::uint64_t>(RandomUse::kSplit));
    const KeyedPermutation permutation(members[c].size(), seed, class_key);
    std::uint64_t position = 0;
    const std::vector<std::uint64_t> sizes = share_sizes(members[c].size(), shares);
    for (std::size_t s = 0; s < sizes.size(); ++s) {
      for (std::uint64_t k = 0; k < sizes[s]; ++k)
        share_of[members[c][permutation(position++)]] = s;
    }
  }
  return share_of;
}

}  // namespace casvit::dataio
