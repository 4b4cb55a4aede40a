// What every run asks of its world before the first step; under mpirun.

#include "trainer/engine/check_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>

#include "dataio/error.h"
#include "launch/error.h"
#include "tests/launch/world_main.h"
#include "trainer/engine/room_needed.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using launch::test_world;
using testing::HasSubstr;

bool is_last() { return test_world().rank() == test_world().size() - 1; }

/// The message of the Error that `call` throws, on every rank.
template <typename Error>
std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

std::string last_rank() {
  return "rank " + std::to_string(test_world().size() - 1) + " on " + test_world().host();
}

TEST(CheckWorld, AcceptsRanksThatAreAlike) {
  Config config;
  config.launch.expect_ranks = test_world().size();
  config.launch.expect_hosts = 1;
  EXPECT_NO_THROW(check_world(config, test_world()));
  EXPECT_NO_THROW(refuse_other_data("0123456789abcdef", test_world()));
}

TEST(CheckWorld, NamesARankWithAnotherConfigurationAndTheKeys) {
  Config config;
  if (is_last()) config.optimizer.learning_rate = 0.5;
  const std::string message = message_of<ConfigError>([&] { check_world(config, test_world()); });
  EXPECT_THAT(message, HasSubstr(last_rank() + " has another configuration"));
  EXPECT_THAT(message, HasSubstr("optimizer.learning_rate: 0.001 -> 0.5"));
}

TEST(CheckWorld, NamesARankWithOtherData) {
  EXPECT_THAT(message_of<dataio::InputError>(
                  [] { refuse_other_data(is_last() ? "other" : "same", test_world()); }),
              HasSubstr(last_rank() + " has other data"));
}

TEST(CheckWorld, RefusesAnotherWorld) {
  Config config;
  config.launch.expect_hosts = 2;
  EXPECT_THAT(message_of<launch::WorldError>([&] { check_world(config, test_world()); }),
              HasSubstr("launch.expect_hosts is 2"));
}

TEST(CheckWorld, CostsLittle) {
  const Config config;
  const std::string folder = std::filesystem::temp_directory_path().string();
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {  // the best: a pause of the machine's is no cost of ours
    test_world().communicator().barrier();
    const auto start = std::chrono::steady_clock::now();
    check_world(config, test_world());
    refuse_other_data("0123456789abcdef", test_world());
    require_room_for_checkpoint(folder, 1);
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  if (test_world().rank() == 0) std::printf("%.1f ms\n", best * 1e3);
  EXPECT_LT(best, 0.05);
}

}  // namespace
}  // namespace casvit::trainer
