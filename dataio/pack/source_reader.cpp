#include "dataio/pack/source_reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <limits>

#include "dataio/container/display.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

/// Read first of all, and alone where it is no picture's beginning: a folder may hold large files
/// of any kind.
constexpr std::uint64_t kBeginning = 1 << 18;

SourceStamp stamp_of(const struct stat& status) {
  return {
      static_cast<std::uint64_t>(status.st_size),
      static_cast<std::int64_t>(status.st_mtim.tv_sec) * 1'000'000'000 + status.st_mtim.tv_nsec};
}

/// Messages say what is wrong with a single picture: the source of it is named by the caller.
void read_picture(int descriptor, std::uint64_t offset, std::uint64_t size,
                  std::vector<std::uint8_t>& bytes, std::size_t at) {
  if (size == 0) throw InputError("empty file (0 bytes)");
  if (size > std::numeric_limits<std::uint32_t>::max()) throw InputError("larger than 4 GiB");
  const std::uint64_t beginning = std::min(size, kBeginning);
  const auto read_part = [&](std::uint64_t begin, std::uint64_t end) {
    bytes.resize(at + end);
    const std::string problem =
        read_at(descriptor, offset + begin, std::span(bytes).subspan(at + begin, end - begin));
    if (!problem.empty()) throw InputError("cannot be read: " + problem);
  };
  read_part(0, beginning);
  if (!sniff_codec(std::span(bytes).subspan(at, beginning))) {
    throw InputError("not a JPEG, PNG or WebP picture");
  }
  if (beginning < size) read_part(beginning, size);
}

}  // namespace

SourceReader::SourceReader(const PackPlan& plan) : root_path_(plan.root) {
  if (!plan.archives.empty()) {
    for (const std::string& path : plan.archives) {
      FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      struct stat status {};
      if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
        throw InputError("cannot read " + display_path(path) + ": " + system_error_text());
      }
      archives_.push_back({path, std::move(file), stamp_of(status)});
    }
    return;
  }
  root_ = FileDescriptor(::open(root_path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root_.get() < 0) {
    throw InputError("cannot read " + display_path(root_path_) + ": " + system_error_text());
  }
}

void SourceReader::read(const Candidate& candidate, std::vector<std::uint8_t>& bytes,
                        std::size_t at, SourceStamp& stamp) const {
  if (candidate.archive != kNoArchive) {
    const OpenArchive& archive = archives_.at(candidate.archive);
    stamp = archive.stamp;
    return read_picture(archive.descriptor.get(), candidate.offset, candidate.bytes, bytes, at);
  }
  // O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
  const FileDescriptor file(
      ::openat(root_.get(), candidate.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    throw InputError("cannot be read: " + system_error_text());
  }
  if (!S_ISREG(status.st_mode)) throw InputError("not a regular file");
  stamp = stamp_of(status);
  read_picture(file.get(), 0, stamp.bytes, bytes, at);
}

SourceStamp SourceReader::stamp(const Candidate& candidate) const {
  if (candidate.archive != kNoArchive) return archives_.at(candidate.archive).stamp;
  struct stat status {};
  if (::fstatat(root_.get(), candidate.path.c_str(), &status, 0) != 0) return {};
  return stamp_of(status);
}

std::string SourceReader::describe(const Candidate& candidate) const {
  if (candidate.archive != kNoArchive) {
    return display_path(archives_.at(candidate.archive).path) + ": " + display_path(candidate.path);
  }
  const bool absolute = candidate.path.starts_with('/');
  return display_path(absolute ? candidate.path : root_path_ + "/" + candidate.path);
}

}  // namespace casvit::dataio
