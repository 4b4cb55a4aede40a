#pragma once

#include <string>

namespace casvit::dataio {

/// The folder that holds `path`: "." for a name alone.
std::string folder_of(const std::string& path);

/// A hidden file beside `path`: "in/.out.h5.journal" for "in/out.h5" and ".journal".
std::string hidden_beside(const std::string& path, const std::string& suffix);

/// Ends the names of files that are being written; process numbers or ranks may follow.
inline constexpr const char* kPartSuffix = ".part";

/// Where a file is written that another process may continue: the same each time.
inline std::string part_file_of(const std::string& path) {
  return hidden_beside(path, kPartSuffix);
}

/// When a file is done.
enum class Durability {
  kOnDisk,          ///< once the disk has it (fsync)
  kLeftToTheSystem  ///< once the system has it, which survives the process, but not a power cut
};

/// A file that is written under a temporary name in its folder and appears under its own name only
/// when published; an unpublished one is removed with this object.
class PendingFile {
 public:
  /// Chooses the temporary name; creates nothing.
  /// @throws OutputError when `path` cannot become a file (it is a folder, its folder is missing).
  explicit PendingFile(std::string path);
  /// Under a temporary name of the caller's choice, in the same folder. @throws as above
  PendingFile(std::string path, std::string temporary_path);
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  const std::string& path() const { return path_; }
  const std::string& temporary_path() const { return temporary_path_; }

  /// Makes the file's content durable (fsync), gives it its name, replacing one that was there, and
  /// makes the name durable (fsync of the folder); or only gives it its name. @throws OutputError
  void publish(Durability durability = Durability::kOnDisk);

  /// The temporary file stays when this object goes.
  void keep() { kept_ = true; }

 private:
  void check_path() const;
  void sync_content() const;
  void sync_name() const;

  std::string path_;
  std::string temporary_path_;
  bool published_ = false;
  bool kept_ = false;
};

}  // namespace casvit::dataio
