#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace casvit::dataio {

/// A piece of a file as memory, read only. Its pages are those of the system's page cache: all
/// processes of a machine share them, and the system takes them back when memory is short.
///
/// Where the file is cut short while it is mapped, touching what is gone raises SIGBUS: see
/// explain_lost_mappings.
class FileMapping {
 public:
  FileMapping() = default;
  /// @param descriptor of the file, which may be closed afterwards. @param path for messages.
  /// @throws InputError without the file's name, when it cannot be mapped.
  FileMapping(int descriptor, std::uint64_t offset, std::uint64_t length, const std::string& path);
  ~FileMapping();
  FileMapping(FileMapping&& other) noexcept;
  FileMapping& operator=(FileMapping&& other) noexcept;
  FileMapping(const FileMapping&) = delete;
  FileMapping& operator=(const FileMapping&) = delete;

  /// The byte at `offset` of the file, which must lie in the piece.
  const std::uint8_t* at(std::uint64_t offset) const { return pages_ + (offset - first_); }

 private:
  void release() noexcept;

  const std::uint8_t* pages_ = nullptr;
  std::uint64_t first_ = 0;                  ///< of `pages_`, in the file
  std::size_t length_ = 0;                   ///< of `pages_`
  std::size_t slot_ = 0;                     ///< in the table of lost_mapping.h
  std::unique_ptr<const std::string> name_;  ///< for that table: it stays where it is
};

}  // namespace casvit::dataio
