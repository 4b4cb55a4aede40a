#include "dataio/container/reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/container/hdf5_read.h"
#include "dataio/container/schema.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

constexpr const char* kPackAgain = "; restore it from a copy or pack it again";

/// A pipe or a device would block or never end, and the library's words for a missing file are not
/// a user's.
void check_regular_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw InputError(system_error_text());
  if (S_ISDIR(status.st_mode)) throw InputError("it is a folder, not an .h5 file");
  if (!S_ISREG(status.st_mode)) throw InputError("it is not a regular file");
}

Hdf5Handle open_file(const std::string& path) {
  const FileDescriptor readable(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (readable.get() < 0) throw InputError(system_error_text());
  const htri_t is_hdf5 = H5Fis_hdf5(path.c_str());
  if (is_hdf5 <= 0) {
    H5Eclear2(H5E_DEFAULT);
    throw InputError("it is not an HDF5 file, or its beginning is damaged");
  }
  const Hdf5Handle access(CASVIT_HDF5(H5Pcreate(H5P_FILE_ACCESS)), &H5Pclose);
#if H5_VERSION_GE(1, 10, 7)
  // Containers never change once they have their name: a lock protects nothing, and some network
  // file systems have none to give.
  CASVIT_HDF5(H5Pset_file_locking(access.get(), false, true));
#endif
  return {CASVIT_HDF5(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get())), &H5Fclose};
}

/// The very file that the library validated, even if another one takes its name meanwhile.
FileDescriptor duplicate_descriptor(hid_t file) {
  void* handle = nullptr;
  CASVIT_HDF5(H5Fget_vfd_handle(file, H5P_DEFAULT, &handle));
  FileDescriptor copy(::fcntl(*static_cast<const int*>(handle), F_DUPFD_CLOEXEC, 0));
  if (copy.get() < 0) throw InputError(system_error_text());
  return copy;
}

void check_format(hid_t file, ContainerAttributes& attributes) {
  if (!has_attribute(file, schema::kFormatAttribute) ||
      read_string_attribute(file, schema::kFormatAttribute) != schema::kFormat) {
    throw InputError(std::string("it is HDF5, but not a casvit container (its attribute 'format' "
                                 "should be '") +
                     schema::kFormat + "'); make one with casvit-pack");
  }
  attributes.schema_major = read_number_attribute(file, schema::kMajorAttribute);
  attributes.schema_minor = read_number_attribute(file, schema::kMinorAttribute);
  if (attributes.schema_major != schema::kMajor) {
    const bool newer = attributes.schema_major > schema::kMajor;
    throw InputError("its schema is " + std::to_string(attributes.schema_major) + "." +
                     std::to_string(attributes.schema_minor) + ", and this program reads " +
                     std::to_string(schema::kMajor) + ".x; " +
                     (newer ? "use a newer casvit" : "pack it again"));
  }
  if (!has_attribute(file, schema::kCompleteAttribute) ||
      read_number_attribute(file, schema::kCompleteAttribute) != 1) {
    throw InputError("it is not complete: writing it was interrupted; pack it again");
  }
}

void read_attributes(hid_t file, ContainerAttributes& attributes) {
  attributes.split = read_string_attribute(file, schema::kSplitAttribute);
  attributes.normalization.mean = read_triple_attribute(file, schema::kMeanAttribute);
  attributes.normalization.std = read_triple_attribute(file, schema::kStdAttribute);
  attributes.created = read_string_attribute(file, schema::kCreatedAttribute);
  attributes.tool_version = read_string_attribute(file, schema::kToolVersionAttribute);
  attributes.command_line = read_string_attribute(file, schema::kCommandLineAttribute);
  for (std::size_t i = 0; i < 3; ++i) {
    const float mean = attributes.normalization.mean[i];
    const float deviation = attributes.normalization.std[i];
    if (!std::isfinite(mean) || !std::isfinite(deviation) || deviation <= 0) {
      throw InputError("its attributes 'mean' and 'std' are no finite numbers, or std is not > 0");
    }
  }
}

ContainerIndex read_index(hid_t file, std::uint64_t file_bytes) {
  ContainerIndex index;
  index.offset = read_plain_array<std::uint64_t>(file, schema::kImagesOffset, file_bytes);
  index.length = read_plain_array<std::uint32_t>(file, schema::kImagesLength, file_bytes);
  index.xxh3 = read_plain_array<std::uint64_t>(file, schema::kImagesXxh3, file_bytes);
  index.height = read_plain_array<std::uint32_t>(file, schema::kImagesHeight, file_bytes);
  index.width = read_plain_array<std::uint32_t>(file, schema::kImagesWidth, file_bytes);
  index.codec = read_plain_array<std::uint8_t>(file, schema::kImagesCodec, file_bytes);
  index.orientation_stored = has_object(file, schema::kImagesOrientation);
  if (index.orientation_stored) {
    index.orientation =
        read_plain_array<std::uint8_t>(file, schema::kImagesOrientation, file_bytes);
  } else {
    index.orientation.assign(index.offset.size(), 1);
  }
  index.label = read_plain_array<std::int32_t>(file, schema::kLabelsClass, file_bytes);
  index.class_names = read_plain_names(file, schema::kClassesName, file_bytes);
  index.class_counts = read_plain_array<std::uint64_t>(file, schema::kClassesCount, file_bytes);
  index.source_bytes = read_plain_array<std::uint8_t>(file, schema::kSourcePath, file_bytes);
  index.source_offset = read_plain_array<std::uint64_t>(file, schema::kSourceOffset, file_bytes);
  return index;
}

}  // namespace

ContainerReader::ContainerReader(std::string path) : path_(std::move(path)) {
  const Hdf5Silence silence;
  try {
    open_and_validate();
  } catch (const InputError& error) {
    throw InputError("cannot read " + display_path(path_) + ": " + error.what());
  } catch (const Hdf5Error& error) {
    throw InputError("cannot read " + display_path(path_) +
                     ": it is damaged or cut short: " + error.what());
  }
}

void ContainerReader::open_and_validate() {
  check_regular_file(path_);
  const Hdf5Handle file = open_file(path_);
  check_format(file.get(), attributes_);
  read_attributes(file.get(), attributes_);

  descriptor_ = duplicate_descriptor(file.get());
  struct stat status {};
  if (::fstat(descriptor_.get(), &status) != 0) throw InputError(system_error_text());
  file_bytes_ = static_cast<std::uint64_t>(status.st_size);

  index_ = read_index(file.get(), file_bytes_);
  const PlainArray blob =
      open_plain_array(file.get(), schema::kImagesBytes, hdf5_type<std::uint8_t>(), file_bytes_);
  blob_offset_ = blob.offset;
  check_index(index_, blob.elements);

  const std::string stored = read_string_attribute(file.get(), schema::kIndexHashAttribute);
  attributes_.index_hash = dataio::index_hash(index_);
  if (stored != hash_text(attributes_.index_hash)) {
    throw InputError("its index was altered: it hashes to " + hash_text(attributes_.index_hash) +
                     ", the attribute 'index_hash' says " + display_path(stored) + kPackAgain);
  }
}

void ContainerReader::read(std::uint64_t sample, std::vector<std::uint8_t>& bytes) const {
  bytes.resize(index_.length.at(sample));
  const std::string problem =
      read_at(descriptor_.get(), blob_offset_ + index_.offset[sample], bytes);
  if (!problem.empty()) throw InputError(describe(sample) + " cannot be read: " + problem);
  const std::uint64_t hash = XXH3_64bits(bytes.data(), bytes.size());
  if (hash != index_.xxh3[sample]) {
    throw InputError(describe(sample) + " is damaged: its bytes hash to " + hash_text(hash) +
                     ", and " + hash_text(index_.xxh3[sample]) + " was packed" + kPackAgain);
  }
}

std::string ContainerReader::describe(std::uint64_t sample) const {
  return display_path(path_) + ": sample " + std::to_string(sample) + " (" +
         display_path(index_.source_path(sample)) + ")";
}

}  // namespace casvit::dataio
