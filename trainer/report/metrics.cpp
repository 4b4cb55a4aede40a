#include "trainer/report/metrics.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string_view>
#include <utility>

#include "trainer/error.h"
#include "trainer/report/atomic_file.h"
#include "trainer/report/metrics_format.h"

namespace casvit::trainer {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file.is_open() || file.bad()) {
    throw CheckpointError("cannot read " + path + ": " + std::strerror(errno));
  }
  return text.str();
}

/// Calls `visit(line, number)` for every whole line; what follows the last line end was torn off by
/// a kill and is passed over.
void for_each_line(const std::string& text,
                   const std::function<void(const std::string&, int)>& visit) {
  std::size_t start = 0;
  int number = 1;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
    visit(text.substr(start, end - start), number++);
    start = end + 1;
  }
}

std::int64_t parse_line(const std::string& line, int number, const std::string& path,
                        History& history) {
  try {
    return parse_json_line(line, history);
  } catch (const std::exception& error) {
    throw CheckpointError(path + ":" + std::to_string(number) + ": no line of metrics (" +
                          error.what() + "); delete this line, or the file, to go on without it");
  }
}

/// A file that lines are appended to, each with one write, so that a kill can tear only the last.
class LineFile {
 public:
  explicit LineFile(std::string path)
      : path_(std::move(path)),
        descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) cannot_write(path_, errno);
  }
  ~LineFile() { ::close(descriptor_); }
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  void append(const std::string& line) { write_all(descriptor_, line + "\n", path_); }

 private:
  std::string path_;
  int descriptor_;
};

/// Rewrites both files with what belongs to the first `last_step` steps. The lines of metrics.jsonl
/// that stay are the very bytes that were there; metrics.csv follows from them.
/// @returns how many steps went
std::int64_t truncate_to(const std::string& jsonl_path, const std::string& csv_path,
                         std::int64_t last_step) {
  std::string jsonl;
  std::string csv = csv_header() + "\n";
  std::int64_t dropped = 0;
  if (last_step > 0 && std::filesystem::exists(jsonl_path)) {
    for_each_line(read_text(jsonl_path), [&](const std::string& line, int number) {
      History one;
      // Starts stay, whatever became of their steps: they took their time.
      if (parse_line(line, number, jsonl_path, one) > last_step && one.starts.empty()) {
        dropped += static_cast<std::int64_t>(one.steps.size());
        return;
      }
      jsonl += line + "\n";
      for (const StepMetrics& step : one.steps) csv += to_csv_line(step) + "\n";
      for (const EpochMetrics& epoch : one.epochs) csv += to_csv_line(epoch) + "\n";
    });
  }
  write_file_atomically(jsonl_path, jsonl);
  write_file_atomically(csv_path, csv);
  return dropped;
}

/// Seconds since 1970; 0 where there is no such file.
double written_at(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return 0;
  return static_cast<double>(status.st_mtim.tv_sec) +
         1e-9 * static_cast<double>(status.st_mtim.tv_nsec);
}

}  // namespace

struct MetricsLog::State {
  explicit State(const std::string& jsonl_path, const std::string& csv_path)
      : jsonl(jsonl_path), csv(csv_path) {}
  LineFile jsonl;
  LineFile csv;
  Dropped dropped;
};

MetricsLog::MetricsLog(const std::string& run_folder, std::int64_t resume_step) {
  const std::string jsonl_path = run_folder + "/metrics.jsonl";
  const std::string csv_path = run_folder + "/metrics.csv";
  make_folder(run_folder);
  Dropped dropped;
  if (resume_step > 0) dropped.ended = written_at(jsonl_path);
  dropped.steps = truncate_to(jsonl_path, csv_path, resume_step);
  state_ = std::make_unique<State>(jsonl_path, csv_path);
  state_->dropped = dropped;
}

MetricsLog::~MetricsLog() = default;
MetricsLog::MetricsLog(MetricsLog&&) noexcept = default;

void MetricsLog::append(const StepMetrics& metrics) {
  state_->jsonl.append(to_json_line(metrics));
  state_->csv.append(to_csv_line(metrics));
}

void MetricsLog::append(const EpochMetrics& metrics) {
  state_->jsonl.append(to_json_line(metrics));
  state_->csv.append(to_csv_line(metrics));
}

void MetricsLog::append(const RankMetrics& metrics) { state_->jsonl.append(to_json_line(metrics)); }

void MetricsLog::append(const StartMetrics& metrics) {
  state_->jsonl.append(to_json_line(metrics));
}

void MetricsLog::append(const PauseMetrics& metrics) {
  state_->jsonl.append(to_json_line(metrics));
}

const MetricsLog::Dropped& MetricsLog::dropped() const { return state_->dropped; }

History read_history(const std::string& run_folder) {
  const std::string path = run_folder + "/metrics.jsonl";
  History history;
  for_each_line(read_text(path), [&](const std::string& line, int number) {
    parse_line(line, number, path, history);
  });
  return history;
}

}  // namespace casvit::trainer
