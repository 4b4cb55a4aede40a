#include "launch/rank_threads.h"

#include <algorithm>
#include <string>
#include <vector>

#include "launch/affinity.h"

namespace casvit::launch {
namespace {

/// "host;0;1;5;": the cores of one rank, comparable between ranks.
std::string describe_mask(const std::string& host) {
  std::string text = host + ";";
  for (const int cpu : affinity_cpus()) {
    text += std::to_string(cpu) + ";";
  }
  return text;
}

bool share_a_core(const std::string& mask, const std::string& other) {
  const std::size_t host_end = mask.find(';');
  if (other.compare(0, host_end + 1, mask, 0, host_end + 1) != 0) {
    return false;  // another node
  }
  for (std::size_t begin = host_end; begin + 1 < mask.size();) {
    const std::size_t end = mask.find(';', begin + 1);
    if (other.find(mask.substr(begin, end - begin + 1), host_end) != std::string::npos) {
      return true;
    }
    begin = end;
  }
  return false;
}

}  // namespace

ThreadPlan plan_rank_threads(World& world, int requested) {
  const std::vector<std::string> masks =
      all_gather_strings(world.communicator(), describe_mask(world.host()));
  const auto mine = static_cast<std::size_t>(world.rank());
  bool mask_is_private = true;
  for (std::size_t rank = 0; rank < masks.size(); ++rank) {
    mask_is_private = mask_is_private && (rank == mine || !share_a_core(masks[mine], masks[rank]));
  }
  return plan_threads(usable_cores(), world.local_size(), mask_is_private, requested);
}

}  // namespace casvit::launch
