#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "trainer/telemetry/file_descriptor.h"
#include "trainer/telemetry/http_connection.h"

namespace casvit::trainer {

/// Serves one page, /metrics, over HTTP/1 from a thread of its own.
///
/// It is ours and not libmicrohttpd or civetweb: those bring GnuTLS and its libraries to every
/// start of every rank, or threads and connections that idle clients can hold until they time out.
/// This one has a single thread that never waits for a client, and knows GET and HEAD of one path.
///
/// Whatever clients do, it takes no more than kMostConnections sockets and a few KiB each: a client
/// too many costs the oldest its place, a request of more than 4 KiB is refused (431), and who is
/// slow is cut off after seconds.
class MetricsServer {
 public:
  static constexpr std::size_t kMostConnections = 16;

  /// Listens from here on. @param address a number, e.g. "127.0.0.1" or "::1"
  /// @param port 0: one that is free. @param page makes the body; called on the server's thread
  /// @throws std::system_error when it cannot listen there
  MetricsServer(const std::string& address, std::uint16_t port, std::function<std::string()> page);
  ~MetricsServer();  ///< closes everything at once
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  void serve();
  /// Takes who waits at the door. @returns false where no descriptor is left for them
  bool accept_clients();
  int milliseconds_to_wait() const;

  std::function<std::string()> page_;
  FileDescriptor wake_;  ///< readable when the thread is to end
  FileDescriptor listener_;
  std::uint16_t port_ = 0;
  std::vector<HttpConnection> connections_;  ///< the oldest first
  std::thread thread_;
};

}  // namespace casvit::trainer
