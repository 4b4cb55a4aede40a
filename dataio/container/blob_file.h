#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "dataio/container/file_descriptor.h"

namespace casvit::dataio {

/// A file that pictures are put into: positions count from `base`, what lies before is not touched.
/// Const methods are thread-safe where they concern different ranges.
class BlobFile {
 public:
  enum class Begin {
    kAnew,     ///< the file is made, or emptied
    kContinue  ///< the file is there and keeps what it has
  };

  /// @param name what messages call the file. @throws OutputError
  BlobFile(std::string path, std::string name, std::uint64_t base, Begin begin);

  /// @throws OutputError
  void write(std::uint64_t position, std::span<const std::uint8_t> bytes) const;
  /// @returns whether all of it is there and could be read.
  bool read(std::uint64_t position, std::span<std::uint8_t> bytes) const;
  /// Cuts off everything from `end` on. @throws OutputError
  void truncate(std::uint64_t end) const;
  /// Makes durable what was written (fdatasync). @throws OutputError
  void sync() const;
  /// Has the disk begin with all of it and closes the file, which network file systems report
  /// failures at. @throws OutputError
  void hand_over();
  /// Copies the first `bytes` bytes to `position` of another file. @throws OutputError
  void copy_to(const BlobFile& other, std::uint64_t position, std::uint64_t bytes) const;

 private:
  void start_writing_out(std::uint64_t position, std::uint64_t bytes) const;
  [[noreturn]] void fail(const std::string& reason) const;

  std::string path_;
  std::string name_;
  std::uint64_t base_;
  FileDescriptor descriptor_;
};

}  // namespace casvit::dataio
