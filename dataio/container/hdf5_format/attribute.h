#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "dataio/container/hdf5_format/element_type.h"
#include "dataio/container/hdf5_format/object_header.h"

namespace casvit::dataio::hdf5_format {

/// One attribute of an object; `bytes` points into the object's header.
struct Attribute {
  std::string what;  ///< "the attribute 'mean'", for messages
  ElementType type;
  std::uint64_t elements = 0;
  std::span<const std::uint8_t> bytes;  ///< `elements * type.bytes` of them
  std::uint64_t file_offset = 0;        ///< of `bytes`
};

/// @returns nullopt where `object` has none of this name.
/// @throws InputError where attributes are damaged or stored elsewhere than in the header.
std::optional<Attribute> find_attribute(const ObjectHeader& object, const std::string& name);

/// @param fits whether the attribute's type is the one that is expected
/// @throws InputError unless it is, and there are as many elements
void check_kind(const Attribute& attribute, bool fits, std::uint64_t elements);

/// A single string, of variable length (as h5py writes `str`) or of one width; ends at a zero.
/// @throws InputError when it is something else, or damaged.
std::string string_value(FileBlocks& file, const Attribute& attribute);

/// A single integer, held within [0, 2^32 - 1]. @throws InputError
std::uint32_t number_value(const Attribute& attribute);

/// Three floats of 32 or 64 bits. @throws InputError
std::array<float, 3> triple_value(const Attribute& attribute);

}  // namespace casvit::dataio::hdf5_format
