#include "trainer/engine/check_world.h"

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "dataio/error.h"
#include "launch/preflight/agreement.h"
#include "launch/preflight/binary_hash.h"
#include "trainer/engine/configuration_differences.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

/// Says who; the others see the same and throw alike.
std::string who_differs(const std::vector<int>& ranks, const char* what,
                        const launch::World& world) {
  return launch::ranks_and_hosts_text(ranks, world.hosts()) +
         (ranks.size() == 1 ? " has " : " have ") + what + " than the other ranks";
}

/// A hash each, in one message; configurations themselves only where they are not the same.
void refuse_other_program_or_configuration(const std::string& yaml, launch::World& world) {
  const std::string binary = launch::binary_hash();
  std::vector<std::string> binaries;
  std::vector<std::string> configurations;
  for (const std::string& both : launch::all_gather_strings(
           world.communicator(), binary + launch::hash_of(yaml), "comparing configurations")) {
    binaries.push_back(both.substr(0, binary.size()));
    configurations.push_back(both.substr(binary.size()));
  }
  if (const auto others = launch::dissenters(binaries); !others.empty()) {
    throw ConfigError(who_differs(others, "another casvit_dist", world) +
                      "; install the same build on every host");
  }
  const auto others = launch::dissenters(configurations);
  if (others.empty()) return;
  throw ConfigError(
      who_differs(others, "another configuration", world) +
      configuration_differences(launch::all_gather_strings(world.communicator(), yaml), others) +
      "\nevery rank must see the same file and options");
}

}  // namespace

std::chrono::milliseconds timeout_of(const Config& config) {
  return std::chrono::milliseconds(std::llround(config.launch.timeout_seconds * 1e3));
}

launch::ExpectedWorld expected_world_of(const Config& config) {
  return {config.launch.expect_ranks, config.launch.expect_hosts};
}

void enter_world(const Config& config, launch::World& world) {
  world.set_timeout(timeout_of(config));
  launch::require_world(world, expected_world_of(config));
  refuse_other_program_or_configuration(to_yaml(config), world);
  world.set_hierarchy(launch::hierarchy_named(config.parallel.hierarchical));
}

void check_world(const Config& config, launch::World& world) {
  enter_world(config, world);
  if (const std::string problem = problem_with_ranks(config, world.size()); !problem.empty()) {
    throw ConfigError(problem);
  }
}

std::string problem_with_ranks(const Config& config, int ranks) {
  if (config.parallel.reproducible && (ranks & (ranks - 1)) != 0) {
    return "parallel.reproducible needs 1, 2, 4, 8, ... ranks, but " + std::to_string(ranks) +
           " were started";
  }
  const int shards = config.batch.shards;
  if (config.parallel.batch_norm == "synchronized" && shards != ranks) {
    return "parallel.batch_norm: synchronized needs one shard a rank, but " +
           std::to_string(shards) + " shards (batch.shards) meet " + std::to_string(ranks) +
           " ranks; start " + std::to_string(shards) +
           ", or give each rank one larger shard (batch.shards: " + std::to_string(ranks) + ")";
  }
  return {};
}

void refuse_other_data(const std::string& mine, launch::World& world) {
  const auto others =
      launch::dissenters(launch::all_gather_strings(world.communicator(), mine, "comparing data"));
  if (others.empty()) return;
  throw dataio::InputError(who_differs(others, "other data", world) +
                           " (data.train or data.val); put the same files on every host, or where "
                           "all hosts see them");
}

}  // namespace casvit::trainer
