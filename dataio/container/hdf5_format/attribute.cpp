#include "dataio/container/hdf5_format/attribute.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <string_view>

#include "dataio/error.h"

namespace casvit::dataio::hdf5_format {
namespace {

constexpr std::uint64_t kCollectionHeaderBytes = 16;  ///< of a global heap
constexpr std::uint64_t kHeapObjectHeaderBytes = 16;

std::uint64_t padded(std::uint64_t size) { return (size + 7) / 8 * 8; }

std::string text_until_zero(std::span<const std::uint8_t> bytes) {
  return {bytes.begin(), std::find(bytes.begin(), bytes.end(), std::uint8_t{0})};
}

/// The parts of an attribute message (HDF5 File Format Specification, IV.A.2.m), versions 1 to 3.
struct AttributeParts {
  std::uint8_t flags = 0;
  std::span<const std::uint8_t> name, type, extent, value;
  std::uint64_t value_at = 0;  ///< in the message
};

AttributeParts split_message(const HeaderMessage& message, const std::string& what) {
  BlockCursor cursor(message.bytes, what);
  AttributeParts parts;
  const std::uint8_t version = cursor.u8();
  if (version < 1 || version > 3) throw_damaged(what + " has an unknown version");
  const std::uint8_t flags = cursor.u8();
  parts.flags = version == 1 ? std::uint8_t{0} : flags;
  const std::uint16_t name_bytes = cursor.u16();
  const std::uint16_t type_bytes = cursor.u16();
  const std::uint16_t extent_bytes = cursor.u16();
  if (version == 3) cursor.skip(1);  // character set of the name
  const auto part = [&cursor, version](std::uint64_t size) {
    const auto bytes = cursor.take(size);
    if (version == 1) cursor.skip(padded(size) - size);
    return bytes;
  };
  parts.name = part(name_bytes);
  parts.type = part(type_bytes);
  parts.extent = part(extent_bytes);
  parts.value_at = cursor.position();
  parts.value = cursor.take(cursor.left());
  return parts;
}

void refuse_dense_attributes(const ObjectHeader& object) {
  if (!object.has(MessageType::kAttributeInfo)) return;
  BlockCursor cursor = object.open(MessageType::kAttributeInfo,
                                   "the description of the attributes of " + object.name);
  if (cursor.u8() != 0) throw_damaged(cursor.what() + " has an unknown version");
  if ((cursor.u8() & 0x01U) != 0) cursor.skip(2);  // order of creation
  if (cursor.u64() != kUndefinedAddress) {
    throw_unsupported("the attributes of " + object.name +
                      " are stored densely (in a fractal heap)");
  }
}

Attribute read_attribute(const HeaderMessage& message, const AttributeParts& parts,
                         const std::string& what) {
  if ((parts.flags & 0x03U) != 0) throw_unsupported(what + " has a type that is stored elsewhere");
  Attribute attribute;
  attribute.what = what;
  attribute.type = read_element_type({parts.type, "the type of " + what});
  attribute.elements = read_extent({parts.extent, "the size of " + what}).elements;
  if (attribute.elements > parts.value.size() / attribute.type.bytes) {
    throw_damaged(what + " ends too early");
  }
  attribute.bytes = parts.value.first(attribute.elements * attribute.type.bytes);
  attribute.file_offset = message.file_offset + parts.value_at;
  return attribute;
}

/// An object of a global heap (III.E): a collection holds several, one after the other.
std::string heap_text(FileBlocks& file, std::uint64_t address, std::uint32_t index,
                      std::uint64_t length, const std::string& what) {
  const std::string heap = "the heap with " + what;
  const auto header = file.read(address, kCollectionHeaderBytes, heap);
  BlockCursor cursor(header, heap);
  cursor.expect("GCOL");
  if (cursor.u8() != 1) throw_damaged(heap + " has an unknown version");
  cursor.skip(3);
  const std::uint64_t collection_bytes = cursor.u64();
  if (collection_bytes < kCollectionHeaderBytes) throw_damaged(heap + " has an impossible size");
  const auto body =
      file.read(address + kCollectionHeaderBytes, collection_bytes - kCollectionHeaderBytes, heap);
  BlockCursor objects(body, heap);
  while (objects.left() >= kHeapObjectHeaderBytes) {
    const std::uint16_t found = objects.u16();
    objects.skip(2 + 4);
    const std::uint64_t size = objects.u64();
    if (found == 0) break;  // the free space at the end
    const auto bytes = objects.take(size);
    if (found == index) {
      if (length > size) throw_damaged(what + " is longer than its place in the heap");
      return text_until_zero(bytes.first(length));
    }
    objects.skip(std::min(padded(size) - size, objects.left()));
  }
  throw_damaged(what + " is not in its heap");
}

std::uint64_t in_byte_order(std::span<const std::uint8_t> bytes, bool big_endian) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value = value << 8U | bytes[big_endian ? i : bytes.size() - 1 - i];
  }
  return value;
}

}  // namespace

std::optional<Attribute> find_attribute(const ObjectHeader& object, const std::string& name) {
  refuse_dense_attributes(object);
  for (const HeaderMessage& message : object.messages) {
    if (message.type != static_cast<std::uint16_t>(MessageType::kAttribute)) continue;
    if (message.shared) {
      throw_unsupported("an attribute of " + object.name + " is stored with another object");
    }
    const AttributeParts parts = split_message(message, "an attribute of " + object.name);
    if (text_until_zero(parts.name) != name) continue;
    return read_attribute(message, parts, "the attribute '" + name + "'");
  }
  return std::nullopt;
}

void check_kind(const Attribute& attribute, bool fits, std::uint64_t elements) {
  if (!fits || attribute.elements != elements) {
    throw InputError(attribute.what + " has the wrong type");
  }
}

std::string string_value(FileBlocks& file, const Attribute& attribute) {
  const bool variable = attribute.type.kind == ElementKind::kVariableString;
  check_kind(attribute, variable || attribute.type.kind == ElementKind::kString, 1);
  if (!variable) return text_until_zero(attribute.bytes);
  BlockCursor cursor(attribute.bytes, attribute.what);
  const std::uint32_t length = cursor.u32();
  const std::uint64_t address = cursor.u64();
  const std::uint32_t index = cursor.u32();
  if (length == 0 || address == 0 || address == kUndefinedAddress) return "";
  return heap_text(file, address, index, length, attribute.what);
}

std::uint32_t number_value(const Attribute& attribute) {
  check_kind(attribute, attribute.type.kind == ElementKind::kInteger, 1);
  const std::uint64_t bits = in_byte_order(attribute.bytes, attribute.type.big_endian);
  const std::uint64_t sign = std::uint64_t{1} << (8 * attribute.type.bytes - 1);
  if (attribute.type.is_signed && (bits & sign) != 0) return 0;
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::min(bits, kMost));
}

std::array<float, 3> triple_value(const Attribute& attribute) {
  check_kind(attribute, attribute.type.kind == ElementKind::kFloat, 3);
  const std::uint64_t size = attribute.type.bytes;
  std::array<float, 3> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint64_t bits =
        in_byte_order(attribute.bytes.subspan(i * size, size), attribute.type.big_endian);
    values[i] = size == 4 ? std::bit_cast<float>(static_cast<std::uint32_t>(bits))
                          : static_cast<float>(std::bit_cast<double>(bits));
  }
  return values;
}

}  // namespace casvit::dataio::hdf5_format
