#pragma once

#include "launch/threads.h"
#include "launch/world.h"

namespace casvit::launch {

/// The threads of this rank: its own cores where the launcher bound ranks to disjoint ones, else
/// its share of the node's. Every rank must call it (the ranks compare their affinity masks).
/// @param requested compute threads a rank from the configuration; 0 derives them.
ThreadPlan plan_rank_threads(World& world, int requested);

}  // namespace casvit::launch
