#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "trainer/telemetry/file_descriptor.h"

namespace casvit::trainer {

/// One client of the server: a request is read, answered, and the connection ended. Nothing here
/// waits: each call goes as far as the socket lets it.
class HttpConnection {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::size_t kMostRequestBytes = 4096;
  /// For the whole request, for the whole answer, and for the client to close afterwards.
  static constexpr std::chrono::seconds kRequestTime{5}, kAnswerTime{5}, kCloseTime{1};

  /// @param socket connected and non-blocking
  explicit HttpConnection(FileDescriptor socket);

  int socket() const { return socket_.get(); }
  /// What to poll for.
  short events() const;
  /// When the client has been slow for too long.
  Clock::time_point deadline() const { return deadline_; }

  /// Reads and writes what can be. @param page makes the body of /metrics
  /// @returns false when the connection is done with
  bool proceed(const std::function<std::string()>& page);

 private:
  enum class Phase { kReading, kAnswering, kClosing };
  bool read(const std::function<std::string()>& page);
  bool write();
  bool drain();
  void answer(std::string response);

  FileDescriptor socket_;
  Phase phase_ = Phase::kReading;
  Clock::time_point deadline_;
  std::string request_;
  std::string response_;
  std::size_t sent_ = 0;
  std::size_t drained_ = 0;
};

}  // namespace casvit::trainer
