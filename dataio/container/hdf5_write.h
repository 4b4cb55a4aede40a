#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dataio/container/hdf5.h"

namespace casvit::dataio {

/// The file and memory type of an element.
template <typename T>
hid_t hdf5_type();
template <>
inline hid_t hdf5_type<std::uint8_t>() {
  return H5T_STD_U8LE;
}
template <>
inline hid_t hdf5_type<std::uint32_t>() {
  return H5T_STD_U32LE;
}
template <>
inline hid_t hdf5_type<std::uint64_t>() {
  return H5T_STD_U64LE;
}
template <>
inline hid_t hdf5_type<std::int32_t>() {
  return H5T_STD_I32LE;
}

/// Everything here takes a failure to close what was written for what it is, an Hdf5Error; files
/// are closed by the caller: `CASVIT_HDF5(file.close())`.

/// Makes a new file whose every byte is determined by what is put in it: no times are tracked, raw
/// data start at multiples of 64 bytes. Fails where `path` exists.
Hdf5Handle create_hdf5_file(const std::string& path);

/// The same in memory alone.
Hdf5Handle create_hdf5_in_memory();

/// Makes a one-dimensional contiguous array without filters and without fill values, its space
/// allocated at once. The array's group must exist.
Hdf5Handle create_array(hid_t file, const char* name, hid_t type, std::uint64_t elements);

void write_array(hid_t array, hid_t type, const void* values);

template <typename T>
void create_and_write_array(hid_t file, const char* name, const std::vector<T>& values) {
  Hdf5Handle array = create_array(file, name, hdf5_type<T>(), values.size());
  write_array(array.get(), hdf5_type<T>(), values.data());
  CASVIT_HDF5(array.close());
}

/// Strings of one width, UTF-8, padded with zeros.
void write_names(hid_t file, const char* name, const std::vector<std::string>& names);

/// Attributes of the root group. Strings have variable length, so that h5py gives `str`.
void write_attribute(hid_t file, const char* name, const std::string& value);
void write_attribute(hid_t file, const char* name, std::uint32_t value);
void write_attribute(hid_t file, const char* name, const std::array<float, 3>& value);

}  // namespace casvit::dataio
