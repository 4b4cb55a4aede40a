// make_container_seeds FOLDER: small containers for the fuzzer to begin with, as our writer makes
// them and in HDF5's newest form (superblock 3, object headers of version 2, compact links).

#include <hdf5.h>

#include <filesystem>
#include <iostream>
#include <string>

#include "dataio/container/hdf5.h"
#include "tests/dataio/container/small_container.h"

namespace casvit::dataio {
namespace {

/// An attribute of any type, byte for byte.
void copy_attribute(hid_t from, hid_t to, const char* name) {
  const Hdf5Handle source(CASVIT_HDF5(H5Aopen(from, name, H5P_DEFAULT)), &H5Aclose);
  const Hdf5Handle type(CASVIT_HDF5(H5Aget_type(source.get())), &H5Tclose);
  const Hdf5Handle space(CASVIT_HDF5(H5Aget_space(source.get())), &H5Sclose);
  Bytes value(CASVIT_HDF5(H5Aget_storage_size(source.get())));
  CASVIT_HDF5(H5Aread(source.get(), type.get(), value.data()));
  const Hdf5Handle target(
      CASVIT_HDF5(H5Acreate2(to, name, type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT)),
      &H5Aclose);
  CASVIT_HDF5(H5Awrite(target.get(), type.get(), value.data()));
  CASVIT_HDF5(H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, value.data()));
}

void write_newest_form(const std::string& from, const std::string& to) {
  const Hdf5Handle creation(CASVIT_HDF5(H5Pcreate(H5P_FILE_CREATE)), &H5Pclose);
  CASVIT_HDF5(H5Pset_attr_phase_change(creation.get(), 100, 90));  // attributes stay in the header
  const Hdf5Handle access(CASVIT_HDF5(H5Pcreate(H5P_FILE_ACCESS)), &H5Pclose);
  CASVIT_HDF5(H5Pset_libver_bounds(access.get(), H5F_LIBVER_LATEST, H5F_LIBVER_LATEST));
  const Hdf5Handle old(CASVIT_HDF5(H5Fopen(from.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT)), &H5Fclose);
  const Hdf5Handle file(
      CASVIT_HDF5(H5Fcreate(to.c_str(), H5F_ACC_TRUNC, creation.get(), access.get())), &H5Fclose);
  for (const char* group : {"images", "labels", "classes", "source"}) {
    CASVIT_HDF5(H5Ocopy(old.get(), group, file.get(), group, H5P_DEFAULT, H5P_DEFAULT));
  }
  for (const char* name : {"format", "schema_major", "schema_minor", "split", "mean", "std",
                           "created", "tool_version", "command_line", "index_hash", "complete"}) {
    copy_attribute(old.get(), file.get(), name);
  }
}

int run(const std::string& folder) {
  std::filesystem::create_directories(folder);
  SmallContent content = small_content();
  write_container(folder + "/seven_samples.h5", content);
  write_newest_form(folder + "/seven_samples.h5", folder + "/newest_form.h5");
  content.samples.resize(1);
  content.bytes.resize(1);
  content.class_names = {"only"};
  write_container(folder + "/one_sample.h5", content);
  return 0;
}

}  // namespace
}  // namespace casvit::dataio

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_container_seeds FOLDER\n";
    return 2;
  }
  try {
    return casvit::dataio::run(argv[1]);
  } catch (const std::exception& error) {
    std::cerr << "make_container_seeds: " << error.what() << "\n";
    return 1;
  }
}
