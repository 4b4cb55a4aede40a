#include "trainer/checkpoint/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

[[noreturn]] void refuse(const std::string& path, int error) {
  throw CheckpointError("cannot read " + path + ": " + std::generic_category().message(error));
}

}  // namespace

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  // O_NONBLOCK: opening a pipe nobody writes to would wait for ever. Regular files ignore it.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) refuse(path_, errno);
  struct stat status {};
  const int error = ::fstat(descriptor_, &status) != 0 ? errno : 0;
  if (error != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    if (error != 0) refuse(path_, error);
    throw CheckpointError("cannot read " + path_ + ": it is not a regular file");
  }
  bytes_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() { ::close(descriptor_); }

void InputFile::read(std::uint64_t offset, void* buffer, std::size_t count) const {
  constexpr std::size_t kPieceBytes = std::size_t{1} << 30;
  char* next = static_cast<char*>(buffer);
  while (count > 0) {
    const ssize_t got =
        ::pread(descriptor_, next, std::min(count, kPieceBytes), static_cast<off_t>(offset));
    if (got < 0) {
      if (errno == EINTR) continue;
      refuse(path_, errno);
    }
    if (got == 0) throw CheckpointError(path_ + " became shorter while it was read");
    next += got;
    count -= static_cast<std::size_t>(got);
    offset += static_cast<std::uint64_t>(got);
  }
}

}  // namespace casvit::trainer
