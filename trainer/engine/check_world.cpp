#include "trainer/engine/check_world.h"

#include <cmath>
#include <string>
#include <vector>

#include "trainer/error.h"

namespace casvit::trainer {

std::chrono::milliseconds timeout_of(const Config& config) {
  return std::chrono::milliseconds(std::llround(config.launch.timeout_seconds * 1e3));
}

void check_world(const Config& config, launch::World& world) {
  const int ranks = world.size();
  world.set_timeout(timeout_of(config));
  world.set_hierarchy(launch::hierarchy_named(config.parallel.hierarchical));
  refuse_differences(to_yaml(config), "another configuration", world);
  const int expected = config.launch.expect_ranks;
  if (expected != 0 && expected != ranks) {
    throw ConfigError("launch.expect_ranks is " + std::to_string(expected) + ", but " +
                      std::to_string(ranks) + " ranks were started; start " +
                      std::to_string(expected) + ", or change it");
  }
  if (config.parallel.reproducible && (ranks & (ranks - 1)) != 0) {
    throw ConfigError("parallel.reproducible needs 1, 2, 4, 8, ... ranks, but " +
                      std::to_string(ranks) + " were started");
  }
  if (config.parallel.batch_norm == "synchronized" && config.batch.shards != ranks) {
    throw ConfigError(
        "parallel.batch_norm: synchronized needs one shard a rank, but " +
        std::to_string(config.batch.shards) + " shards (batch.shards) meet " +
        std::to_string(ranks) + " ranks; start " + std::to_string(config.batch.shards) +
        ", or give each rank one larger shard (batch.shards: " + std::to_string(ranks) + ")");
  }
}

void refuse_differences(const std::string& mine, const std::string& what, launch::World& world) {
  const std::vector<std::string> all = launch::all_gather_strings(world.communicator(), mine);
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] != all[0]) {
      throw ConfigError("rank " + std::to_string(rank) + " has " + what +
                        " than rank 0; every rank must see the same files and options");
    }
  }
}

}  // namespace casvit::trainer
