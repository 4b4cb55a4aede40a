#include "dataio/container/writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stdexcept>
#include <utility>

#include "dataio/container/class_names.h"
#include "dataio/container/display.h"
#include "dataio/container/file_descriptor.h"
#include "dataio/container/hdf5_write.h"
#include "dataio/container/schema.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

constexpr const char* kFrameSuffix = ".frame";

std::uint64_t blob_bytes(const ContainerIndex& index) {
  return index.offset.back() + index.length.back();
}

void check_request(const std::string& path, const ContainerIndex& index) {
  if (index.samples() == 0) throw UsageError("a container needs at least one picture");
  if (index.class_names.empty()) throw UsageError("a container needs at least one class");
  const std::string problem = class_names_problem(index.class_names);
  if (!problem.empty()) throw UsageError("cannot make " + display_path(path) + ": " + problem);
  try {
    check_index(index, blob_bytes(index));
  } catch (const InputError& error) {
    throw UsageError("cannot make " + display_path(path) + ": " + error.what());
  }
}

void make_group(hid_t file, const char* name) {
  const Hdf5Handle creation(CASVIT_HDF5(H5Pcreate(H5P_GROUP_CREATE)), &H5Pclose);
  CASVIT_HDF5(H5Pset_obj_track_times(creation.get(), false));
  Hdf5Handle group(CASVIT_HDF5(H5Gcreate2(file, name, H5P_DEFAULT, creation.get(), H5P_DEFAULT)),
                   &H5Gclose);
  CASVIT_HDF5(group.close());
}

/// First of all in a file, so that its place depends on nothing. @returns its byte in the file.
std::uint64_t make_blob(hid_t file, std::uint64_t bytes) {
  make_group(file, "/images");
  Hdf5Handle blob = create_array(file, schema::kImagesBytes, hdf5_type<std::uint8_t>(), bytes);
  const haddr_t address = H5Dget_offset(blob.get());
  if (address == HADDR_UNDEF) {
    throw Hdf5Error("the space of /images/bytes was not allocated");
  }
  CASVIT_HDF5(blob.close());
  return address;
}

void write_description(hid_t file, const ContainerDescription& description) {
  write_attribute(file, schema::kFormatAttribute, std::string(schema::kFormat));
  write_attribute(file, schema::kMajorAttribute, schema::kMajor);
  write_attribute(file, schema::kMinorAttribute, schema::kMinor);
  write_attribute(file, schema::kSplitAttribute, description.split);
  write_attribute(file, schema::kMeanAttribute, description.normalization.mean);
  write_attribute(file, schema::kStdAttribute, description.normalization.std);
  write_attribute(file, schema::kCreatedAttribute, description.created);
  write_attribute(file, schema::kToolVersionAttribute, description.tool_version);
  write_attribute(file, schema::kCommandLineAttribute, description.command_line);
}

void write_index(hid_t file, const ContainerIndex& index) {
  for (const char* group : {"/labels", "/classes", "/source"}) make_group(file, group);
  create_and_write_array(file, schema::kImagesOffset, index.offset);
  create_and_write_array(file, schema::kImagesLength, index.length);
  create_and_write_array(file, schema::kImagesXxh3, index.xxh3);
  create_and_write_array(file, schema::kImagesHeight, index.height);
  create_and_write_array(file, schema::kImagesWidth, index.width);
  create_and_write_array(file, schema::kImagesCodec, index.codec);
  create_and_write_array(file, schema::kImagesOrientation, index.orientation);
  create_and_write_array(file, schema::kLabelsClass, index.label);
  create_and_write_array(file, schema::kClassesCount, index.class_counts);
  write_names(file, schema::kClassesName, index.class_names);
  create_and_write_array(file, schema::kSourcePath, index.source_bytes);
  create_and_write_array(file, schema::kSourceOffset, index.source_offset);
}

/// Note "the frame": the HDF5 library writes a container of the wanted shape next to the blob's
/// file, all but its pictures: there it leaves a hole, which takes no disk. What it wrote before
/// and behind the hole is then copied around the pictures. So the library decides what the file
/// looks like, and the pictures never wait for it.
class Frame {
 public:
  explicit Frame(std::string path) : path_(std::move(path)) { ::unlink(path_.c_str()); }
  ~Frame() { ::unlink(path_.c_str()); }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  void make(const ContainerDescription& description, const ContainerIndex& index,
            std::uint64_t hash) const {
    Hdf5Handle file = create_hdf5_file(path_);
    if (make_blob(file.get(), blob_bytes(index)) != container_blob_offset()) {
      throw std::logic_error("the HDF5 library moved /images/bytes");
    }
    write_description(file.get(), description);
    write_index(file.get(), index);
    write_attribute(file.get(), schema::kIndexHashAttribute, hash_text(hash));
    write_attribute(file.get(), schema::kCompleteAttribute, std::uint32_t{1});
    CASVIT_HDF5(file.close());  // only now most of it is written
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::uint64_t size_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    throw OutputError("cannot read " + display_path(path) + ": " + system_error_text());
  }
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

std::uint64_t container_blob_offset() {
  static const std::uint64_t kOffset = [] {
    const Hdf5Silence silence;
    Hdf5Handle file = create_hdf5_in_memory();
    const std::uint64_t offset = make_blob(file.get(), 1);
    CASVIT_HDF5(file.close());
    return offset;
  }();
  return kOffset;
}

ContainerWriter::ContainerWriter(const std::string& path, BlobFile::Begin begin)
    : pending_(path, part_file_of(path)),
      blob_(pending_.temporary_path(), path, container_blob_offset(), begin) {}

void ContainerWriter::seal(const ContainerDescription& description, const ContainerIndex& index,
                           Durability durability) {
  durability_ = durability;
  check_request(path(), index);
  index_hash_ = dataio::index_hash(index);
  const Frame frame(pending_.temporary_path() + kFrameSuffix);
  const Hdf5Silence silence;
  try {
    frame.make(description, index, index_hash_);
  } catch (const Hdf5Error& error) {
    throw OutputError("cannot write " + display_path(path()) + ": " + error.what());
  }
  const std::uint64_t tail = container_blob_offset() + blob_bytes(index);
  file_bytes_ = size_of(frame.path());
  if (file_bytes_ <= tail) {
    throw OutputError("cannot write " + display_path(path()) +
                      ": the HDF5 library left it short, with " + std::to_string(file_bytes_) +
                      " bytes");
  }
  BlobFile file(pending_.temporary_path(), path(), 0, BlobFile::Begin::kContinue);
  file.truncate(tail);
  BlobFile(frame.path(), path(), tail, BlobFile::Begin::kContinue)
      .copy_to(file, tail, file_bytes_ - tail);
  BlobFile(frame.path(), path(), 0, BlobFile::Begin::kContinue)
      .copy_to(file, 0, container_blob_offset());
  if (durability == Durability::kOnDisk) file.sync();
  file.hand_over();
  sealed_ = true;
}

void ContainerWriter::publish() {
  if (!sealed_) throw std::logic_error("a container is sealed before it is published");
  pending_.publish(durability_);
}

}  // namespace casvit::dataio
