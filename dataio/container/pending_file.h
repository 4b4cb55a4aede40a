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
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  const std::string& path() const { return path_; }
  const std::string& temporary_path() const { return temporary_path_; }

  /// Gives the file its name, replacing one that was there, and makes the name durable (fsync of
  /// the folder). The file's content must have been fsynced. @throws OutputError
  void publish();

 private:
  std::string path_;
  std::string temporary_path_;
  bool published_ = false;
};

}  // namespace casvit::dataio
