#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "trainer/telemetry/summary.h"

namespace casvit::trainer {

/// A record of an event file (TFRecord): length, its checksum, the bytes, their checksum.
std::string tf_record(std::string_view bytes);

/// Writes RUN/tensorboard/events.out.tfevents.<time>.<host>.<pid>: what TensorBoard reads, while
/// the run trains and afterwards. Each start of a run has a file of its own, whose name sorts
/// behind those before it. It begins by saying from which step on it counts: TensorBoard then drops
/// what an earlier file has from there on.
///
/// Events are gathered and written together about once a second; a kill loses no more than that,
/// and tears at most the last record, which TensorBoard passes over.
class EventLog {
 public:
  /// @param resume_step steps done before; 0 starts afresh and removes the event files of a start
  /// that never came to a checkpoint
  /// @param host name of this machine, for the file's name
  /// @throws OutputError
  EventLog(const std::string& run_folder, std::int64_t resume_step, const std::string& host);
  ~EventLog();  ///< what was not flushed is lost
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  /// At this moment. An empty summary is passed over. @throws OutputError
  void add(std::int64_t step, const Summary& summary);
  /// Hands what was gathered to the system. @throws OutputError
  void flush();

  const std::string& path() const { return path_; }

 private:
  void append(const WireMessage& event);

  std::string path_;
  int descriptor_ = -1;
  std::string gathered_;
  std::chrono::steady_clock::time_point flushed_ = std::chrono::steady_clock::now();
};

}  // namespace casvit::trainer
