#include "launch/preflight/disk_room.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace casvit::launch {
namespace fs = std::filesystem;

DiskRoom disk_room(const std::string& folder) {
  DiskRoom room;
  room.folder = folder;
  std::error_code ignored;  // what cannot be looked at is passed over, up to the root
  fs::path place = fs::absolute(folder, ignored);
  while (place.has_relative_path() && !fs::exists(place, ignored)) place = place.parent_path();
  room.existing = place.string();
  room.writable = fs::is_directory(place, ignored) && ::access(place.c_str(), W_OK | X_OK) == 0;
  struct statvfs disk {};
  if (::statvfs(place.c_str(), &disk) == 0 && disk.f_blocks > 0) {
    room.free_bytes = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  }
  return room;
}

}  // namespace casvit::launch
