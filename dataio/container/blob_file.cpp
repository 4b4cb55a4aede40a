#include "dataio/container/blob_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "dataio/container/display.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

constexpr std::uint64_t kCopyBytes = 8 << 20;
constexpr std::uint64_t kStretchBytes = 8 << 20;

}  // namespace

BlobFile::BlobFile(std::string path, std::string name, std::uint64_t base, Begin begin)
    : path_(std::move(path)), name_(std::move(name)), base_(base) {
  const int flags = begin == Begin::kAnew ? O_CREAT | O_TRUNC : 0;
  descriptor_ =
      FileDescriptor(::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0666));
  if (descriptor_.get() < 0) fail(system_error_text());
}

void BlobFile::fail(const std::string& reason) const {
  throw OutputError("cannot write " + display_path(name_) + ": " + reason);
}

void BlobFile::write(std::uint64_t position, std::span<const std::uint8_t> bytes) const {
  const std::string problem = write_at(descriptor_.get(), base_ + position, bytes);
  if (!problem.empty()) fail(problem);
  start_writing_out(position, bytes.size());
}

/// Has the disk begin, beside the packing, with what `sync` would otherwise wait for at the end: a
/// stretch once it is full.
void BlobFile::start_writing_out(std::uint64_t position, std::uint64_t bytes) const {
  const std::uint64_t stretch = position / kStretchBytes;
  const std::uint64_t next = (position + bytes) / kStretchBytes;
  if (stretch == next) return;
  // Advice: what fails here fails in `sync` too.
  static_cast<void>(::sync_file_range(
      descriptor_.get(), static_cast<off_t>(base_ + stretch * kStretchBytes),
      static_cast<off_t>((next - stretch) * kStretchBytes), SYNC_FILE_RANGE_WRITE));
}

bool BlobFile::read(std::uint64_t position, std::span<std::uint8_t> bytes) const {
  return read_at(descriptor_.get(), base_ + position, bytes).empty();
}

void BlobFile::truncate(std::uint64_t end) const {
  if (::ftruncate(descriptor_.get(), static_cast<off_t>(base_ + end)) != 0) {
    fail(system_error_text());
  }
}

void BlobFile::sync() const {
  if (::fdatasync(descriptor_.get()) != 0) fail(system_error_text());
}

void BlobFile::hand_over() {
  static_cast<void>(::sync_file_range(descriptor_.get(), 0, 0, SYNC_FILE_RANGE_WRITE));
  const std::string problem = descriptor_.close();
  if (!problem.empty()) fail(problem);
}

void BlobFile::copy_to(const BlobFile& other, std::uint64_t position, std::uint64_t bytes) const {
  std::vector<std::uint8_t> buffer(std::min(bytes, kCopyBytes));
  for (std::uint64_t done = 0; done < bytes;) {
    const std::span piece(buffer.data(), std::min<std::uint64_t>(buffer.size(), bytes - done));
    const std::string problem = read_at(descriptor_.get(), base_ + done, piece);
    if (!problem.empty()) fail("its part " + display_path(path_) + " cannot be read: " + problem);
    other.write(position + done, piece);
    done += piece.size();
  }
}

}  // namespace casvit::dataio
