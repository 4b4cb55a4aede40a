#include "dataio/container/file_descriptor.h"

#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace casvit::dataio {

FileDescriptor::~FileDescriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = std::exchange(other.descriptor_, -1);
  }
  return *this;
}

std::string FileDescriptor::close() {
  if (descriptor_ < 0 || ::close(std::exchange(descriptor_, -1)) == 0) return "";
  return errno == EINTR ? "" : system_error_text();  // it is closed, and must not be closed again
}

std::string system_error_text() { return std::generic_category().message(errno); }

std::string read_at(int descriptor, std::uint64_t offset, std::span<std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pread(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error_text();
    if (count == 0) return "the file ends too early";
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return "";
}

std::string write_at(int descriptor, std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error_text();
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return "";
}

}  // namespace casvit::dataio
