#include "dataio/container/hdf5_format/group_links.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace casvit::dataio::hdf5_format {
namespace {

constexpr std::uint64_t kHeapHeaderBytes = 32;
constexpr std::uint64_t kNodeHeaderBytes = 24;  ///< of a B-tree node
constexpr std::uint64_t kLeafHeaderBytes = 8;   ///< of a symbol table node
constexpr std::uint64_t kEntryBytes = 40;
constexpr std::uint32_t kSoftLinkEntry = 2;
constexpr int kMaxLevels = 16;
constexpr std::size_t kMaxNodes = 4096;  ///< of one group, which has a handful of members
constexpr std::uint8_t kHardLink = 0;

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A group of the older format: its names lie in a local heap, its members in the leaves of a tree.
class SymbolTable {
 public:
  SymbolTable(FileBlocks& file, const ObjectHeader& group) : file_(file), name_(group.name) {
    BlockCursor cursor = group.open(MessageType::kSymbolTable, "the symbol table of " + name_);
    tree_ = cursor.u64();
    read_heap(cursor.u64());
  }

  std::optional<GroupLink> find(const std::string& name) {
    return find_below(tree_, kMaxLevels, name);
  }

 private:
  void read_heap(std::uint64_t address) {
    const std::string what = "the local heap of " + name_;
    const auto header = file_.read(address, kHeapHeaderBytes, what);
    BlockCursor cursor(header, what);
    cursor.expect("HEAP");
    if (cursor.u8() != 0) throw_damaged(what + " has an unknown version");
    cursor.skip(3);
    const std::uint64_t length = cursor.u64();
    cursor.skip(8);  // free space
    heap_ = file_.read(cursor.u64(), length, what);
  }

  std::string_view name_at(std::uint64_t offset) const {
    if (offset >= heap_.size()) throw_damaged("a name in " + name_ + " lies outside its heap");
    const auto begin = heap_.begin() + static_cast<std::ptrdiff_t>(offset);
    const auto end = std::find(begin, heap_.end(), std::uint8_t{0});
    if (end == heap_.end()) throw_damaged("a name in " + name_ + " does not end");
    return text_of({begin, end});
  }

  /// @param above the level of the node that led here: levels only fall, so that the walk ends.
  std::optional<GroupLink> find_below(std::uint64_t address, int above, const std::string& name) {
    if (++nodes_ > kMaxNodes) throw_damaged("the tree of " + name_ + " is too large");
    const std::string what = "a tree node of " + name_;
    const auto header = file_.read(address, kNodeHeaderBytes, what);
    BlockCursor cursor(header, what);
    cursor.expect("TREE");
    if (cursor.u8() != 0) throw_damaged(what + " is not one of a group");
    const int level = cursor.u8();
    if (level >= above) throw_damaged(what + " has an impossible level");
    const std::uint64_t children = cursor.u16();
    const auto body = file_.read(address + kNodeHeaderBytes, children * 16 + 8, what);
    BlockCursor pairs(body, what);
    for (std::uint64_t i = 0; i < children; ++i) {
      pairs.skip(8);  // the key: looked for in all children, there are few
      const std::uint64_t child = pairs.u64();
      auto link = level > 0 ? find_below(child, level, name) : find_in_leaf(child, name);
      if (link) return link;
    }
    return std::nullopt;
  }

  std::optional<GroupLink> find_in_leaf(std::uint64_t address, const std::string& name) {
    if (++nodes_ > kMaxNodes) throw_damaged("the tree of " + name_ + " is too large");
    const std::string what = "a symbol table node of " + name_;
    const auto header = file_.read(address, kLeafHeaderBytes, what);
    BlockCursor cursor(header, what);
    cursor.expect("SNOD");
    if (cursor.u8() != 1) throw_damaged(what + " has an unknown version");
    cursor.skip(1);
    const std::uint64_t symbols = cursor.u16();
    const auto body = file_.read(address + kLeafHeaderBytes, symbols * kEntryBytes, what);
    BlockCursor entries(body, what);
    for (std::uint64_t i = 0; i < symbols; ++i) {
      const std::string_view found = name_at(entries.u64());
      const std::uint64_t object = entries.u64();
      const std::uint32_t kind = entries.u32();
      entries.skip(4 + 16);
      if (found == name) return GroupLink{kind != kSoftLinkEntry, object};
    }
    return std::nullopt;
  }

  FileBlocks& file_;
  const std::string& name_;
  std::uint64_t tree_ = 0;
  std::vector<std::uint8_t> heap_;
  std::size_t nodes_ = 0;
};

/// @returns the link of this message where it has this name.
std::optional<GroupLink> match_link(const HeaderMessage& message, const ObjectHeader& group,
                                    const std::string& name) {
  const std::string what = "a link of " + group.name;
  if (message.shared) throw_unsupported(what + " is stored with another object");
  BlockCursor cursor(message.bytes, what);
  if (cursor.u8() != 1) throw_damaged(what + " has an unknown version");
  const std::uint8_t flags = cursor.u8();
  const std::uint8_t kind = (flags & 0x08U) != 0 ? cursor.u8() : kHardLink;
  if ((flags & 0x04U) != 0) cursor.skip(8);  // order of creation
  if ((flags & 0x10U) != 0) cursor.skip(1);  // character set
  const std::uint64_t length = cursor.number(std::size_t{1} << (flags & 0x03U));
  if (text_of(cursor.take(length)) != name) return std::nullopt;
  return GroupLink{kind == kHardLink, kind == kHardLink ? cursor.u64() : 0};
}

void refuse_dense_links(const ObjectHeader& group) {
  BlockCursor cursor =
      group.open(MessageType::kLinkInfo, "the description of the links of " + group.name);
  if (cursor.u8() != 0) throw_damaged(cursor.what() + " has an unknown version");
  if ((cursor.u8() & 0x01U) != 0) cursor.skip(8);  // order of creation
  if (cursor.u64() != kUndefinedAddress) {
    throw_unsupported("the links of " + group.name + " are stored densely (in a fractal heap)");
  }
}

}  // namespace

std::optional<GroupLink> find_link(FileBlocks& file, const ObjectHeader& group,
                                   const std::string& name) {
  if (group.has(MessageType::kSymbolTable)) return SymbolTable(file, group).find(name);
  if (!group.has(MessageType::kLinkInfo)) throw_damaged(group.name + " is not a group");
  refuse_dense_links(group);
  for (const HeaderMessage& message : group.messages) {
    if (message.type != static_cast<std::uint16_t>(MessageType::kLink)) continue;
    if (auto link = match_link(message, group, name)) return link;
  }
  return std::nullopt;
}

}  // namespace casvit::dataio::hdf5_format
