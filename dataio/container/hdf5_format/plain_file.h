#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dataio/container/hdf5_format/attribute.h"
#include "dataio/container/hdf5_format/element_type.h"
#include "dataio/container/hdf5_format/object_header.h"

namespace casvit::dataio {

/// A one-dimensional array that lies in one piece in the file itself.
struct PlainArray {
  std::uint64_t elements = 0;  ///< at least 1
  std::uint64_t element_bytes = 0;
  std::uint64_t offset = 0;  ///< of its first byte in the file; at any alignment
};

/// The part of HDF5 that containers are made of, read without the HDF5 library, which is not safe
/// with files that mean harm: superblocks 0 to 3, object headers 1 and 2, groups with symbol tables
/// or compact links, contiguous arrays, and attributes that hold integers, floats or strings.
/// Whatever else a file holds is passed over where it does not matter, and refused where it does.
/// Source: HDF5 File Format Specification Version 3.0 (The HDF Group).
///
/// Reads metadata with `pread`, each block checked against the file's size beforehand. Not
/// thread-safe.
class PlainHdf5File {
 public:
  /// @param descriptor stays the caller's, and open.
  /// @throws InputError without the file's name, as everything here does.
  PlainHdf5File(int descriptor, std::uint64_t file_bytes);

  /// Finds an array that is nothing but a piece of the file: reached through hard links alone,
  /// one-dimensional, not empty, contiguous, no filters, no external files, within the file.
  /// @param path of an array in a group: "/images/bytes"
  bool has_array(const std::string& path);
  PlainArray integers(const std::string& path, std::uint64_t element_bytes, bool is_signed);
  /// Strings of one width, whatever the width.
  PlainArray strings(const std::string& path);

  /// Attributes of the root group.
  bool has_attribute(const std::string& name) const;
  std::string string_attribute(const std::string& name);
  std::uint32_t number_attribute(const std::string& name);
  std::array<float, 3> triple_attribute(const std::string& name);

  /// Where an attribute's value lies, for changing it in place.
  /// @throws InputError where the header is protected by a checksum, which would no longer fit.
  hdf5_format::Attribute writable_attribute(const std::string& name);

 private:
  hdf5_format::ObjectHeader open(const std::string& path);
  PlainArray array_of(const hdf5_format::ObjectHeader& header,
                      const hdf5_format::ElementType& type);
  hdf5_format::Attribute attribute(const std::string& name) const;

  hdf5_format::FileBlocks blocks_;
  hdf5_format::ObjectHeader root_;
};

}  // namespace casvit::dataio
