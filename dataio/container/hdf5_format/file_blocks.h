#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace casvit::dataio::hdf5_format {

/// HDF5's "undefined address": nothing is stored.
inline constexpr std::uint64_t kUndefinedAddress = ~std::uint64_t{0};

/// Ends the parsing of a file: what stands in it cannot be. @throws InputError
[[noreturn]] void throw_damaged(const std::string& what);

/// The file is well-formed, but stored in a way that containers are not. @throws InputError
[[noreturn]] void throw_unsupported(const std::string& what);

/// Metadata of an open file, read with `pread` in blocks. Every size is checked against the file's
/// before memory is taken for it, and all blocks together are limited, so that no number in a file
/// can make us allocate more, or run longer, than a container ever needs. Not thread-safe.
class FileBlocks {
 public:
  /// @param descriptor stays the caller's, and open. @param file_bytes the file's size
  FileBlocks(int descriptor, std::uint64_t file_bytes)
      : descriptor_(descriptor), file_bytes_(file_bytes) {}

  std::uint64_t file_bytes() const { return file_bytes_; }

  /// @param what names the block in messages: "the object header of /images".
  /// @throws InputError where the block reaches beyond the file, or cannot be read.
  std::vector<std::uint8_t> read(std::uint64_t offset, std::uint64_t length,
                                 const std::string& what);

 private:
  int descriptor_;
  std::uint64_t file_bytes_;
  std::uint64_t read_bytes_ = 0;  ///< by all calls together
};

/// Takes little-endian numbers from a block, one after the other.
class BlockCursor {
 public:
  /// @param what names the block in messages.
  BlockCursor(std::span<const std::uint8_t> bytes, std::string what)
      : bytes_(bytes), what_(std::move(what)) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  /// A number of `width` bytes, at most 8.
  std::uint64_t number(std::size_t width);
  std::span<const std::uint8_t> take(std::uint64_t count);
  void skip(std::uint64_t count) { static_cast<void>(take(count)); }
  /// Checks that the next bytes are these letters.
  void expect(const char* signature);

  std::size_t position() const { return position_; }
  std::uint64_t left() const { return bytes_.size() - position_; }
  const std::string& what() const { return what_; }

 private:
  std::span<const std::uint8_t> bytes_;
  std::string what_;
  std::size_t position_ = 0;
};

/// The checksum of HDF5's newer structures: Bob Jenkins' lookup3, hashlittle, initial value 0.
std::uint32_t metadata_checksum(std::span<const std::uint8_t> bytes);

/// Checks the four bytes at the end of `block` against all before them.
/// @throws InputError naming `what`.
void check_metadata_checksum(std::span<const std::uint8_t> block, const std::string& what);

}  // namespace casvit::dataio::hdf5_format
