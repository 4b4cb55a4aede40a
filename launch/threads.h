#pragma once

namespace casvit::launch {

/// Cores that this process may run on, from its affinity mask and the cgroup's CPU quota (v1, v2).
int usable_cores();

struct ThreadPlan {
  int compute = 1;  ///< intra-op threads of the model
  int loader = 1;   ///< decoding threads
};

/// Divides the cores of a node among its ranks. Where ranks are bound to disjoint cores each keeps
/// its own; where they share a mask each takes cores / local_size, at least one.
/// @param requested threads a rank from the configuration; 0 derives them.
ThreadPlan plan_threads(int usable_cores, int local_size, bool mask_is_private, int requested);

}  // namespace casvit::launch
