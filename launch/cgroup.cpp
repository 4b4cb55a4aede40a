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

/// The least quota of `group` and those above it, up to `mount`. In a container the group's path is
/// often the host's and does not exist below the mount: its ancestors are asked all the same.
template <typename Read>
std::optional<double> least_quota(const fs::path& mount, const std::string& group, Read read) {
  std::optional<double> least;
  fs::path relative = fs::path(group).relative_path();
  while (true) {
    if (const auto quota = read(mount / relative)) least = std::min(least.value_or(*quota), *quota);
    if (relative.empty()) return least;
    relative = relative.parent_path();
  }
}

bool has_cpu_controller(const std::string& controllers) {
  std::istringstream names(controllers);
  for (std::string name; std::getline(names, name, ',');) {
    if (name == "cpu") return true;
  }
  return false;
}

}  // namespace

std::optional<double> cgroup_cpu_quota(const fs::path& root) {
  const fs::path mounts = root / "sys/fs/cgroup";
  std::optional<double> least;
  const auto take = [&least](std::optional<double> quota) {
    if (quota) least = std::min(least.value_or(*quota), *quota);
  };
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
      take(least_quota(mounts, group, quota_v2));
      take(least_quota(mounts / "unified", group, quota_v2));
    } else if (has_cpu_controller(controllers)) {
      take(least_quota(mounts / controllers, group, quota_v1));
      if (controllers != "cpu") take(least_quota(mounts / "cpu", group, quota_v1));
    }
  }
  return least;
}

}  // namespace casvit::launch
