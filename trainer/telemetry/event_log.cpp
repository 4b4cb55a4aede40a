#include "trainer/telemetry/event_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <utility>
#include <vector>

#include "trainer/report/atomic_file.h"
#include "trainer/telemetry/crc32c.h"

// Fields and numbers: tensorboard/compat/proto/event.proto.

namespace casvit::trainer {
namespace {

constexpr std::string_view kPrefix = "events.out.tfevents.";
constexpr std::chrono::seconds kFlushInterval{1};
constexpr std::size_t kMostGatheredBytes = 256 << 10;

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

WireMessage event_at(std::int64_t step) {
  WireMessage event;
  event.float64(1, now());
  if (step != 0) event.varint(2, step);
  return event;
}

std::vector<std::filesystem::path> event_files(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with(kPrefix)) files.push_back(entry.path());
  }
  return files;
}

/// The seconds since 1970 that an event file's name says; 0 where it says none.
std::int64_t time_in_name(const std::filesystem::path& path) {
  const std::string name = path.filename().string().substr(kPrefix.size());
  std::int64_t seconds = 0;
  std::from_chars(name.data(), name.data() + name.size(), seconds);
  return seconds;
}

/// Files are read in the order of their names, so that a host whose clock is behind that of the
/// host before must not go by its clock.
std::int64_t time_behind(const std::vector<std::filesystem::path>& files) {
  auto time = static_cast<std::int64_t>(now());
  for (const std::filesystem::path& file : files) time = std::max(time, time_in_name(file) + 1);
  return time;
}

}  // namespace

std::string tf_record(std::string_view bytes) {
  std::string record;
  record.reserve(bytes.size() + 16);
  append_little_endian(record, bytes.size(), 8);
  append_little_endian(record, masked_crc32c(record), 4);
  record += bytes;
  append_little_endian(record, masked_crc32c(bytes), 4);
  return record;
}

EventLog::EventLog(const std::string& run_folder, std::int64_t resume_step,
                   const std::string& host) {
  const std::string folder = run_folder + "/tensorboard";
  make_folder(folder);
  try {
    const std::vector<std::filesystem::path> before = event_files(folder);
    if (resume_step == 0) {
      for (const std::filesystem::path& file : before) std::filesystem::remove(file);
    }
    path_ = folder + "/" + std::string(kPrefix) + std::to_string(time_behind(before)) + "." + host +
            "." + std::to_string(::getpid());
  } catch (const std::filesystem::filesystem_error& error) {
    cannot_write(folder, error.code().value());
  }
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) cannot_write(path_, errno);

  append(event_at(0).bytes(3, "brain.Event:2").message(10, WireMessage().bytes(1, "casvit")));
  constexpr int kStart = 1;
  append(event_at(resume_step + 1).message(7, WireMessage().varint(1, kStart)));
  flush();
}

EventLog::~EventLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void EventLog::append(const WireMessage& event) { gathered_ += tf_record(event.encoded()); }

void EventLog::add(std::int64_t step, const Summary& summary) {
  if (summary.empty()) return;
  append(event_at(step).message(5, summary.message()));
  if (gathered_.size() >= kMostGatheredBytes ||
      std::chrono::steady_clock::now() - flushed_ >= kFlushInterval) {
    flush();
  }
}

void EventLog::flush() {
  const std::string bytes = std::exchange(gathered_, {});
  flushed_ = std::chrono::steady_clock::now();
  write_all(descriptor_, bytes, path_);
}

}  // namespace casvit::trainer
