#pragma once

#include <functional>
#include <string>
#include <vector>

#include "dataio/container/hdf5_write.h"
#include "tests/dataio/container/small_container.h"

namespace casvit::dataio {

/// Opens a container for writing and breaks it, as a careless or hostile hand could.
inline void change_container(const std::string& path, const std::function<void(hid_t)>& change) {
  const Hdf5Handle file(CASVIT_HDF5(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT)), &H5Fclose);
  change(file.get());
}

inline void remove_array(hid_t file, const char* name) {
  CASVIT_HDF5(H5Ldelete(file, name, H5P_DEFAULT));
}

/// Replaces an array by a contiguous one of other values, length or type.
template <typename T>
void replace_array(hid_t file, const char* name, const std::vector<T>& values) {
  remove_array(file, name);
  create_and_write_array(file, name, values);
}

/// Overwrites one element and leaves everything else as it was.
template <typename T>
void set_element(hid_t file, const char* name, std::size_t position, T value) {
  const Hdf5Handle array(CASVIT_HDF5(H5Dopen2(file, name, H5P_DEFAULT)), &H5Dclose);
  const Hdf5Handle space(CASVIT_HDF5(H5Dget_space(array.get())), &H5Sclose);
  hsize_t size = 0;
  CASVIT_HDF5(H5Sget_simple_extent_dims(space.get(), &size, nullptr));
  std::vector<T> values(size);
  CASVIT_HDF5(H5Dread(array.get(), hdf5_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
  values.at(position) = value;
  write_array(array.get(), hdf5_type<T>(), values.data());
}

template <typename T>
void replace_attribute(hid_t file, const char* name, const T& value) {
  CASVIT_HDF5(H5Adelete(file, name));
  write_attribute(file, name, value);
}

/// Makes an array of `elements` zeros of type uint8 with storage of the caller's choice.
inline void create_stored_otherwise(hid_t file, const char* name, hsize_t elements,
                                    const std::function<void(hid_t)>& choose_storage) {
  const Hdf5Handle space(CASVIT_HDF5(H5Screate_simple(1, &elements, nullptr)), &H5Sclose);
  const Hdf5Handle creation(CASVIT_HDF5(H5Pcreate(H5P_DATASET_CREATE)), &H5Pclose);
  choose_storage(creation.get());
  const Hdf5Handle array(CASVIT_HDF5(H5Dcreate2(file, name, H5T_STD_U8LE, space.get(), H5P_DEFAULT,
                                                creation.get(), H5P_DEFAULT)),
                         &H5Dclose);
}

}  // namespace casvit::dataio
