#include "dataio/random/sample_order.h"

#include <string>

#include "dataio/error.h"
#include "dataio/random/counter_rng.h"
#include "dataio/random/permutation.h"

namespace casvit::dataio {
namespace {

KeyedPermutation keyed(std::uint64_t size, std::uint64_t seed, RandomUse use, std::uint64_t a,
                       std::uint64_t b) {
  CounterRng rng(seed, use, a, b);
  const std::uint64_t key0 = rng.next_u64();
  return {size, key0, rng.next_u64()};
}

// Of the two things that kBalancedOrder keys, rounds use (epoch, round) and passes over a class
// (kPass | class, pass): epochs never reach the top bit.
constexpr std::uint64_t kPass = std::uint64_t{1} << 63;

}  // namespace

SampleOrder SampleOrder::shuffled(std::uint64_t seed, std::uint64_t samples) {
  if (samples == 0) throw UsageError("a sample order needs at least one sample");
  SampleOrder order;
  order.seed_ = seed;
  order.samples_ = samples;
  return order;
}

SampleOrder SampleOrder::balanced(std::uint64_t seed, std::span<const std::int32_t> labels,
                                  int classes) {
  SampleOrder order = shuffled(seed, labels.size());
  if (classes < 1) throw UsageError("a balanced order needs at least one class");
  order.members_.resize(static_cast<std::size_t>(classes));
  for (std::size_t sample = 0; sample < labels.size(); ++sample) {
    const std::int32_t label = labels[sample];
    if (label < 0 || label >= classes) {
      throw UsageError("sample " + std::to_string(sample) + " has label " + std::to_string(label) +
                       ", but there are " + std::to_string(classes) + " classes");
    }
    order.members_[static_cast<std::size_t>(label)].push_back(sample);
  }
  for (std::size_t c = 0; c < order.members_.size(); ++c) {
    if (order.members_[c].empty()) {
      throw UsageError("a balanced order needs samples of every class, but class " +
                       std::to_string(c) + " has none: remove the class or turn balancing off");
    }
  }
  return order;
}

std::uint64_t SampleOrder::at(std::uint64_t epoch, std::uint64_t position) const {
  if (members_.empty()) return keyed(samples_, seed_, RandomUse::kSampleOrder, epoch, 0)(position);

  const std::uint64_t classes = members_.size();
  const std::uint64_t round = position / classes;
  const std::uint64_t rounds_an_epoch = (samples_ + classes - 1) / classes;
  const std::uint64_t chosen =
      keyed(classes, seed_, RandomUse::kBalancedOrder, epoch, round)(position % classes);
  // Every round takes one draw from every class, over epochs without a break; what a class would
  // have given in the part of an epoch's last round that is cut off is skipped.
  const std::uint64_t draw = epoch * rounds_an_epoch + round;
  const auto& members = members_[chosen];
  const std::uint64_t pass = draw / members.size();
  return members[keyed(members.size(), seed_, RandomUse::kBalancedOrder, kPass | chosen,
                       pass)(draw % members.size())];
}

}  // namespace casvit::dataio
