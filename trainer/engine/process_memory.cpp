#include "trainer/engine/process_memory.h"

#include <sys/resource.h>

namespace casvit::trainer {

std::uint64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::uint64_t{1024} * static_cast<std::uint64_t>(usage.ru_maxrss);
}

}  // namespace casvit::trainer
