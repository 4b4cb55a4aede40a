#include "dataio/container/hdf5_write.h"

#include <algorithm>
#include <cstring>

#include "dataio/container/schema.h"

namespace casvit::dataio {
namespace {

constexpr std::size_t kMemoryStep = 1 << 16;

Hdf5Handle scalar_space() { return {CASVIT_HDF5(H5Screate(H5S_SCALAR)), &H5Sclose}; }

Hdf5Handle vector_space(std::uint64_t elements) {
  const hsize_t size = elements;
  return {CASVIT_HDF5(H5Screate_simple(1, &size, nullptr)), &H5Sclose};
}

Hdf5Handle utf8_string(std::size_t size) {
  Hdf5Handle type(CASVIT_HDF5(H5Tcopy(H5T_C_S1)), &H5Tclose);
  CASVIT_HDF5(H5Tset_size(type.get(), size));
  CASVIT_HDF5(H5Tset_cset(type.get(), H5T_CSET_UTF8));
  if (size != H5T_VARIABLE) CASVIT_HDF5(H5Tset_strpad(type.get(), H5T_STR_NULLPAD));
  return type;
}

void write_attribute_of(hid_t file, const char* name, hid_t type, hid_t space, const void* value) {
  Hdf5Handle attribute(CASVIT_HDF5(H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT)),
                       &H5Aclose);
  CASVIT_HDF5(H5Awrite(attribute.get(), type, value));
  CASVIT_HDF5(attribute.close());
}

Hdf5Handle file_access() {
  keep_hdf5_from_exit();
  Hdf5Handle access(CASVIT_HDF5(H5Pcreate(H5P_FILE_ACCESS)), &H5Pclose);
  // Any array starts at a multiple, and none is put into a block with others: where it lies does
  // not depend on its size.
  CASVIT_HDF5(H5Pset_alignment(access.get(), 1, schema::kAlignment));
  CASVIT_HDF5(H5Pset_small_data_block_size(access.get(), 0));
  return access;
}

Hdf5Handle create_file(const char* path, hid_t access) {
  const Hdf5Handle creation(CASVIT_HDF5(H5Pcreate(H5P_FILE_CREATE)), &H5Pclose);
  CASVIT_HDF5(H5Pset_obj_track_times(creation.get(), false));
  return {CASVIT_HDF5(H5Fcreate(path, H5F_ACC_EXCL, creation.get(), access)), &H5Fclose};
}

}  // namespace

Hdf5Handle create_hdf5_file(const std::string& path) {
  return create_file(path.c_str(), file_access().get());
}

Hdf5Handle create_hdf5_in_memory() {
  const Hdf5Handle access = file_access();
  CASVIT_HDF5(H5Pset_fapl_core(access.get(), kMemoryStep, false));
  return create_file("casvit-container-in-memory", access.get());
}

Hdf5Handle create_array(hid_t file, const char* name, hid_t type, std::uint64_t elements) {
  const Hdf5Handle space = vector_space(elements);
  const Hdf5Handle creation(CASVIT_HDF5(H5Pcreate(H5P_DATASET_CREATE)), &H5Pclose);
  CASVIT_HDF5(H5Pset_layout(creation.get(), H5D_CONTIGUOUS));
  CASVIT_HDF5(H5Pset_alloc_time(creation.get(), H5D_ALLOC_TIME_EARLY));
  CASVIT_HDF5(H5Pset_fill_time(creation.get(), H5D_FILL_TIME_NEVER));
  CASVIT_HDF5(H5Pset_obj_track_times(creation.get(), false));
  return {CASVIT_HDF5(
              H5Dcreate2(file, name, type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT)),
          &H5Dclose};
}

void write_array(hid_t array, hid_t type, const void* values) {
  CASVIT_HDF5(H5Dwrite(array, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values));
}

void write_names(hid_t file, const char* name, const std::vector<std::string>& names) {
  std::size_t width = 1;
  for (const std::string& text : names) width = std::max(width, text.size());
  std::vector<char> padded(names.size() * width, '\0');
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::memcpy(padded.data() + i * width, names[i].data(), names[i].size());
  }
  const Hdf5Handle type = utf8_string(width);
  Hdf5Handle array = create_array(file, name, type.get(), names.size());
  write_array(array.get(), type.get(), padded.data());
  CASVIT_HDF5(array.close());
}

void write_attribute(hid_t file, const char* name, const std::string& value) {
  const Hdf5Handle type = utf8_string(H5T_VARIABLE);
  const char* text = value.c_str();
  write_attribute_of(file, name, type.get(), scalar_space().get(), &text);
}

void write_attribute(hid_t file, const char* name, std::uint32_t value) {
  write_attribute_of(file, name, H5T_STD_U32LE, scalar_space().get(), &value);
}

void write_attribute(hid_t file, const char* name, const std::array<float, 3>& value) {
  write_attribute_of(file, name, H5T_IEEE_F32LE, vector_space(value.size()).get(), value.data());
}

}  // namespace casvit::dataio
