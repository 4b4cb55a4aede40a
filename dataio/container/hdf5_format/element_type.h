#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dataio/container/hdf5_format/file_blocks.h"

namespace casvit::dataio::hdf5_format {

/// The element types that containers use.
enum class ElementKind {
  kInteger,
  kFloat,
  kString,          ///< of one width
  kVariableString,  ///< an element is a length and a place in a global heap
  kOther
};

struct ElementType {
  ElementKind kind = ElementKind::kOther;
  std::uint64_t bytes = 0;  ///< of an element, at least 1
  bool is_signed = false;
  bool big_endian = false;

  /// Whether elements are plain little-endian integers of this size and signedness.
  bool is_plain_integer(std::uint64_t size, bool with_sign) const {
    return kind == ElementKind::kInteger && bytes == size && is_signed == with_sign && !big_endian;
  }
};

/// Reads a datatype message (HDF5 File Format Specification, IV.A.2.d, versions 1 to 3). Numbers
/// with unused bits, and floats other than IEEE's of 32 and 64 bits, are of the kind kOther.
/// @throws InputError where it ends early or has no size.
ElementType read_element_type(BlockCursor cursor);

/// Number of elements of a dataspace message (IV.A.2.b, versions 1 and 2).
struct Extent {
  int dimensions = 0;          ///< 0: a single value
  std::uint64_t elements = 1;  ///< 0 for a null dataspace
};
/// @throws InputError where it ends early or its size passes 64 bits.
Extent read_extent(BlockCursor cursor);

}  // namespace casvit::dataio::hdf5_format
