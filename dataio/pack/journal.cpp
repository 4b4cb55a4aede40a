#include "dataio/pack/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/error.h"

namespace casvit::dataio {
namespace {

constexpr std::string_view kSignature = "casvit-pack journal 1\n";
constexpr std::size_t kFrameHead = 1 + 2 * sizeof(std::uint64_t);  // kind, size, hash

/// Kinds of frames.
constexpr char kRequestFrame = 'Q';
constexpr char kRecordsFrame = 'R';
constexpr char kCutFrame = 'C';
constexpr char kDurableFrame = 'D';
constexpr char kSealedFrame = 'S';

std::uint64_t frame_hash(char kind, std::string_view payload) {
  return XXH3_64bits_withSeed(payload.data(), payload.size(), static_cast<std::uint64_t>(kind));
}

struct Frame {
  char kind = 0;
  std::string_view payload;
};

/// The next frame of `bytes`; nothing where it is not whole.
std::optional<Frame> take_frame(std::string_view& bytes) {
  if (bytes.size() < kFrameHead) return std::nullopt;
  std::string_view rest = bytes;
  Frame frame;
  frame.kind = take_number<char>(rest);
  const auto size = take_number<std::uint64_t>(rest);
  const auto hash = take_number<std::uint64_t>(rest);
  if (size > rest.size()) return std::nullopt;
  frame.payload = rest.substr(0, size);
  if (hash != frame_hash(frame.kind, frame.payload)) return std::nullopt;
  bytes = rest.substr(size);
  return frame;
}

JournalRequest take_request(std::string_view payload) {
  JournalRequest request;
  request.request = take_text(payload);
  request.created = take_text(payload);
  request.command_line = take_text(payload);
  while (!payload.empty()) request.files.push_back(take_text(payload));
  return request;
}

void apply(const Frame& frame, JournalState& state) {
  std::string_view payload = frame.payload;
  if (frame.kind == kRecordsFrame) {
    state.records += payload;
  } else if (frame.kind == kCutFrame) {
    state.records.resize(
        std::min<std::uint64_t>(take_number<std::uint64_t>(payload), state.records.size()));
    state.durable_bytes = std::min<std::uint64_t>(state.durable_bytes, state.records.size());
    state.sealed.clear();
  } else if (frame.kind == kDurableFrame) {
    state.durable_bytes = state.records.size();
  } else if (frame.kind == kSealedFrame) {
    state.sealed.clear();
    while (!payload.empty()) state.sealed.push_back(take_number<std::uint64_t>(payload));
  }
}

std::string read_all(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return "";
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  const std::string problem =
      read_at(descriptor, 0, {reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
  return problem.empty() ? bytes : "";
}

}  // namespace

Journal::Journal(std::string path, FileDescriptor descriptor)
    : path_(std::move(path)), descriptor_(std::move(descriptor)) {
  lock();
}

Journal::Journal(const std::string& path, const JournalRequest& request)
    : Journal(path, FileDescriptor(
                        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666))) {
  if (::ftruncate(descriptor_.get(), 0) != 0) fail();
  std::string payload;
  append_text(payload, request.request);
  append_text(payload, request.created);
  append_text(payload, request.command_line);
  for (const std::string& file : request.files) append_text(payload, file);
  const auto* signature = reinterpret_cast<const std::uint8_t*>(kSignature.data());
  if (!write_at(descriptor_.get(), 0, {signature, kSignature.size()}).empty()) fail();
  end_ = kSignature.size();
  add_frame(kRequestFrame, payload);
}

Journal::Journal(Journal&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::move(other.descriptor_)),
      end_(other.end_),
      kept_(other.kept_) {}

Journal& Journal::operator=(Journal&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(end_, other.end_);
  std::swap(kept_, other.kept_);
  return *this;
}

Journal::~Journal() {
  if (descriptor_.get() >= 0 && !kept_) ::unlink(path_.c_str());
}

void Journal::fail() const {
  throw OutputError("cannot write " + display_path(path_) + ": " + system_error_text());
}

void Journal::lock() const {
  if (descriptor_.get() < 0) fail();
  // Some network file systems have no locks to give, which is no reason not to pack.
  const bool taken = ::flock(descriptor_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  // Whoever had it may have removed it since we opened it: our lock would keep nobody out.
  struct stat status {};
  if (::fstat(descriptor_.get(), &status) != 0) fail();
  if (taken || status.st_nlink == 0) {
    throw UsageError("another casvit-pack is writing this output just now (it holds " +
                     display_path(path_) + "); wait for it, or name another output");
  }
}

std::optional<Journal> Journal::open(const std::string& path, JournalState& state) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0 && errno == ENOENT) return std::nullopt;
  Journal journal(path, FileDescriptor(descriptor));
  journal.keep();  // until the caller knows that it is his to remove
  const std::string bytes = read_all(journal.descriptor_.get());
  std::string_view rest = bytes;
  if (!rest.starts_with(kSignature)) return std::nullopt;
  rest.remove_prefix(kSignature.size());
  const auto first = take_frame(rest);
  if (!first || first->kind != kRequestFrame) return std::nullopt;
  state = JournalState();
  state.request = take_request(first->payload);
  while (const auto frame = take_frame(rest)) apply(*frame, state);
  journal.end_ = bytes.size() - rest.size();
  if (::ftruncate(journal.descriptor_.get(), static_cast<off_t>(journal.end_)) != 0) journal.fail();
  return journal;
}

void Journal::add_frame(char kind, const std::string& payload) {
  std::string frame(1, kind);
  append_number(frame, static_cast<std::uint64_t>(payload.size()));
  append_number(frame, frame_hash(kind, payload));
  frame += payload;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(frame.data());
  if (!write_at(descriptor_.get(), end_, {bytes, frame.size()}).empty()) fail();
  end_ += frame.size();
}

void Journal::cut_records(std::uint64_t bytes) {
  std::string payload;
  append_number(payload, bytes);
  add_frame(kCutFrame, payload);
  if (::fdatasync(descriptor_.get()) != 0) fail();
}

void Journal::add_records(const std::string& encoded) {
  if (!encoded.empty()) add_frame(kRecordsFrame, encoded);
}

void Journal::mark_durable() {
  add_frame(kDurableFrame, "");
  if (::fdatasync(descriptor_.get()) != 0) fail();
}

void Journal::mark_sealed(const std::vector<std::uint64_t>& index_hashes) {
  std::string payload;
  for (const std::uint64_t hash : index_hashes) append_number(payload, hash);
  // Not synced: should a crash take it back, the pictures are still there, and are sealed again.
  add_frame(kSealedFrame, payload);
}

}  // namespace casvit::dataio
