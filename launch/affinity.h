#pragma once

#include <vector>

namespace casvit::launch {

/// The numbers of the logical CPUs that this process may run on (sched_getaffinity), ascending.
std::vector<int> affinity_cpus();

}  // namespace casvit::launch
