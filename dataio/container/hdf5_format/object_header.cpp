#include "dataio/container/hdf5_format/object_header.h"

#include <algorithm>
#include <cstring>

namespace casvit::dataio::hdf5_format {
namespace {

constexpr std::uint64_t kOldPrefixBytes = 16;
constexpr std::size_t kMaxBlocks = 256;       ///< of one object
constexpr std::size_t kMaxMessages = 16'384;  ///< of one object
constexpr std::uint8_t kSharedFlag = 0x02;
constexpr std::uint8_t kFailIfUnknownFlag = 0x80;
constexpr std::uint16_t kLastKnownType = 0x18;
constexpr std::size_t kChecksumBytes = 4;

/// A piece of a header: the first one, or one that a continuation message leads to.
struct Piece {
  std::uint64_t offset = 0;  ///< of its messages in the file, or of the block that holds them
  std::uint64_t length = 0;
};

class HeaderReader {
 public:
  HeaderReader(FileBlocks& file, std::string name) : file_(file) { header_.name = std::move(name); }

  ObjectHeader read(std::uint64_t address) {
    const auto head = file_.read(address, 4, what());
    if (std::memcmp(head.data(), "OHDR", 4) == 0) {
      read_new_prefix(address);
    } else {
      read_old_prefix(address);
    }
    std::size_t next = 0;
    while (next < continuations_.size()) read_continuation(Piece(continuations_[next++]));
    return std::move(header_);
  }

 private:
  std::string what() const { return "the object header of " + header_.name; }

  const std::vector<std::uint8_t>& keep(std::uint64_t offset, std::uint64_t length) {
    if (header_.blocks.size() >= kMaxBlocks) throw_damaged(what() + " has too many parts");
    return header_.blocks.emplace_back(file_.read(offset, length, what()));
  }

  void read_old_prefix(std::uint64_t address) {
    const auto prefix = file_.read(address, kOldPrefixBytes, what());
    BlockCursor cursor(prefix, what());
    if (cursor.u8() != 1) throw_damaged(what() + " is none");
    cursor.skip(1 + 2 + 4);  // reserved, the number of messages, references
    const std::uint32_t length = cursor.u32();
    const std::uint64_t offset = address + kOldPrefixBytes;
    add_old_messages(keep(offset, length), offset);
  }

  void read_new_prefix(std::uint64_t address) {
    constexpr std::uint64_t kMaxPrefixBytes = 4 + 2 + 16 + 4 + 8;
    const std::uint64_t available = std::min(kMaxPrefixBytes, file_.file_bytes() - address);
    const auto prefix = file_.read(address, available, what());
    BlockCursor cursor(prefix, what());
    cursor.skip(4);
    const std::uint8_t version = cursor.u8();
    if (version != 2) throw_unsupported(what() + " has the version " + std::to_string(version));
    const std::uint8_t flags = cursor.u8();
    header_.checksummed = true;
    ordered_ = (flags & 0x04U) != 0;
    if ((flags & 0x20U) != 0) cursor.skip(16);  // times
    if ((flags & 0x10U) != 0) cursor.skip(4);   // when attributes move elsewhere
    const std::uint64_t length = cursor.number(std::size_t{1} << (flags & 0x03U));
    if (length > file_.file_bytes()) throw_damaged(what() + " reaches beyond the end of the file");
    const auto& block = keep(address, cursor.position() + length + kChecksumBytes);
    check_metadata_checksum(block, what());
    add_new_messages(block, cursor.position(), address);
  }

  void read_continuation(const Piece& piece) {
    const auto& block = keep(piece.offset, piece.length);
    if (!header_.checksummed) {
      add_old_messages(block, piece.offset);
      return;
    }
    check_metadata_checksum(block, what());
    BlockCursor(block, what()).expect("OCHK");
    add_new_messages(block, 4, piece.offset);
  }

  void add_old_messages(std::span<const std::uint8_t> block, std::uint64_t offset) {
    BlockCursor cursor(block, what());
    while (cursor.left() > 0) {
      const std::uint16_t type = cursor.u16();
      const std::uint16_t length = cursor.u16();
      const std::uint8_t flags = cursor.u8();
      cursor.skip(3);
      const std::uint64_t at = offset + cursor.position();
      add({type, (flags & kSharedFlag) != 0, cursor.take(length), at}, flags);
    }
  }

  /// @param first where the messages begin in `block`, which ends with a checksum
  void add_new_messages(std::span<const std::uint8_t> block, std::size_t first,
                        std::uint64_t offset) {
    const std::size_t message_header = ordered_ ? 6 : 4;
    BlockCursor cursor(block.first(block.size() - kChecksumBytes), what());
    cursor.skip(first);
    while (cursor.left() >= message_header) {  // fewer bytes are a gap
      const std::uint16_t type = cursor.u8();
      const std::uint16_t length = cursor.u16();
      const std::uint8_t flags = cursor.u8();
      if (ordered_) cursor.skip(2);
      const std::uint64_t at = offset + cursor.position();
      add({type, (flags & kSharedFlag) != 0, cursor.take(length), at}, flags);
    }
  }

  void add(const HeaderMessage& message, std::uint8_t flags) {
    if (message.type > kLastKnownType && (flags & kFailIfUnknownFlag) != 0) {
      throw_unsupported(what() + " has a message of the unknown type " +
                        std::to_string(message.type));
    }
    if (message.type == static_cast<std::uint16_t>(MessageType::kContinuation)) {
      BlockCursor cursor(message.bytes, what());
      Piece piece;
      piece.offset = cursor.u64();
      piece.length = cursor.u64();
      for (const Piece& known : continuations_) {
        if (known.offset == piece.offset) throw_damaged(what() + " leads in circles");
      }
      if (continuations_.size() >= kMaxBlocks) throw_damaged(what() + " has too many parts");
      continuations_.push_back(piece);
      return;
    }
    if (header_.messages.size() >= kMaxMessages) throw_damaged(what() + " has too many messages");
    header_.messages.push_back(message);
  }

  FileBlocks& file_;
  ObjectHeader header_;
  std::vector<Piece> continuations_;
  bool ordered_ = false;  ///< messages carry the order of their creation
};

}  // namespace

const HeaderMessage* ObjectHeader::first(MessageType type) const {
  const auto found = std::find_if(messages.begin(), messages.end(), [type](const auto& message) {
    return message.type == static_cast<std::uint16_t>(type);
  });
  return found == messages.end() ? nullptr : &*found;
}

BlockCursor ObjectHeader::open(MessageType type, const std::string& what) const {
  const HeaderMessage* message = first(type);
  if (message == nullptr) throw_damaged(what + " is missing");
  if (message->shared) throw_unsupported(what + " is stored with another object");
  return {message->bytes, what};
}

ObjectHeader read_object_header(FileBlocks& file, std::uint64_t address, const std::string& name) {
  return HeaderReader(file, name).read(address);
}

}  // namespace casvit::dataio::hdf5_format
