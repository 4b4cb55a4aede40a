#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace casvit::launch {

/// The disk that a folder is on, or will be on once it is made.
struct DiskRoom {
  std::string folder;    ///< as it was asked for
  std::string existing;  ///< the nearest of its parents that is there, or itself
  bool writable = false;
  /// For this user, in bytes; nothing where the file system does not say (some network file
  /// systems).
  std::optional<std::uint64_t> free_bytes;
};

/// Writes nothing and makes nothing.
DiskRoom disk_room(const std::string& folder);

}  // namespace casvit::launch
