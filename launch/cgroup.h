#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace casvit::launch {

/// Cores' worth of CPU time that the control groups of this process allow (2.5 means two and a half
/// cores), the least over the group and all those above it; nothing where there is no quota. Reads
/// cgroup v2 (`cpu.max`) and v1 (`cpu.cfs_quota_us`, `cpu.cfs_period_us`).
/// @param root where the file system starts; another one than "/" is for tests.
std::optional<double> cgroup_cpu_quota(const std::filesystem::path& root = "/");

struct CgroupMemory {
  std::uint64_t limit_bytes = 0;
  std::uint64_t used_bytes = 0;  ///< without the file pages that the system would give up first
};

/// Of the group that leaves the least, among those of this process and all above them; nothing
/// where none has a limit. Reads cgroup v2 (`memory.max`, `memory.current`) and v1
/// (`memory.limit_in_bytes`, `memory.usage_in_bytes`).
std::optional<CgroupMemory> cgroup_memory(const std::filesystem::path& root = "/");

}  // namespace casvit::launch
