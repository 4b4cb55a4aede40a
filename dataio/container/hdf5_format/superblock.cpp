#include "dataio/container/hdf5_format/superblock.h"

#include <algorithm>
#include <array>
#include <string>

#include "dataio/container/hdf5_format/object_header.h"
#include "dataio/error.h"

namespace casvit::dataio::hdf5_format {
namespace {

constexpr std::array<std::uint8_t, 8> kSignature{0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
constexpr std::uint64_t kOldBytes = 96;   ///< of version 0, with the root group's entry
constexpr std::uint64_t kExtraBytes = 4;  ///< more in version 1
constexpr std::uint64_t kNewBytes = 48;   ///< of versions 2 and 3
constexpr std::uint8_t kOpenForWriting = 1;
constexpr std::uint64_t kFirstUserBlock = 512;
constexpr const char* kUserBlock = "it begins with a user block";
constexpr const char* kWhat = "the superblock";

void check_sizes(std::uint8_t offset_bytes, std::uint8_t length_bytes) {
  if (offset_bytes != 8 || length_bytes != 8) {
    throw_unsupported("its addresses have " + std::to_string(offset_bytes) +
                      " bytes and its sizes " + std::to_string(length_bytes) + ", not 8");
  }
}

void check_extent(const FileBlocks& file, std::uint64_t base, std::uint64_t end) {
  if (base != 0) throw_unsupported(kUserBlock);
  if (end > file.file_bytes()) {
    throw_damaged("it should have " + std::to_string(end) + " bytes and has " +
                  std::to_string(file.file_bytes()));
  }
}

std::uint64_t read_old(FileBlocks& file, std::uint8_t version) {
  const auto block = file.read(0, kOldBytes + (version == 1 ? kExtraBytes : 0), kWhat);
  BlockCursor cursor(block, kWhat);
  cursor.skip(kSignature.size() + 5);
  const std::uint8_t offset_bytes = cursor.u8();
  const std::uint8_t length_bytes = cursor.u8();
  check_sizes(offset_bytes, length_bytes);
  cursor.skip(1 + 2 + 2 + 4 + (version == 1 ? kExtraBytes : 0));
  const std::uint64_t base = cursor.u64();
  cursor.skip(8);  // free space, never stored
  check_extent(file, base, cursor.u64());
  if (cursor.u64() != kUndefinedAddress) throw_unsupported("it is spread over several files");
  cursor.skip(8);  // the root's name
  return cursor.u64();
}

/// What a newer superblock could not hold: parts that change how everything else is read.
void check_extension(FileBlocks& file, std::uint64_t address) {
  if (address == kUndefinedAddress) return;
  const ObjectHeader extension = read_object_header(file, address, "the superblock's extension");
  if (extension.has(MessageType::kDriverInfo)) throw_unsupported("it is spread over several files");
  if (extension.has(MessageType::kMetadataCacheImage)) {
    throw_unsupported("it holds an image of the library's cache");
  }
}

std::uint64_t read_new(FileBlocks& file) {
  const auto block = file.read(0, kNewBytes, kWhat);
  check_metadata_checksum(block, kWhat);
  BlockCursor cursor(block, kWhat);
  cursor.skip(kSignature.size() + 1);
  const std::uint8_t offset_bytes = cursor.u8();
  const std::uint8_t length_bytes = cursor.u8();
  check_sizes(offset_bytes, length_bytes);
  if ((cursor.u8() & kOpenForWriting) != 0) {
    throw InputError("the program that wrote it has not closed it");
  }
  const std::uint64_t base = cursor.u64();
  const std::uint64_t extension = cursor.u64();
  check_extent(file, base, cursor.u64());
  const std::uint64_t root = cursor.u64();
  check_extension(file, extension);
  return root;
}

/// Whether the superblock comes later: at 512, 1024, 2048, ... (II.A)
bool has_user_block(FileBlocks& file) {
  const std::uint64_t end = file.file_bytes() - kSignature.size();
  for (std::uint64_t at = kFirstUserBlock; at <= end; at *= 2) {
    const auto head = file.read(at, kSignature.size(), kWhat);
    if (std::equal(kSignature.begin(), kSignature.end(), head.begin())) return true;
    if (at > end / 2) break;
  }
  return false;
}

}  // namespace

std::uint64_t read_root_address(FileBlocks& file) {
  constexpr const char* kNoHdf5 = "it is not an HDF5 file, or its beginning is damaged";
  if (file.file_bytes() <= kSignature.size()) throw InputError(kNoHdf5);
  const auto head = file.read(0, kSignature.size() + 1, kWhat);
  if (!std::equal(kSignature.begin(), kSignature.end(), head.begin())) {
    if (has_user_block(file)) throw_unsupported(kUserBlock);
    throw InputError(kNoHdf5);
  }
  const std::uint8_t version = head.back();
  if (version > 3) throw_unsupported("its superblock has the version " + std::to_string(version));
  return version < 2 ? read_old(file, version) : read_new(file);
}

}  // namespace casvit::dataio::hdf5_format
