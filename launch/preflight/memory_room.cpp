#include "launch/preflight/memory_room.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "launch/cgroup.h"

namespace casvit::launch {
namespace {

constexpr std::uint64_t kBytesPerUnit = 1024;  // /proc/meminfo writes "kB" and means KiB

}  // namespace

MemoryRoom memory_room(const std::filesystem::path& root) {
  MemoryRoom room;
  std::ifstream meminfo(root / "proc/meminfo");
  for (std::string line; std::getline(meminfo, line);) {
    std::istringstream words(line);
    std::string name;
    std::uint64_t value = 0;
    if (!(words >> name >> value)) continue;
    if (name == "MemTotal:") room.total_bytes = value * kBytesPerUnit;
    if (name == "MemAvailable:") room.free_bytes = value * kBytesPerUnit;
  }
  if (const auto group = cgroup_memory(root)) {
    const std::uint64_t left = group->limit_bytes - std::min(group->used_bytes, group->limit_bytes);
    if (room.total_bytes == 0 || group->limit_bytes < room.total_bytes) {
      room.total_bytes = group->limit_bytes;
      room.limited = true;
    }
    if (room.limited || left < room.free_bytes) room.free_bytes = std::min(left, room.free_bytes);
  }
  return room;
}

}  // namespace casvit::launch
