#include "launch/cgroup.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

namespace casvit::launch {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// v2: "max 100000" or "250000 100000" (microseconds allowed, of each period).
std::optional<double> quota_v2(const fs::path& group) {
  std::istringstream line(first_line(group / "cpu.max"));
  double allowed = 0;
  double period = 0;
  if (line >> allowed >> period && allowed > 0 && period > 0) return allowed / period;
  return std::nullopt;
}

/// v1: the same two numbers in two files, -1 for no quota.
std::optional<double> quota_v1(const fs::path& group) {
  std::istringstream line(first_line(group / "cpu.cfs_quota_us") + " " +
                          first_line(group / "cpu.cfs_period_us"));
  double allowed = 0;
  double period = 0;
  if (line >> allowed >> period && allowed > 0 && period > 0) return allowed / period;
  return std::nullopt;
}

std::optional<std::uint64_t> number_in(const fs::path& path) {
  std::istringstream line(first_line(path));
  std::uint64_t number = 0;
  if (line >> number) return number;
  return std::nullopt;  // not there, or "max"
}

/// A line "NAME NUMBER" of a group's memory.stat; 0 where there is none.
std::uint64_t memory_stat(const fs::path& group, const std::string& name) {
  std::ifstream file(group / "memory.stat");
  std::string found;
  std::uint64_t number = 0;
  while (file >> found >> number) {
    if (found == name) return number;
  }
  return 0;
}

std::optional<CgroupMemory> memory_of(const fs::path& group, const char* limit_file,
                                      const char* usage_file, const char* inactive_file) {
  // v1 says "no limit" with a number near 2^63.
  constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 60;
  const auto limit = number_in(group / limit_file);
  const auto used = number_in(group / usage_file);
  if (!limit || !used || *limit >= kNoLimit) return std::nullopt;
  return CgroupMemory{*limit, *used - std::min(*used, memory_stat(group, inactive_file))};
}

std::optional<CgroupMemory> memory_v2(const fs::path& group) {
  return memory_of(group, "memory.max", "memory.current", "inactive_file");
}

std::optional<CgroupMemory> memory_v1(const fs::path& group) {
  return memory_of(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file");
}

/// `group` and those above it, up to `mount`. In a container the group's path is often the host's
/// and does not exist below the mount: its ancestors are asked all the same.
template <typename Visit>
void visit_ancestors(const fs::path& mount, const std::string& group, Visit visit) {
  fs::path relative = fs::path(group).relative_path();
  while (true) {
    visit(mount / relative);
    if (relative.empty()) return;
    relative = relative.parent_path();
  }
}

bool lists(const std::string& controllers, const std::string& wanted) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == wanted) return true;
  }
  return false;
}

/// The folders of this process's groups in which `controller` could have its files.
template <typename VisitV1, typename VisitV2>
void visit_groups(const fs::path& root, const std::string& controller, VisitV1 visit_v1,
                  VisitV2 visit_v2) {
  const fs::path mounts = root / "sys/fs/cgroup";
  // Lines are "hierarchy:controllers:path"; v2 is hierarchy 0 with no controllers named.
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const auto first = line.find(':');
    if (first == std::string::npos) continue;
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      visit_ancestors(mounts, group, visit_v2);
      visit_ancestors(mounts / "unified", group, visit_v2);
    } else if (lists(controllers, controller)) {
      visit_ancestors(mounts / controllers, group, visit_v1);
      if (controllers != controller) visit_ancestors(mounts / controller, group, visit_v1);
    }
  }
}

}  // namespace

std::optional<double> cgroup_cpu_quota(const fs::path& root) {
  std::optional<double> least;
  const auto take = [&least](std::optional<double> quota) {
    if (quota) least = std::min(least.value_or(*quota), *quota);
  };
  visit_groups(
      root, "cpu", [&](const fs::path& group) { take(quota_v1(group)); },
      [&](const fs::path& group) { take(quota_v2(group)); });
  return least;
}

std::optional<CgroupMemory> cgroup_memory(const fs::path& root) {
  const auto left = [](const CgroupMemory& memory) {
    return memory.limit_bytes - std::min(memory.used_bytes, memory.limit_bytes);
  };
  std::optional<CgroupMemory> least;
  const auto take = [&](std::optional<CgroupMemory> memory) {
    if (memory && (!least || left(*memory) < left(*least))) least = memory;
  };
  visit_groups(
      root, "memory", [&](const fs::path& group) { take(memory_v1(group)); },
      [&](const fs::path& group) { take(memory_v2(group)); });
  return least;
}

}  // namespace casvit::launch
