// What of preflight needs other ranks; under mpirun.

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "launch/error.h"
#include "launch/preflight/clock_skew.h"
#include "launch/preflight/collective_speed.h"
#include "launch/preflight/expected_world.h"
#include "tests/launch/world_main.h"

namespace casvit::launch {
namespace {

TEST(PreflightWorld, IsFoundAsItIs) {
  World& world = test_world();
  const WorldFound found = look_at(world);
  EXPECT_EQ(found.ranks, world.size());
  EXPECT_EQ(found.hosts, 1);
  EXPECT_TRUE(found.by_launcher);
  EXPECT_EQ(world.hosts().size(), static_cast<std::size_t>(world.size()));
  EXPECT_EQ(world.hosts()[static_cast<std::size_t>(world.rank())], world.host());
  EXPECT_NO_THROW(require_world(world, {world.size(), 1}));
  EXPECT_THROW(require_world(world, {world.size() + 1, 1}), WorldError);
  EXPECT_THROW(require_world(world, {world.size(), 2}), WorldError);
}

TEST(PreflightClock, OfOneHostIsOneClock) {
  World& world = test_world();
  const auto skews = measure_clock_skews(world.communicator());
  ASSERT_EQ(skews.size(), static_cast<std::size_t>(world.size()));
  for (const ClockSkew& skew : skews) {
    EXPECT_LE(std::abs(skew.seconds), skew.uncertainty_seconds + 1e-6);
    EXPECT_LT(skew.uncertainty_seconds, 1);
  }
}

TEST(PreflightSpeed, IsThatOfTheSlowestOnEveryRank) {
  World& world = test_world();
  std::vector<float> buffer(100'000);
  const CollectiveSpeed speed = measure_all_reduce(
      world.communicator(), buffer.data(), buffer.size() * sizeof(float), world.communicator());
  EXPECT_GT(speed.latency_seconds, 0);
  EXPECT_EQ(speed.bytes, 400'000U);
  EXPECT_GT(speed.bytes_per_second, 0);
  double largest = speed.bytes_per_second;
  world.communicator().all_reduce(&largest, 1, ElementType::kFloat64, ReduceOp::kMax).wait();
  EXPECT_EQ(speed.bytes_per_second, largest);
  const double ranks = world.size();
  EXPECT_DOUBLE_EQ(speed.bus_bytes_per_second, speed.bytes_per_second * 2 * (ranks - 1) / ranks);
}

}  // namespace
}  // namespace casvit::launch
