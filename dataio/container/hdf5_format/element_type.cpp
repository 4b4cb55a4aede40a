#include "dataio/container/hdf5_format/element_type.h"

#include <limits>

namespace casvit::dataio::hdf5_format {
namespace {

/// Classes of datatypes in the file.
constexpr std::uint8_t kFixedPoint = 0;
constexpr std::uint8_t kFloatingPoint = 1;
constexpr std::uint8_t kText = 3;
constexpr std::uint8_t kVariableLength = 9;

constexpr int kMaxDimensions = 32;

bool fills_its_bytes(std::uint64_t bit_offset, std::uint64_t precision, std::uint64_t bytes) {
  return bit_offset == 0 && precision == 8 * bytes;
}

void read_integer(BlockCursor& cursor, std::uint32_t bits, ElementType& type) {
  const std::uint16_t bit_offset = cursor.u16();
  const std::uint16_t precision = cursor.u16();
  if (type.bytes > 8 || !fills_its_bytes(bit_offset, precision, type.bytes)) return;
  type.kind = ElementKind::kInteger;
  type.big_endian = (bits & 0x01U) != 0;
  type.is_signed = (bits & 0x08U) != 0;
}

/// What IEEE 754 says of a float of `bytes` bytes.
bool is_ieee(BlockCursor& cursor, std::uint32_t bits, std::uint64_t bytes) {
  const bool wide = bytes == 8;
  const std::uint16_t bit_offset = cursor.u16();
  const std::uint16_t precision = cursor.u16();
  const std::uint8_t exponent_at = cursor.u8();
  const std::uint8_t exponent_bits = cursor.u8();
  const std::uint8_t mantissa_at = cursor.u8();
  const std::uint8_t mantissa_bits = cursor.u8();
  const std::uint32_t bias = cursor.u32();
  const std::uint32_t sign_at = bits >> 8U & 0xffU;
  const std::uint32_t normalisation = bits >> 4U & 0x03U;
  const bool vax_order = (bits & 0x40U) != 0;
  return (bytes == 4 || wide) && fills_its_bytes(bit_offset, precision, bytes) && !vax_order &&
         normalisation == 2 && sign_at == 8 * bytes - 1 && exponent_bits == (wide ? 11 : 8) &&
         mantissa_bits == (wide ? 52 : 23) && exponent_at == mantissa_bits && mantissa_at == 0 &&
         bias == (wide ? 1023 : 127);
}

}  // namespace

ElementType read_element_type(BlockCursor cursor) {
  const std::uint8_t class_and_version = cursor.u8();
  const std::uint8_t version = class_and_version >> 4U;
  const auto bits = static_cast<std::uint32_t>(cursor.number(3));
  ElementType type;
  type.bytes = cursor.u32();
  if (version < 1 || version > 5) throw_damaged(cursor.what() + " has an unknown version");
  if (type.bytes == 0) throw_damaged(cursor.what() + " has no size");
  switch (class_and_version & 0x0fU) {
    case kFixedPoint:
      read_integer(cursor, bits, type);
      break;
    case kFloatingPoint:
      if (is_ieee(cursor, bits, type.bytes)) type.kind = ElementKind::kFloat;
      type.big_endian = (bits & 0x01U) != 0;
      break;
    case kText:
      type.kind = ElementKind::kString;
      break;
    case kVariableLength:
      if ((bits & 0x0fU) == 1 && type.bytes == 16) type.kind = ElementKind::kVariableString;
      break;
    default:
      break;
  }
  return type;
}

Extent read_extent(BlockCursor cursor) {
  constexpr std::uint8_t kNull = 2;
  const std::uint8_t version = cursor.u8();
  Extent extent;
  extent.dimensions = cursor.u8();
  cursor.skip(1);  // whether the greatest sizes follow: they are of no interest
  const std::uint8_t kind = cursor.u8();
  if (version == 1) {
    cursor.skip(4);
  } else if (version != 2) {
    throw_damaged(cursor.what() + " has an unknown version");
  }
  if (extent.dimensions > kMaxDimensions) throw_damaged(cursor.what() + " is impossible");
  for (int i = 0; i < extent.dimensions; ++i) {
    const std::uint64_t size = cursor.u64();
    if (size != 0 && extent.elements > std::numeric_limits<std::uint64_t>::max() / size) {
      throw_damaged(cursor.what() + " is impossible");
    }
    extent.elements *= size;
  }
  if (version == 2 && kind == kNull) extent.elements = 0;
  return extent;
}

}  // namespace casvit::dataio::hdf5_format
