#include "launch/preflight/clock_skew.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

namespace casvit::launch {
namespace {

constexpr int kRounds = 8;

/// The clock that logs and file times are of.
std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

ClockRound ask(Communicator& communicator) {
  ClockRound round;
  round.clocks.resize(static_cast<std::size_t>(communicator.size()));
  round.asked = now();
  communicator.announce("comparing clocks");
  communicator.barrier();  // nobody leaves it before rank 0 came
  const std::int64_t mine = now();
  communicator.announce("comparing clocks");
  communicator.all_gather(&mine, round.clocks.data(), 1, ElementType::kInt64).wait();
  round.answered = now();
  return round;
}

}  // namespace

std::vector<ClockSkew> clock_skews(const std::vector<ClockRound>& rounds) {
  const auto span = [](const ClockRound& round) { return round.answered - round.asked; };
  const ClockRound& best = *std::ranges::min_element(rounds, {}, span);
  const std::int64_t middle = best.asked + span(best) / 2;
  std::vector<ClockSkew> skews;
  for (const std::int64_t clock : best.clocks) {
    skews.push_back({.seconds = static_cast<double>(clock - middle) * 1e-9,
                     .uncertainty_seconds = static_cast<double>(span(best)) * 0.5e-9});
  }
  skews.front() = {};  // rank 0 against itself
  return skews;
}

std::vector<ClockSkew> measure_clock_skews(Communicator& communicator) {
  std::vector<ClockRound> rounds;
  rounds.reserve(kRounds);
  for (int i = 0; i < kRounds; ++i) rounds.push_back(ask(communicator));
  for (ClockRound& round : rounds) {
    std::array<std::int64_t, 2> span{round.asked, round.answered};  // rank 0's count
    communicator.announce("comparing clocks");
    communicator.broadcast(span.data(), span.size(), ElementType::kInt64, 0).wait();
    round.asked = span[0];
    round.answered = span[1];
  }
  return clock_skews(rounds);
}

}  // namespace casvit::launch
