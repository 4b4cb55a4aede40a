#include "trainer/telemetry/http_connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <exception>
#include <utility>

#include "trainer/telemetry/http_request.h"

namespace casvit::trainer {
namespace {

constexpr const char* kPlain = "text/plain; charset=utf-8";
constexpr const char* kMetrics = "text/plain; version=0.0.4; charset=utf-8";

/// Of a client that goes on sending after it was answered.
constexpr std::size_t kMostDrainedBytes = 256 << 10;

bool would_wait() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

std::string response_to(const HttpRequest& request, const std::function<std::string()>& page) {
  if (request.state == HttpRequest::State::kMalformed) {
    return http_response(400, kPlain, "this is no HTTP/1 request\n");
  }
  const bool head = request.method == "HEAD";
  if (!head && request.method != "GET") {
    return http_response(405, kPlain, "there is nothing but GET and HEAD here\n", false,
                         "Allow: GET, HEAD\r\n");
  }
  if (request.path != "/metrics") {
    return http_response(404, kPlain, "the figures are at /metrics\n", head);
  }
  try {
    return http_response(200, kMetrics, page(), head);
  } catch (const std::exception& error) {  // as of no memory: it is the scraper's to tell
    return http_response(500, kPlain, std::string(error.what()) + "\n", head);
  }
}

}  // namespace

HttpConnection::HttpConnection(FileDescriptor socket)
    : socket_(std::move(socket)), deadline_(Clock::now() + kRequestTime) {}

short HttpConnection::events() const { return phase_ == Phase::kAnswering ? POLLOUT : POLLIN; }

bool HttpConnection::proceed(const std::function<std::string()>& page) {
  if (phase_ == Phase::kReading && !read(page)) return false;
  if (phase_ == Phase::kAnswering && !write()) return false;
  return phase_ != Phase::kClosing || drain();
}

bool HttpConnection::read(const std::function<std::string()>& page) {
  std::array<char, kMostRequestBytes> chunk{};
  while (phase_ == Phase::kReading) {
    const ssize_t got = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
    if (got < 0) return would_wait();
    if (got == 0) return false;
    request_.append(chunk.data(), static_cast<std::size_t>(got));
    const HttpRequest request = parse_http_request(request_.substr(0, kMostRequestBytes));
    if (request.state != HttpRequest::State::kIncomplete) {
      answer(response_to(request, page));
    } else if (request_.size() >= kMostRequestBytes) {
      answer(http_response(431, kPlain, "the request is too large\n"));
    }
  }
  return true;
}

void HttpConnection::answer(std::string response) {
  response_ = std::move(response);
  phase_ = Phase::kAnswering;
  deadline_ = Clock::now() + kAnswerTime;
}

bool HttpConnection::write() {
  while (sent_ < response_.size()) {
    const ssize_t sent =
        ::send(socket_.get(), response_.data() + sent_, response_.size() - sent_, MSG_NOSIGNAL);
    if (sent < 0) return would_wait();
    sent_ += static_cast<std::size_t>(sent);
  }
  // Closing while the client still sends would have the system take back what it was sent (RFC
  // 9112, 9.6): what comes is read and dropped until the client closes too.
  if (::shutdown(socket_.get(), SHUT_WR) != 0) return false;
  phase_ = Phase::kClosing;
  deadline_ = Clock::now() + kCloseTime;
  return true;
}

bool HttpConnection::drain() {
  std::array<char, kMostRequestBytes> chunk{};
  while (drained_ < kMostDrainedBytes) {
    const ssize_t got = ::recv(socket_.get(), chunk.data(), chunk.size(), 0);
    if (got < 0) return would_wait();
    if (got == 0) return false;
    drained_ += static_cast<std::size_t>(got);
  }
  return false;
}

}  // namespace casvit::trainer
