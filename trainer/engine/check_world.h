#pragma once

#include <chrono>
#include <string>

#include "launch/world.h"
#include "trainer/config/config.h"

namespace casvit::trainer {

/// `launch.timeout_seconds`.
std::chrono::milliseconds timeout_of(const Config& config);

/// Whether the world is the one that the configuration is for, and all its ranks have the same.
/// Collective, and the first thing that ranks do together: what they do next depends on their
/// configuration. Sets the world's timeout.
/// @throws ConfigError on every rank
void check_world(const Config& config, launch::World& world);

/// Collective. @param what of a rank may be different, e.g. "other data"
/// @throws ConfigError on every rank, where `mine` is not the same on all of them
void refuse_differences(const std::string& mine, const std::string& what, launch::World& world);

}  // namespace casvit::trainer
