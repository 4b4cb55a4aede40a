#pragma once

#include <cstdint>
#include <filesystem>

namespace casvit::launch {

/// What a process may use of this machine's memory.
struct MemoryRoom {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;  ///< with what the system would give up: caches
  bool limited = false;          ///< by a control group, of which the two are then
};

/// The least that machine and control groups (v1, v2) allow; zeros where neither says anything.
/// @param root where the file system starts; another one than "/" is for tests.
MemoryRoom memory_room(const std::filesystem::path& root = "/");

}  // namespace casvit::launch
