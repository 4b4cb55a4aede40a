#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace casvit::dataio {

/// Owns an open file of the system.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) : descriptor_(descriptor) {}
  ~FileDescriptor();
  FileDescriptor(FileDescriptor&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int get() const { return descriptor_; }
  /// Closes now. @returns "" or what went wrong: some file systems say only then that what was
  /// written could not be stored.
  std::string close();

 private:
  int descriptor_ = -1;
};

/// Reads exactly `bytes.size()` bytes at `offset`, through signals and short reads.
/// @returns "" or what went wrong ("Input/output error", "the file ends too early").
std::string read_at(int descriptor, std::uint64_t offset, std::span<std::uint8_t> bytes);

/// Writes all of `bytes` at `offset`. @returns "" or what went wrong.
std::string write_at(int descriptor, std::uint64_t offset, std::span<const std::uint8_t> bytes);

/// The system's text for the present `errno`, e.g. "No such file or directory". Thread-safe.
std::string system_error_text();

}  // namespace casvit::dataio
