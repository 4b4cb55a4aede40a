#include "launch/threads.h"

#include <algorithm>

#include "launch/affinity.h"
#include "launch/cgroup.h"

namespace casvit::launch {

int usable_cores() {
  int cores = static_cast<int>(affinity_cpus().size());
  // Rounded down: a thread more than the quota pays for is stopped within every period, and with it
  // all that wait for it.
  if (const auto quota = cgroup_cpu_quota()) cores = std::min(cores, static_cast<int>(*quota));
  return std::max(cores, 1);
}

ThreadPlan plan_threads(int usable_cores, int local_size, bool mask_is_private, int requested) {
  const int mine = mask_is_private ? usable_cores : usable_cores / std::max(local_size, 1);
  const int share = std::max(requested > 0 ? requested : mine, 1);
  // Decoding threads mostly sleep before a full queue; one core is left to who consumes it. They
  // may be more than the threads that compute, which a GPU or bit-equal arithmetic keeps at one.
  return {.compute = share, .loader = std::max(std::max(share, mine) - 1, 1)};
}

}  // namespace casvit::launch
