#include "dataio/inspect/extract.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/container/file_descriptor.h"
#include "dataio/container/pending_file.h"
#include "dataio/container/reader.h"
#include "dataio/error.h"
#include "dataio/image/png_writer.h"
#include "dataio/pack/parallel_for.h"

namespace casvit::dataio {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxNameBytes = 255;   ///< of one folder or file, on Linux
constexpr std::size_t kMaxPathBytes = 3800;  ///< leaves room for the folder itself
constexpr std::size_t kExamples = 10;
constexpr std::uint64_t kNamesBetweenTicks = 4096;

/// The names between the slashes.
std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    parts.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

bool is_safe_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.size() <= kMaxNameBytes &&
         name.find('\0') == std::string_view::npos && name.find('/') == std::string_view::npos;
}

bool is_safe_path(std::string_view path) {
  const auto parts = parts_of(path);
  return path.size() <= kMaxPathBytes && std::all_of(parts.begin(), parts.end(), is_safe_name);
}

const char* extension_of(Codec codec) {
  switch (codec) {
    case Codec::kJpeg:
      return ".jpg";
    case Codec::kWebp:
      return ".webp";
    default:
      return ".png";  // raw pixels become one too
  }
}

/// A class is a folder; a hostile or odd name is replaced by its number.
std::string class_folder(const ContainerReader& reader, std::int32_t label) {
  const std::string& name = reader.index().class_names[static_cast<std::size_t>(label)];
  return is_safe_name(name) ? name : "class-" + std::to_string(label);
}

/// Chooses a name of its own for every picture, in order, so that names depend on the files alone.
class NameChooser {
 public:
  std::string choose(const ContainerReader& reader, std::size_t file, std::uint64_t sample,
                     ExtractResult& result) {
    std::string wanted = wanted_path(reader, sample);
    if (is_safe_path(wanted) && take(wanted)) return wanted;
    ++result.renamed;
    if (result.renamed_examples.size() < kExamples) {
      result.renamed_examples.push_back(reader.describe(sample));
    }
    const std::string base = class_folder(reader, reader.label(sample)) + "/sample-" +
                             std::to_string(file) + "-" + std::to_string(sample);
    for (int i = 0;; ++i) {
      std::string path = base + (i == 0 ? "" : "-" + std::to_string(i)) +
                         extension_of(static_cast<Codec>(reader.index().codec[sample]));
      if (take(path)) return path;
    }
  }

 private:
  static std::string wanted_path(const ContainerReader& reader, std::uint64_t sample) {
    std::string path = reader.source_path(sample);
    const std::string folder = class_folder(reader, reader.label(sample));
    const auto parts = parts_of(path);
    if (std::find(parts.begin(), parts.end() - 1, folder) == parts.end() - 1) {
      path = folder + "/" + path;
    }
    if (static_cast<Codec>(reader.index().codec[sample]) == Codec::kRawRgb &&
        !path.ends_with(".png")) {
      path += ".png";
    }
    return path;
  }

  /// False where the path is a file already, or a folder of one, or goes through a file.
  bool take(const std::string& path) {
    if (folders_.contains(path) || files_.contains(path)) return false;
    for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
      if (files_.contains(path.substr(0, at))) return false;
    }
    for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
      folders_.insert(path.substr(0, at));
    }
    files_.insert(path);
    return true;
  }

  std::unordered_set<std::string> files_;
  std::unordered_set<std::string> folders_;
};

constexpr const char* kAsideInside = ".casvit-extract";

/// What an extraction that was killed left in the folder that it was to fill: nobody holds its
/// lock.
bool is_leftover(const fs::path& path) {
  if (!path.filename().string().starts_with(std::string(kAsideInside) + kPartSuffix)) return false;
  const FileDescriptor folder(
      ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return folder.get() >= 0 && ::flock(folder.get(), LOCK_EX | LOCK_NB) == 0;
}

/// A folder that is written aside, as PendingFile is. A new one is written beside its place and
/// renamed. One that is there is filled: it may be where a disk is mounted, or its own folder may
/// not be ours to write in. Its entries are written in a hidden folder within, and are moved up
/// when all are whole.
class PendingFolder {
 public:
  explicit PendingFolder(const std::string& path) : path_(fs::path(path).lexically_normal()) {
    if (!path_.has_filename()) path_ = path_.parent_path();  // "folder/"
    std::error_code error;
    fills_ = !path_.empty() && fs::exists(fs::symlink_status(path_, error));
    if (path_.empty() || (fills_ && !is_vacant())) {
      throw UsageError("the folder " + display_path(path) +
                       " is there already; name one that is not, nothing is overwritten");
    }
    make_aside();
  }
  ~PendingFolder() {
    if (published_) return;
    std::error_code error;
    for (const fs::path& entry : moved_) fs::remove_all(entry, error);
    fs::remove_all(aside_, error);
  }
  PendingFolder(const PendingFolder&) = delete;
  PendingFolder& operator=(const PendingFolder&) = delete;

  std::string aside(const std::string& name) const { return (aside_ / name).string(); }

  /// All that was written is on the disk before anything gets its name.
  void publish() {
    if (::syncfs(lock_.get()) != 0) fail(system_error_text());
    if (fills_) {
      move_up();
    } else if (::rename(aside_.c_str(), path_.c_str()) != 0) {
      fail(system_error_text());
    }
    published_ = true;
    sync_folder(path_);
    if (!fills_) sync_folder(folder_of(path_.string()));
  }

  [[noreturn]] void fail(const std::string& reason) const {
    throw OutputError("cannot write the folder " + display_path(path_.string()) + ": " + reason);
  }

 private:
  /// Whether the folder is there and empty but for leftovers, which are removed. Links are
  /// followed.
  bool is_vacant() const {
    std::error_code error;
    if (!fs::is_directory(path_, error)) return false;
    std::vector<fs::path> leftovers;
    for (fs::directory_iterator at(path_, error), end; !error && at != end; at.increment(error)) {
      if (!is_leftover(at->path())) return false;
      leftovers.push_back(at->path());
    }
    if (error) fail(error.message());
    for (const fs::path& leftover : leftovers) {
      fs::remove_all(leftover, error);
      if (error)
        fail("what an earlier extraction left there cannot be removed: " + error.message());
    }
    return true;
  }

  void make_aside() {
    const std::string place = fills_ ? (path_ / kAsideInside).string() : path_.string();
    const std::string name = fills_ ? place : hidden_beside(place, "");
    for (int i = 0;; ++i) {
      aside_ = name + kPartSuffix + "-" + std::to_string(::getpid()) + "-" + std::to_string(i);
      if (::mkdir(aside_.c_str(), 0777) == 0) break;
      if (errno != EEXIST) fail(system_error_text());  // a process of our number was killed once
    }
    lock_ = FileDescriptor(::open(aside_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (lock_.get() < 0) fail(system_error_text());
    // Some network file systems have no locks to give: leftovers then stay.
    static_cast<void>(::flock(lock_.get(), LOCK_EX | LOCK_NB));
  }

  void move_up() {
    std::error_code error;
    std::vector<fs::path> entries;
    for (fs::directory_iterator at(aside_, error), end; !error && at != end; at.increment(error)) {
      entries.push_back(at->path());
    }
    if (error) fail(error.message());
    for (const fs::path& entry : entries) {
      const fs::path place = path_ / entry.filename();
      if (::rename(entry.c_str(), place.c_str()) != 0) {
        fail(system_error_text() + " (" + display_path(entry.filename().string()) + ")");
      }
      moved_.push_back(place);
    }
    if (!fs::remove(aside_, error)) fail(error.message());
  }

  void sync_folder(const fs::path& folder) const {
    const FileDescriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // Some network file systems cannot fsync a folder and say EINVAL; the names stand all the same.
    if (file.get() < 0 || (::fsync(file.get()) != 0 && errno != EINVAL)) fail(system_error_text());
  }

  fs::path path_;
  bool fills_ = false;
  fs::path aside_;
  FileDescriptor lock_;  ///< of `aside_`
  std::vector<fs::path> moved_;
  bool published_ = false;
};

void write_new_file(const PendingFolder& folder, const std::string& name,
                    const std::vector<std::uint8_t>& bytes) {
  const std::string path = folder.aside(name);
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (error) folder.fail(error.message() + " (" + display_path(name) + ")");
  FileDescriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  std::string problem = file.get() < 0 ? system_error_text() : write_at(file.get(), 0, bytes);
  if (problem.empty()) problem = file.close();
  if (!problem.empty()) folder.fail(problem + " (" + display_path(name) + ")");
}

struct Source {
  const ContainerReader* reader;
  std::uint64_t sample;
  std::string name;
};

}  // namespace

ExtractResult extract(const std::vector<std::string>& files, const std::string& folder, int workers,
                      const std::function<void(std::uint64_t, std::uint64_t)>& tick) {
  std::vector<ContainerReader> readers;
  readers.reserve(files.size());
  for (const std::string& file : files) {
    tick(0, files.size());
    readers.emplace_back(file);
  }

  ExtractResult result;
  std::vector<Source> sources;
  NameChooser names;
  for (std::size_t f = 0; f < readers.size(); ++f) {
    for (std::uint64_t i = 0; i < readers[f].index().samples(); ++i) {
      if (i % kNamesBetweenTicks == 0) tick(0, readers[f].index().samples());
      sources.push_back({&readers[f], i, names.choose(readers[f], f, i, result)});
    }
  }

  PendingFolder pending(folder);
  std::mutex mutex;
  const auto write = [&](std::uint64_t number) {
    thread_local std::vector<std::uint8_t> bytes;
    const Source& source = sources[number];
    const bool raw =
        source.reader->index().codec[source.sample] == static_cast<std::uint8_t>(Codec::kRawRgb);
    if (raw) {
      write_new_file(pending, source.name, encode_png(source.reader->decode(source.sample, bytes)));
    } else {
      source.reader->read(source.sample, bytes);
      write_new_file(pending, source.name, bytes);
    }
    const std::lock_guard lock(mutex);
    ++result.pictures;
    result.bytes += bytes.size();
    result.raw += raw ? 1 : 0;
  };
  parallel_for(sources.size(), workers, write,
               [&](std::uint64_t done) { tick(done, sources.size()); });
  pending.publish();
  return result;
}

}  // namespace casvit::dataio
