#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "trainer/checkpoint/input_file.h"

namespace casvit::trainer {

/// A zip file as torch.save writes it: stored entries, nothing before or behind the archive, zip64
/// records where they are needed (PKWARE's APPNOTE.TXT 6.3.10). Compressed and encrypted entries,
/// entries that overlap or have one name, and a directory that contradicts the entries' own headers
/// are refused, so that no byte of the file has two meanings. Reads are const and thread-safe.
class ZipArchive {
 public:
  struct Entry {
    std::string name;
    std::uint64_t offset = 0;  ///< of its first byte in the file
    std::uint64_t bytes = 0;
    std::uint32_t crc = 0;
  };

  static bool begins_like_one(std::string_view first_bytes) {
    return first_bytes.starts_with("PK\x03\x04");
  }

  /// Reads the directory and every entry's header. @param file outlives this
  /// @throws CheckpointError naming the file and the defect
  explicit ZipArchive(const InputFile& file);

  const std::vector<Entry>& entries() const { return entries_; }  ///< in the order of their bytes
  /// nullptr where there is none of that name.
  const Entry* find(const std::string& name) const;
  /// Compares an entry's bytes with their CRC-32. Where all are 0 the writer left them out (torch
  /// does, after set_crc32_options(False)) and nothing is compared. @throws CheckpointError
  void check(const Entry& entry) const;
  /// All bytes of an entry, checked. @throws CheckpointError, also for more than `limit` bytes
  std::string read(const Entry& entry, std::uint64_t limit) const;

 private:
  struct Directory {
    std::uint64_t entries = 0;
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
  };
  struct Listed;

  [[noreturn]] void refuse(const std::string& defect) const;
  Directory find_directory() const;
  Directory read_zip64_end(std::uint64_t locator_offset) const;
  std::vector<Listed> list(const Directory& directory) const;
  void place(const Listed& listed, std::uint64_t end);

  const InputFile& file_;
  std::vector<Entry> entries_;
  std::unordered_map<std::string, std::size_t> index_;
  bool has_checksums_ = false;
};

}  // namespace casvit::trainer
