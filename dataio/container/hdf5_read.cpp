#include "dataio/container/hdf5_read.h"

#include <algorithm>

#include "dataio/error.h"

namespace casvit::dataio {
namespace {

/// A link that is not hard can lead to another file: each step of the path is looked at.
void check_hard_links(hid_t file, const std::string& name) {
  for (std::size_t end = name.find('/', 1);; end = name.find('/', end + 1)) {
    const std::string part = name.substr(0, end);
    if (CASVIT_HDF5(H5Lexists(file, part.c_str(), H5P_DEFAULT)) == 0) {
      throw InputError("the array " + name + " is missing");
    }
    H5L_info_t link{};
    CASVIT_HDF5(H5Lget_info(file, part.c_str(), &link, H5P_DEFAULT));
    if (link.type != H5L_TYPE_HARD) {
      throw InputError(part + " is a link to elsewhere; a container holds its arrays itself");
    }
    if (end == std::string::npos) return;
  }
}

void check_storage(hid_t array, const std::string& name) {
  const Hdf5Handle creation(CASVIT_HDF5(H5Dget_create_plist(array)), &H5Pclose);
  const H5D_layout_t layout = CASVIT_HDF5(H5Pget_layout(creation.get()));
  if (layout != H5D_CONTIGUOUS) {
    const char* kind = layout == H5D_CHUNKED   ? "chunked"
                       : layout == H5D_VIRTUAL ? "virtual"
                                               : "compact";
    throw InputError("the array " + name + " is stored " + kind + "; it must be contiguous");
  }
  if (CASVIT_HDF5(H5Pget_external_count(creation.get())) != 0) {
    throw InputError("the array " + name + " is stored in an external file");
  }
  if (CASVIT_HDF5(H5Pget_nfilters(creation.get())) != 0) {
    throw InputError("the array " + name + " is stored through filters");
  }
}

std::uint64_t element_count(hid_t array, const std::string& name) {
  const Hdf5Handle space(CASVIT_HDF5(H5Dget_space(array)), &H5Sclose);
  if (CASVIT_HDF5(H5Sget_simple_extent_ndims(space.get())) != 1) {
    throw InputError("the array " + name + " does not have one dimension");
  }
  hsize_t elements = 0;
  CASVIT_HDF5(H5Sget_simple_extent_dims(space.get(), &elements, nullptr));
  return elements;
}

/// Everything but the element type. @param element_bytes size of the stored type
PlainArray checked_array(Hdf5Handle handle, const std::string& name, std::uint64_t element_bytes,
                         std::uint64_t file_bytes) {
  check_storage(handle.get(), name);
  const std::uint64_t elements = element_count(handle.get(), name);
  if (elements == 0) throw InputError("the array " + name + " is empty");
  const haddr_t offset = H5Dget_offset(handle.get());
  if (offset == HADDR_UNDEF) throw InputError("the array " + name + " was never written");
  if (offset > file_bytes || elements > (file_bytes - offset) / element_bytes) {
    throw InputError("the array " + name + " reaches beyond the end of the file");
  }
  return {std::move(handle), elements, offset};
}

Hdf5Handle open_array(hid_t file, const char* name) {
  check_hard_links(file, name);
  return {CASVIT_HDF5(H5Dopen2(file, name, H5P_DEFAULT)), &H5Dclose};
}

Hdf5Handle open_attribute(hid_t file, const char* name, H5T_class_t kind, hsize_t elements) {
  if (!has_attribute(file, name)) {
    throw InputError("the attribute '" + std::string(name) + "' is missing");
  }
  Hdf5Handle attribute(CASVIT_HDF5(H5Aopen(file, name, H5P_DEFAULT)), &H5Aclose);
  const Hdf5Handle type(CASVIT_HDF5(H5Aget_type(attribute.get())), &H5Tclose);
  const Hdf5Handle space(CASVIT_HDF5(H5Aget_space(attribute.get())), &H5Sclose);
  if (H5Tget_class(type.get()) != kind ||
      H5Sget_simple_extent_npoints(space.get()) != static_cast<hssize_t>(elements)) {
    throw InputError("the attribute '" + std::string(name) + "' has the wrong type");
  }
  return attribute;
}

}  // namespace

PlainArray open_plain_array(hid_t file, const char* name, hid_t type, std::uint64_t file_bytes) {
  Hdf5Handle array = open_array(file, name);
  const Hdf5Handle stored(CASVIT_HDF5(H5Dget_type(array.get())), &H5Tclose);
  if (CASVIT_HDF5(H5Tequal(stored.get(), type)) == 0) {
    throw InputError("the array " + std::string(name) + " has the wrong element type");
  }
  return checked_array(std::move(array), name, H5Tget_size(type), file_bytes);
}

std::vector<std::string> read_plain_names(hid_t file, const char* name, std::uint64_t file_bytes) {
  Hdf5Handle handle = open_array(file, name);
  const Hdf5Handle type(CASVIT_HDF5(H5Dget_type(handle.get())), &H5Tclose);
  if (H5Tget_class(type.get()) != H5T_STRING || CASVIT_HDF5(H5Tis_variable_str(type.get())) != 0) {
    throw InputError("the array " + std::string(name) + " does not hold strings of one width");
  }
  const std::size_t width = H5Tget_size(type.get());
  const PlainArray array = checked_array(std::move(handle), name, width, file_bytes);
  std::vector<char> text(array.elements * width);
  CASVIT_HDF5(H5Dread(array.handle.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()));
  std::vector<std::string> names;
  for (std::uint64_t i = 0; i < array.elements; ++i) {
    const char* begin = text.data() + i * width;
    names.emplace_back(begin, std::find(begin, begin + width, '\0'));
  }
  return names;
}

bool has_object(hid_t file, const char* name) {
  return CASVIT_HDF5(H5Lexists(file, name, H5P_DEFAULT)) > 0;
}

bool has_attribute(hid_t file, const char* name) { return CASVIT_HDF5(H5Aexists(file, name)) != 0; }

std::string read_string_attribute(hid_t file, const char* name) {
  const Hdf5Handle attribute = open_attribute(file, name, H5T_STRING, 1);
  const Hdf5Handle type(CASVIT_HDF5(H5Aget_type(attribute.get())), &H5Tclose);
  if (CASVIT_HDF5(H5Tis_variable_str(type.get())) != 0) {
    char* text = nullptr;
    CASVIT_HDF5(H5Aread(attribute.get(), type.get(), static_cast<void*>(&text)));
    if (text == nullptr) return "";
    std::string value = text;
    CASVIT_HDF5(H5free_memory(text));
    return value;
  }
  std::vector<char> text(H5Tget_size(type.get()));
  CASVIT_HDF5(H5Aread(attribute.get(), type.get(), text.data()));
  return {text.begin(), std::find(text.begin(), text.end(), '\0')};
}

std::uint32_t read_number_attribute(hid_t file, const char* name) {
  const Hdf5Handle attribute = open_attribute(file, name, H5T_INTEGER, 1);
  std::uint32_t value = 0;
  CASVIT_HDF5(H5Aread(attribute.get(), H5T_NATIVE_UINT32, &value));
  return value;
}

std::array<float, 3> read_triple_attribute(hid_t file, const char* name) {
  const Hdf5Handle attribute = open_attribute(file, name, H5T_FLOAT, 3);
  std::array<float, 3> values{};
  CASVIT_HDF5(H5Aread(attribute.get(), H5T_NATIVE_FLOAT, values.data()));
  return values;
}

}  // namespace casvit::dataio
