// The collectives of launch, compiled against SimGrid's MPI, really add up what ranks contribute.

#include "tools/scale/simulation/host_exchange.h"

#include <gtest/gtest.h>
#include <mpi.h>

#include <simgrid/s4u.hpp>
#include <string>
#include <vector>

#include "tools/scale/simulation/host_sum.h"
#include "tools/scale/simulation/platform.h"

namespace casvit::scale {
namespace {

constexpr int kRanks = 5;
constexpr std::size_t kElements = 3'000'000;  // several pieces

std::vector<float> contribution(int rank) {
  std::vector<float> values(kElements);
  for (std::size_t i = 0; i < kElements; ++i) {
    values[i] = static_cast<float>(rank + 1) * static_cast<float>(i % 1000);
  }
  return values;
}

// SMPI lives once in a process: one test.
TEST(HostExchange, AddsEveryElementOfEveryRankOnceInTheSimulationToo) {
  std::vector<std::string> settings = ideal_network_arguments();
  std::string name = "test";
  std::vector<char*> arguments{name.data()};
  for (std::string& setting : settings) arguments.push_back(setting.data());
  auto count = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  simgrid::s4u::Engine engine(&count, arguments.data());
  SMPI_init();
  set_host_sum({1e-10, true});
  PlatformOptions platform;
  platform.ranks = kRanks;
  const auto hosts = make_platform(platform);
  SMPI_app_instance_register("test", nullptr, kRanks);
  int finished = 0;
  for (int rank = 0; rank < kRanks; ++rank) {
    const auto actor =
        simgrid::s4u::Actor::init(std::to_string(rank), hosts[static_cast<std::size_t>(rank)]);
    actor->set_property("instance_id", "test");
    actor->set_property("rank", std::to_string(rank));
    actor->start([rank, &finished] {
      MPI_Init(nullptr, nullptr);
      std::vector<float> values = contribution(rank);
      {
        HostExchange exchange(rank, kRanks);
        Transfer transfer;
        transfer.bytes = static_cast<std::int64_t>(kElements * sizeof(float));
        exchange.issue(transfer, reinterpret_cast<std::byte*>(values.data()));
        exchange.run();
      }
      for (std::size_t i = 0; i < kElements; ++i) {
        ASSERT_EQ(values[i], 15.0F * static_cast<float>(i % 1000)) << "element " << i;
      }
      ++finished;
      MPI_Finalize();
    });
  }
  engine.run();
  SMPI_finalize();
  EXPECT_EQ(finished, kRanks);
}

}  // namespace
}  // namespace casvit::scale
