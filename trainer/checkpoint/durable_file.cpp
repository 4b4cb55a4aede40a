#include "trainer/checkpoint/durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "trainer/checkpoint/input_file.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

namespace fs = std::filesystem;

// Linux writes at most 2 GiB less a page at a time; smaller pieces keep errors timely.
constexpr std::size_t kPieceBytes = std::size_t{64} << 20;
constexpr std::string_view kAsideSuffix = ".tmp";

[[noreturn]] void refuse(const std::string& action, const std::string& path, int error,
                         const std::string& detail = "") {
  std::string message =
      "cannot " + action + " " + path + ": " + std::generic_category().message(error) + detail;
  if (error == ENOSPC || error == EDQUOT) message += "; free some space or choose another folder";
  throw OutputError(message);
}

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

/// A new hidden name beside `path`. The process id alone would not do: containers reuse them.
std::string aside_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  const fs::path target(path);
  return (target.parent_path() /
          ("." + target.filename().string() + "." + std::to_string(::getpid()) + "." +
           std::to_string(counter++) + std::string(kAsideSuffix)))
      .string();
}

/// Whether `name` is of the form that aside_name gives.
bool is_aside_name(std::string_view name) {
  if (!name.starts_with('.') || !name.ends_with(kAsideSuffix)) return false;
  name.remove_suffix(kAsideSuffix.size());
  for (int number = 0; number < 2; ++number) {
    const std::size_t dot = name.find_last_of('.');
    if (dot == 0 || dot == std::string_view::npos || dot + 1 == name.size()) return false;
    const std::string_view digits = name.substr(dot + 1);
    if (digits.find_first_not_of("0123456789") != std::string_view::npos) return false;
    name = name.substr(0, dot);
  }
  return name.size() > 1;
}

/// rename() replaces whatever has the name, also a device or a pipe that the user meant to fill.
void refuse_special_target(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (S_ISDIR(status.st_mode)) throw OutputError("cannot write " + path + ": it is a folder");
  if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
    throw OutputError("cannot write " + path + ": it is not a regular file");
  }
}

bool same_file(const std::string& left, const std::string& right) {
  struct stat a {};
  struct stat b {};
  return ::lstat(left.c_str(), &a) == 0 && ::lstat(right.c_str(), &b) == 0 &&
         a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

void copy_file(const std::string& from, const std::string& to) {
  const InputFile input(from);
  AsideFile output(to);
  std::vector<char> piece(std::min<std::uint64_t>(input.bytes(), std::uint64_t{4} << 20));
  for (std::uint64_t done = 0; done < input.bytes();) {
    const std::size_t count = std::min<std::uint64_t>(piece.size(), input.bytes() - done);
    input.read(done, piece.data(), count);
    output.write(piece.data(), count);
    done += count;
  }
  output.commit();
}

}  // namespace

AsideFile::AsideFile(std::string path) : path_(std::move(path)) {
  refuse_special_target(path_);
  constexpr int kAttempts = 1000;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    aside_ = aside_name(path_);
    descriptor_ = ::open(aside_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ >= 0) return;
    if (errno != EEXIST && errno != EINTR) break;
  }
  refuse("write", path_, errno);
}

AsideFile::~AsideFile() { discard(); }

void AsideFile::discard() noexcept {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  if (!aside_.empty()) ::unlink(aside_.c_str());
  aside_.clear();
}

void AsideFile::write(const void* bytes, std::size_t count) {
  const char* next = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(descriptor_, next, std::min(count, kPieceBytes));
    if (written < 0) {
      if (errno == EINTR) continue;
      refuse("write", path_, errno, " after " + std::to_string(written_) + " bytes");
    }
    next += written;
    count -= static_cast<std::size_t>(written);
    written_ += static_cast<std::uint64_t>(written);
  }
}

void AsideFile::commit() {
  while (::fsync(descriptor_) != 0) {
    if (errno != EINTR) refuse("write", path_, errno, " (fsync)");
  }
  // Network file systems report a full disk as late as here. Linux closes even when interrupted.
  if (::close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR) {
    refuse("write", path_, errno, " (close)");
  }
  if (::rename(aside_.c_str(), path_.c_str()) != 0) refuse("write", path_, errno, " (rename)");
  aside_.clear();
  sync_folder(folder_of(path_));
}

void replace_with_link(const std::string& existing, const std::string& path) {
  refuse_special_target(path);
  // rename() between two names of one file does nothing and would leave the name aside.
  if (same_file(existing, path)) return;
  const std::string aside = aside_name(path);
  ::unlink(aside.c_str());
  if (::link(existing.c_str(), aside.c_str()) != 0) {
    switch (errno) {
      case EPERM:
      case EACCES:
      case EOPNOTSUPP:
      case ENOSYS:
      case EINVAL:
      case EMLINK:
        copy_file(existing, path);
        return;
      default:
        refuse("link " + existing + " as", path, errno);
    }
  }
  if (::rename(aside.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(aside.c_str());
    refuse("link " + existing + " as", path, error);
  }
}

void sync_folder(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) refuse("open folder", folder, errno);
  int result = 0;
  do {
    result = ::fsync(descriptor);
  } while (result != 0 && errno == EINTR);
  const int error = errno;
  ::close(descriptor);
  // Some network and user-space file systems cannot sync folders, and need not.
  if (result != 0 && error != EINVAL && error != ENOTSUP && error != ENOSYS) {
    refuse("sync folder", folder, error);
  }
}

void remove_leftovers(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> leftovers;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (is_aside_name(entry->path().filename().string())) leftovers.push_back(entry->path());
  }
  if (error) refuse("list folder", folder, error.value());
  for (const fs::path& leftover : leftovers) {
    if (::unlink(leftover.c_str()) != 0 && errno != ENOENT) {
      refuse("remove", leftover.string(), errno);
    }
  }
}

}  // namespace casvit::trainer
