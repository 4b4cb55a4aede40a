#include "dataio/container/pending_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/container/file_descriptor.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

namespace fs = std::filesystem;

}  // namespace

std::string folder_of(const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

std::string hidden_beside(const std::string& path, const std::string& suffix) {
  const std::string name = "." + fs::path(path).filename().string() + suffix;
  return (fs::path(folder_of(path)) / name).string();
}

void PendingFile::check_path() const {
  const std::string folder = folder_of(path_);
  std::error_code error;
  if (path_.empty() || fs::path(path_).filename().empty() || fs::is_directory(path_, error)) {
    throw OutputError("cannot write " + display_path(path_) + ": it is a folder; name a file");
  }
  if (!fs::is_directory(folder, error)) {
    throw OutputError("cannot write " + display_path(path_) + ": there is no folder " +
                      display_path(folder) + "; make it first");
  }
}

PendingFile::PendingFile(std::string path, std::string temporary_path)
    : path_(std::move(path)), temporary_path_(std::move(temporary_path)) {
  check_path();
}

PendingFile::PendingFile(std::string path) : path_(std::move(path)) {
  check_path();
  std::error_code error;
  // The process's number keeps processes apart; whoever creates the file does so exclusively.
  for (int i = 0;; ++i) {
    temporary_path_ =
        part_file_of(path_) + "-" + std::to_string(::getpid()) + "-" + std::to_string(i);
    if (!fs::exists(fs::symlink_status(temporary_path_, error))) return;
  }
}

PendingFile::~PendingFile() {
  if (!published_ && !kept_) ::unlink(temporary_path_.c_str());
}

void PendingFile::publish(Durability durability) {
  const bool on_disk = durability == Durability::kOnDisk;
  // First the content: a crash must not leave the name of a file that is empty, or half there.
  if (on_disk) sync_content();
  if (::rename(temporary_path_.c_str(), path_.c_str()) != 0) {
    throw OutputError("cannot give " + display_path(path_) + " its name: " + system_error_text());
  }
  published_ = true;
  if (on_disk) sync_name();
}

void PendingFile::sync_content() const {
  const FileDescriptor file(::open(temporary_path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0 || ::fsync(file.get()) != 0) {
    throw OutputError("cannot write " + display_path(path_) + ": " + system_error_text());
  }
}

void PendingFile::sync_name() const {
  const FileDescriptor folder(::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some network file systems cannot fsync a folder and say EINVAL; the rename stands all the same.
  if (folder.get() < 0 || (::fsync(folder.get()) != 0 && errno != EINVAL)) {
    throw OutputError("cannot make the name " + display_path(path_) +
                      " durable: " + system_error_text());
  }
}

}  // namespace casvit::dataio
