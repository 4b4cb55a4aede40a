#pragma once

#include <string>

namespace casvit::dataio {

/// A file that is written under a temporary name in its folder and appears under its own name only
/// when published; an unpublished one is removed with this object.
class PendingFile {
 public:
  /// Chooses the temporary name; creates nothing.
  /// @throws OutputError when `path` cannot become a file (it is a folder, its folder is missing).
  explicit PendingFile(std::string path);
  /// The temporary name is that of `path` with a dot before and `.suffix` behind it, the same each
  /// time: for a file that another process may continue. @throws as above
  PendingFile(std::string path, const std::string& suffix);
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  const std::string& path() const { return path_; }
  const std::string& temporary_path() const { return temporary_path_; }

  /// Gives the file its name, replacing one that was there, and makes the name durable (fsync of
  /// the folder). The file's content must have been fsynced. @throws OutputError
  void publish();

  /// The temporary file stays when this object goes.
  void keep() { kept_ = true; }

 private:
  void check_path() const;

  std::string path_;
  std::string temporary_path_;
  bool published_ = false;
  bool kept_ = false;
};

}  // namespace casvit::dataio
