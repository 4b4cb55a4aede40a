#include "launch/affinity.h"

#include <sched.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <system_error>

namespace casvit::launch {

std::vector<int> affinity_cpus() {
  // The kernel refuses a mask shorter than its own with EINVAL, and says not how long that is.
  for (int capacity = 1024; capacity <= (1 << 20); capacity *= 2) {
    const auto release = [](cpu_set_t* set) { CPU_FREE(set); };
    const std::unique_ptr<cpu_set_t, decltype(release)> set(CPU_ALLOC(capacity), release);
    if (!set) throw std::bad_alloc();
    const std::size_t bytes = CPU_ALLOC_SIZE(capacity);
    if (sched_getaffinity(0, bytes, set.get()) == 0) {
      std::vector<int> cpus;
      for (int cpu = 0; cpu < capacity; ++cpu) {
        if (CPU_ISSET_S(cpu, bytes, set.get())) cpus.push_back(cpu);
      }
      return cpus;
    }
    if (errno != EINVAL) break;
  }
  throw std::system_error(errno, std::generic_category(), "sched_getaffinity");
}

}  // namespace casvit::launch
