#pragma once

#include <filesystem>
#include <optional>

namespace casvit::launch {

/// Cores' worth of CPU time that the control groups of this process allow (2.5 means two and a half
/// cores), the least over the group and all those above it; nothing where there is no quota. Reads
/// cgroup v2 (`cpu.max`) and v1 (`cpu.cfs_quota_us`, `cpu.cfs_period_us`).
/// @param root where the file system starts; another one than "/" is for tests.
std::optional<double> cgroup_cpu_quota(const std::filesystem::path& root = "/");

}  // namespace casvit::launch
