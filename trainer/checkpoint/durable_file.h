#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace casvit::trainer {

/// A file that appears under its name only when it is whole and on the disk: written aside, under a
/// hidden name of the same folder (".NAME.PID.N.tmp"), then fsynced, renamed, and the folder
/// fsynced. What is not committed is removed. Every failure is an OutputError that names the path
/// and the system's reason.
class AsideFile {
 public:
  /// @throws OutputError also where `path` is there already and is no regular file.
  explicit AsideFile(std::string path);
  ~AsideFile();
  AsideFile(const AsideFile&) = delete;
  AsideFile& operator=(const AsideFile&) = delete;

  void write(const void* bytes, std::size_t count);
  /// Where it lies until it is committed: for reading back what was written.
  const std::string& aside() const { return aside_; }
  void commit();

 private:
  void discard() noexcept;

  std::string path_;
  std::string aside_;  ///< empty once committed or removed
  int descriptor_ = -1;
  std::uint64_t written_ = 0;
};

/// Makes `path` a second name of the file `existing` of the same folder, replacing in one step what
/// had that name. Where the file system has no hard links it becomes a copy. @throws OutputError
void replace_with_link(const std::string& existing, const std::string& path);

/// Makes renames and removals in a folder durable. @throws OutputError
void sync_folder(const std::string& folder);

/// Removes the files aside that a killed writer left in `folder`. @throws OutputError
void remove_leftovers(const std::string& folder);

}  // namespace casvit::trainer
