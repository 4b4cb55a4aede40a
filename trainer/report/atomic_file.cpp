#include "trainer/report/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "trainer/error.h"

namespace casvit::trainer {

void cannot_write(const std::string& path, int error) {
  throw OutputError("cannot write " + path + ": " + std::strerror(error) +
                    "; check space and permissions there");
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) cannot_write(path, error.value());
}

void write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) cannot_write(path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void write_file_atomically(const std::string& path, std::string_view content) {
  const std::string aside = path + ".part";
  const int descriptor = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) cannot_write(aside, errno);
  try {
    write_all(descriptor, content, aside);
    if (::fsync(descriptor) != 0) cannot_write(aside, errno);
  } catch (...) {
    ::close(descriptor);
    ::unlink(aside.c_str());
    throw;
  }
  // After a successful fsync the bytes are on disk; some file systems still report a full disk
  // here.
  if (::close(descriptor) != 0 || ::rename(aside.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(aside.c_str());
    cannot_write(path, error);
  }
}

}  // namespace casvit::trainer
