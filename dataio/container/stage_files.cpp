#include "dataio/container/stage_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <span>
#include <thread>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/container/file_descriptor.h"
#include "dataio/container/pending_file.h"
#include "dataio/container/reader.h"
#include "dataio/container/stream_hash.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunkBytes = std::size_t{8} << 20;
constexpr std::chrono::milliseconds kBetweenLooks{50};
constexpr const char* kAdvice =
    "; free some space there, or let data.stage_to name another folder (or none, to read the files "
    "where they are)";

/// Names all that a container holds: its index has a hash of every picture, and the attributes can
/// change while the index does not.
std::string key_of(const ContainerReader& reader) {
  const ContainerAttributes& about = reader.attributes();
  std::string text = hash_text(about.index_hash) + std::to_string(reader.file_bytes());
  for (std::size_t c = 0; c < 3; ++c) {
    text += "," + std::to_string(about.normalization.mean[c]);
    text += "," + std::to_string(about.normalization.std[c]);
  }
  for (const std::string& attribute :
       {about.split, about.created, about.tool_version, about.command_line}) {
    text += '\0' + attribute;
  }
  return hash_text(XXH3_64bits(text.data(), text.size()));
}

bool is_sound_copy(const std::string& path, const std::string& key) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return false;
  try {
    return key_of(ContainerReader(path)) == key;
  } catch (const InputError&) {
    return false;  // cut short or overwritten: it is made anew
  }
}

struct Plan {
  StagedFile file;
  std::string key;
};

Plan plan_of(const std::string& source, const std::string& folder) {
  const ContainerReader reader(source);
  Plan plan;
  plan.key = key_of(reader);
  plan.file.source = source;
  plan.file.bytes = reader.file_bytes();
  plan.file.path =
      (fs::path(folder) / ("casvit-" + plan.key) / fs::path(source).filename()).string();
  return plan;
}

[[noreturn]] void cannot_stage(const StagedFile& file, const std::string& why) {
  throw OutputError("cannot stage " + display_path(file.source) + " to " + display_path(file.path) +
                    ": " + why + kAdvice);
}

void make_folder(const std::string& folder, const std::string& what) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw OutputError("cannot make the folder " + display_path(folder) + " to stage " + what +
                      " in: " + error.message() + kAdvice);
  }
}

void check_space(const std::string& folder, std::uint64_t needed) {
  struct statvfs status {};
  if (::statvfs(folder.c_str(), &status) != 0) {
    throw OutputError("cannot look at " + display_path(folder) + ": " + system_error_text());
  }
  const std::uint64_t free = std::uint64_t{status.f_bavail} * status.f_frsize;
  if (needed > free) {
    throw OutputError("cannot stage " + std::to_string(needed) + " bytes to " +
                      display_path(folder) + ": only " + std::to_string(free) + " are free there" +
                      kAdvice);
  }
}

/// Held while a file is copied; the system lets go of it with the process, however that ends.
class FileLock {
 public:
  /// @param wait called again and again while another process has it
  FileLock(const StagedFile& file, const std::function<void()>& wait) {
    const std::string name = hidden_beside(file.path, ".lock");
    descriptor_ = FileDescriptor(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (descriptor_.get() < 0) cannot_stage(file, system_error_text());
    while (::flock(descriptor_.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EINTR && errno != EWOULDBLOCK) cannot_stage(file, system_error_text());
      wait();
      std::this_thread::sleep_for(kBetweenLooks);
    }
  }

 private:
  FileDescriptor descriptor_;
};

/// What copiers that were killed left; the lock says that none is at work.
void remove_leftovers(const std::string& path) {
  const std::string start = fs::path(part_file_of(path)).filename().string() + "-";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_of(path), error)) {
    if (entry.path().filename().string().starts_with(start)) fs::remove(entry.path(), error);
  }
}

class Copier {
 public:
  Copier(const StageProgress& progress, std::uint64_t total)
      : progress_(progress), total_(total), buffer_(kChunkBytes) {}

  void advance(std::uint64_t bytes) {
    done_ += bytes;
    if (progress_) progress_(done_, total_);
  }

  void copy(const StagedFile& file) {
    const FileDescriptor source(::open(file.source.c_str(), O_RDONLY | O_CLOEXEC));
    if (source.get() < 0) cannot_read(file.source, system_error_text());
    static_cast<void>(::posix_fadvise(source.get(), 0, 0, POSIX_FADV_SEQUENTIAL));
    PendingFile pending(file.path);
    const FileDescriptor target(
        ::open(pending.temporary_path().c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (target.get() < 0) cannot_stage(file, system_error_text());
    reserve(file, target.get());
    const std::uint64_t read = transfer(file, source.get(), target.get());
    if (::fsync(target.get()) != 0) cannot_stage(file, system_error_text());
    // Pages that the system still holds would only tell what was meant to be written.
    static_cast<void>(::posix_fadvise(target.get(), 0, 0, POSIX_FADV_DONTNEED));
    if (hash_back(file, target.get()) != read) {
      cannot_stage(file, "the disk gives back other bytes than were written");
    }
    pending.publish();
  }

 private:
  [[noreturn]] static void cannot_read(const std::string& path, const std::string& why) {
    throw InputError("cannot read " + display_path(path) + ": " + why);
  }

  /// Takes the space at once, so that two jobs cannot both count on the same free bytes.
  static void reserve(const StagedFile& file, int target) {
    const int error = ::posix_fallocate(target, 0, static_cast<off_t>(file.bytes));
    if (error != 0 && error != EINVAL && error != EOPNOTSUPP) {
      errno = error;
      cannot_stage(file, system_error_text());
    }
  }

  std::span<std::uint8_t> chunk(const StagedFile& file, std::uint64_t offset) {
    return std::span(buffer_).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(kChunkBytes, file.bytes - offset)));
  }

  std::uint64_t transfer(const StagedFile& file, int source, int target) {
    StreamHash hasher;
    for (std::uint64_t offset = 0; offset < file.bytes; offset += kChunkBytes) {
      const auto bytes = chunk(file, offset);
      if (const auto problem = read_at(source, offset, bytes); !problem.empty()) {
        cannot_read(file.source, problem);
      }
      if (const auto problem = write_at(target, offset, bytes); !problem.empty()) {
        cannot_stage(file, problem);
      }
      hasher.add(bytes.data(), bytes.size());
      advance(bytes.size());
    }
    return hasher.digest();
  }

  std::uint64_t hash_back(const StagedFile& file, int target) {
    StreamHash hasher;
    for (std::uint64_t offset = 0; offset < file.bytes; offset += kChunkBytes) {
      const auto bytes = chunk(file, offset);
      if (const auto problem = read_at(target, offset, bytes); !problem.empty()) {
        cannot_stage(file, problem);
      }
      hasher.add(bytes.data(), bytes.size());
      advance(bytes.size());
    }
    return hasher.digest();
  }

  const StageProgress& progress_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  std::vector<std::uint8_t> buffer_;
};

/// Under the file's lock, in this order: only then is what is there known, and all that can be
/// freed free.
void copy_once(Plan& plan, Copier& copier) {
  const std::string folder = folder_of(plan.file.path);
  make_folder(folder, display_path(plan.file.source));
  const FileLock lock(plan.file, [&copier] { copier.advance(0); });
  plan.file.reused = is_sound_copy(plan.file.path, plan.key);  // somebody made it meanwhile
  if (plan.file.reused) return;
  remove_leftovers(plan.file.path);
  check_space(folder, plan.file.bytes);
  copier.copy(plan.file);
}

}  // namespace

std::vector<StagedFile> stage_files(const std::vector<std::string>& sources,
                                    const std::string& folder, const StageProgress& progress) {
  std::vector<Plan> plans;
  std::uint64_t needed = 0;
  for (const std::string& source : sources) {
    Plan& plan = plans.emplace_back(plan_of(source, folder));
    plan.file.reused = is_sound_copy(plan.file.path, plan.key);
    if (!plan.file.reused) needed += plan.file.bytes;
  }
  Copier copier(progress, 2 * needed);
  std::vector<StagedFile> files;
  for (Plan& plan : plans) {
    if (!plan.file.reused) copy_once(plan, copier);
    files.push_back(plan.file);
  }
  return files;
}

}  // namespace casvit::dataio
