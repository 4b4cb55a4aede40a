#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dataio/container/hdf5.h"
#include "dataio/container/hdf5_write.h"

namespace casvit::dataio {

/// A one-dimensional array that lies in one piece in the file itself.
struct PlainArray {
  Hdf5Handle handle;
  std::uint64_t elements = 0;
  std::uint64_t offset = 0;  ///< of its first byte in the file
};

/// Opens an array of exactly this type, after checking that it is nothing but a piece of the file:
/// reached through hard links alone, one-dimensional, contiguous, no filters, no external files,
/// and within the file's `file_bytes`, so that no number in it can make us allocate more than there
/// is.
/// @throws InputError naming the array, or Hdf5Error.
PlainArray open_plain_array(hid_t file, const char* name, hid_t type, std::uint64_t file_bytes);

template <typename T>
std::vector<T> read_plain_array(hid_t file, const char* name, std::uint64_t file_bytes) {
  const PlainArray array = open_plain_array(file, name, hdf5_type<T>(), file_bytes);
  std::vector<T> values(array.elements);
  CASVIT_HDF5(
      H5Dread(array.handle.get(), hdf5_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
  return values;
}

/// Reads null-padded strings of one width, whatever the width. @throws InputError, Hdf5Error
std::vector<std::string> read_plain_names(hid_t file, const char* name, std::uint64_t file_bytes);

/// Whether there is anything at the path `name`, whose group exists. @throws Hdf5Error
bool has_object(hid_t file, const char* name);

/// Attributes of the root group. @throws InputError when missing or of another type, Hdf5Error
bool has_attribute(hid_t file, const char* name);
std::string read_string_attribute(hid_t file, const char* name);
std::uint32_t read_number_attribute(hid_t file, const char* name);
std::array<float, 3> read_triple_attribute(hid_t file, const char* name);

}  // namespace casvit::dataio
