#include "dataio/container/writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <limits>
#include <stdexcept>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/container/file_descriptor.h"
#include "dataio/container/hdf5_write.h"
#include "dataio/container/index.h"
#include "dataio/container/pending_file.h"
#include "dataio/container/schema.h"
#include "dataio/container/utf8.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

std::uint64_t aligned(std::uint64_t offset) {
  return (offset + schema::kAlignment - 1) / schema::kAlignment * schema::kAlignment;
}

/// The index but for the hashes; samples are laid out in order.
ContainerIndex lay_out(const ContainerDescription& description,
                       const std::vector<SampleDescription>& samples) {
  ContainerIndex index;
  index.class_names = description.class_names;
  index.class_counts.resize(description.class_names.size());
  index.xxh3.resize(samples.size());
  index.source_offset.push_back(0);
  std::uint64_t end = 0;
  for (const SampleDescription& sample : samples) {
    index.offset.push_back(aligned(end));
    end = index.offset.back() + sample.length;
    index.length.push_back(sample.length);
    index.height.push_back(sample.height);
    index.width.push_back(sample.width);
    index.codec.push_back(static_cast<std::uint8_t>(sample.codec));
    index.orientation.push_back(sample.orientation);
    index.label.push_back(sample.label);
    if (sample.label >= 0 && static_cast<std::size_t>(sample.label) < index.class_counts.size()) {
      ++index.class_counts[static_cast<std::size_t>(sample.label)];
    }
    index.source_bytes.insert(index.source_bytes.end(), sample.source.begin(), sample.source.end());
    index.source_offset.push_back(index.source_bytes.size());
  }
  return index;
}

std::uint64_t blob_bytes(const ContainerIndex& index) {
  return index.offset.back() + index.length.back();
}

void check_request(const ContainerDescription& description,
                   const std::vector<SampleDescription>& samples) {
  if (samples.empty()) throw UsageError("a container needs at least one picture");
  if (description.class_names.empty()) throw UsageError("a container needs at least one class");
  for (const std::string& name : description.class_names) {
    if (!is_utf8(name) || name.find('\0') != std::string::npos) {
      throw UsageError("the class name '" + display_path(name) +
                       "' is not UTF-8; rename its folder");
    }
  }
}

void make_groups(hid_t file) {
  const Hdf5Handle creation(CASVIT_HDF5(H5Pcreate(H5P_GROUP_CREATE)), &H5Pclose);
  CASVIT_HDF5(H5Pset_obj_track_times(creation.get(), false));
  for (const char* name : {"/images", "/labels", "/classes", "/source"}) {
    const Hdf5Handle group(
        CASVIT_HDF5(H5Gcreate2(file, name, H5P_DEFAULT, creation.get(), H5P_DEFAULT)), &H5Gclose);
  }
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
  create_and_write_array(file, schema::kImagesOffset, index.offset);
  create_and_write_array(file, schema::kImagesLength, index.length);
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

}  // namespace

/// Order matters: the HDF5 file is closed before the pending file is removed.
struct ContainerWriter::State {
  explicit State(const std::string& path) : pending(path) {}

  [[noreturn]] void fail(const std::string& reason) const {
    throw OutputError("cannot write " + display_path(pending.path()) + ": " + reason);
  }

  void create(const ContainerDescription& description);
  void reserve_space(std::uint64_t bytes);
  void write_hashes_and_close();
  void sync() const {
    if (::fsync(descriptor.get()) != 0) fail(system_error_text());
  }

  PendingFile pending;
  ContainerIndex index;
  std::vector<std::uint8_t> written;  ///< one flag a sample: threads touch different bytes
  Hdf5Handle file;
  Hdf5Handle hashes;  ///< the array /images/xxh3
  FileDescriptor descriptor;
  std::uint64_t blob_offset = 0;  ///< of /images/bytes in the file
  std::uint64_t index_hash = 0;
  std::uint64_t file_bytes = 0;
  bool sealed = false;
};

void ContainerWriter::State::create(const ContainerDescription& description) {
  file = create_hdf5_file(pending.temporary_path());
  make_groups(file.get());
  write_description(file.get(), description);
  write_index(file.get(), index);
  hashes =
      create_array(file.get(), schema::kImagesXxh3, hdf5_type<std::uint64_t>(), index.samples());
  const Hdf5Handle blob =
      create_array(file.get(), schema::kImagesBytes, hdf5_type<std::uint8_t>(), blob_bytes(index));
  const haddr_t address = H5Dget_offset(blob.get());
  if (address == HADDR_UNDEF) {
    throw Hdf5Error("the space of /images/bytes was not allocated");
  }
  blob_offset = address;
  CASVIT_HDF5(H5Fflush(file.get(), H5F_SCOPE_GLOBAL));
}

/// Says that the disk is full now, and not after an hour of packing.
void ContainerWriter::State::reserve_space(std::uint64_t bytes) {
  descriptor = FileDescriptor(::open(pending.temporary_path().c_str(), O_RDWR | O_CLOEXEC));
  if (descriptor.get() < 0) fail(system_error_text());
  int error = EINTR;
  while (error == EINTR) {
    error = ::posix_fallocate(descriptor.get(), static_cast<off_t>(blob_offset),
                              static_cast<off_t>(bytes));
  }
  // A file system that cannot reserve is no fault: a full disk then shows while writing.
  if (error == 0 || error == EOPNOTSUPP || error == EINVAL) return;
  errno = error;
  fail(system_error_text() + " (" + std::to_string(bytes) + " bytes are needed)");
}

void ContainerWriter::State::write_hashes_and_close() {
  write_array(hashes.get(), hdf5_type<std::uint64_t>(), index.xxh3.data());
  index_hash = dataio::index_hash(index);
  write_attribute(file.get(), schema::kIndexHashAttribute, hash_text(index_hash));
  CASVIT_HDF5(H5Fflush(file.get(), H5F_SCOPE_GLOBAL));
  sync();  // all that `complete` vouches for is on disk before it is
  write_attribute(file.get(), schema::kCompleteAttribute, std::uint32_t{1});
  CASVIT_HDF5(hashes.close());
  CASVIT_HDF5(file.close());
  sync();
}

ContainerWriter::ContainerWriter(const std::string& path, const ContainerDescription& description,
                                 const std::vector<SampleDescription>& samples) {
  check_request(description, samples);
  state_ = std::make_unique<State>(path);
  state_->index = lay_out(description, samples);
  state_->written.resize(samples.size());
  try {
    check_index(state_->index, blob_bytes(state_->index));
  } catch (const InputError& error) {
    throw UsageError("cannot make " + display_path(path) + ": " + error.what());
  }
  const Hdf5Silence silence;
  try {
    state_->create(description);
  } catch (const Hdf5Error& error) {
    state_->fail(error.what());
  }
  state_->reserve_space(blob_bytes(state_->index));
}

ContainerWriter::~ContainerWriter() = default;
ContainerWriter::ContainerWriter(ContainerWriter&&) noexcept = default;
ContainerWriter& ContainerWriter::operator=(ContainerWriter&&) noexcept = default;

std::uint64_t ContainerWriter::write(std::uint64_t sample, std::span<const std::uint8_t> bytes) {
  State& state = *state_;
  if (state.sealed || state.written.at(sample) != 0) {
    throw std::logic_error("sample " + std::to_string(sample) + " was written already");
  }
  if (bytes.size() != state.index.length[sample]) {
    throw std::logic_error("sample " + std::to_string(sample) + " was announced with " +
                           std::to_string(state.index.length[sample]) + " bytes and has " +
                           std::to_string(bytes.size()));
  }
  const std::uint64_t hash = XXH3_64bits(bytes.data(), bytes.size());
  const std::uint64_t offset = state.blob_offset + state.index.offset[sample];
  const std::string problem = write_at(state.descriptor.get(), offset, bytes);
  if (!problem.empty()) state.fail(problem);
  state.index.xxh3[sample] = hash;
  state.written[sample] = 1;
  return hash;
}

void ContainerWriter::seal() {
  State& state = *state_;
  for (std::uint64_t i = 0; i < state.written.size(); ++i) {
    if (state.written[i] == 0) {
      throw std::logic_error("sample " + std::to_string(i) + " was never written");
    }
  }
  const Hdf5Silence silence;
  try {
    state.write_hashes_and_close();
  } catch (const Hdf5Error& error) {
    state.fail(error.what());
  }
  struct stat status {};
  if (::fstat(state.descriptor.get(), &status) != 0) state.fail(system_error_text());
  state.file_bytes = static_cast<std::uint64_t>(status.st_size);
  state.sealed = true;
}

void ContainerWriter::publish() {
  if (!state_->sealed) throw std::logic_error("a container is sealed before it is published");
  state_->pending.publish();
}

const std::string& ContainerWriter::path() const { return state_->pending.path(); }
std::uint64_t ContainerWriter::index_hash() const { return state_->index_hash; }
std::uint64_t ContainerWriter::file_bytes() const { return state_->file_bytes; }

}  // namespace casvit::dataio
