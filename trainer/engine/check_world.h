#pragma once

#include <chrono>
#include <string>

#include "launch/preflight/expected_world.h"
#include "launch/world.h"
#include "trainer/config/config.h"

namespace casvit::trainer {

/// `launch.timeout_seconds`.
std::chrono::milliseconds timeout_of(const Config& config);

/// `launch.expect_ranks` and `launch.expect_hosts`.
launch::ExpectedWorld expected_world_of(const Config& config);

/// What every command with a configuration begins with: whether the world is the one that it is
/// for, and all ranks run the same program with the same configuration. Collective, and the first
/// thing that ranks do together: what they do next depends on it. Sets the world's timeout.
/// @throws WorldError, ConfigError on every rank
void enter_world(const Config& config, launch::World& world);

/// enter_world for training, which not every number of ranks can do.
/// @throws WorldError, ConfigError on every rank
void check_world(const Config& config, launch::World& world);

/// Why so many ranks cannot train by this configuration; empty where they can. Whether they divide
/// the shards is ShardPlan's to say.
std::string problem_with_ranks(const Config& config, int ranks);

/// Collective. @param mine Dataset::content_hash of what this rank reads
/// @throws dataio::InputError on every rank, where it is not the same on all of them
void refuse_other_data(const std::string& mine, launch::World& world);

}  // namespace casvit::trainer
