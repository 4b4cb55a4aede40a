#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "dataio/container/hdf5_format/file_blocks.h"

namespace casvit::dataio::hdf5_format {

/// Kinds of header messages that we read or refuse (HDF5 File Format Specification, IV.A.2).
enum class MessageType : std::uint16_t {
  kDataspace = 0x01,
  kLinkInfo = 0x02,
  kDatatype = 0x03,
  kLink = 0x06,
  kExternalFiles = 0x07,
  kLayout = 0x08,
  kFilters = 0x0b,
  kAttribute = 0x0c,
  kContinuation = 0x10,
  kSymbolTable = 0x11,
  kDriverInfo = 0x14,
  kAttributeInfo = 0x15,
  kMetadataCacheImage = 0x18,
};

struct HeaderMessage {
  std::uint16_t type = 0;
  bool shared = false;  ///< stored elsewhere, `bytes` only points there
  std::span<const std::uint8_t> bytes;
  std::uint64_t file_offset = 0;  ///< of `bytes`
};

/// All messages of one object, in order, and the blocks of the file that they point into.
struct ObjectHeader {
  std::string name;  ///< "/images", for messages
  std::vector<std::vector<std::uint8_t>> blocks;
  std::vector<HeaderMessage> messages;
  bool checksummed = false;  ///< of version 2: changing a byte makes it invalid

  bool has(MessageType type) const { return first(type) != nullptr; }
  const HeaderMessage* first(MessageType type) const;
  /// A cursor over the message of this type, which must be there and stored in place.
  /// @param what as in "the element type of /images/bytes". @throws InputError
  BlockCursor open(MessageType type, const std::string& what) const;
};

/// Reads an object header of version 1 or 2 with all its continuations.
/// @throws InputError for whatever cannot be, is too long, or leads in circles.
ObjectHeader read_object_header(FileBlocks& file, std::uint64_t address, const std::string& name);

}  // namespace casvit::dataio::hdf5_format
