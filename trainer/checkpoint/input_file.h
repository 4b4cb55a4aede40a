#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace casvit::trainer {

/// A regular file open for reading. It is read, not mapped: a file that shrinks meanwhile is an
/// error to report, where a map would end the process. Reads are const and thread-safe.
class InputFile {
 public:
  /// @throws CheckpointError where it is missing, unreadable, or not a regular file.
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  /// Size when it was opened.
  std::uint64_t bytes() const { return bytes_; }
  /// Reads exactly `count` bytes from `offset`. @throws CheckpointError
  void read(std::uint64_t offset, void* buffer, std::size_t count) const;

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t bytes_ = 0;
};

}  // namespace casvit::trainer
